//! `cargo xtask layers`: who imports whom in `sdk/src`, drawn, and held against the architecture.

mod graph;
mod imports;
mod rules;
mod tokens;
mod tree;

use std::collections::BTreeMap;
use std::path::Path;

use graph::Graph;
use rules::Rule;
use tree::{Target, Tree};

use crate::error::Error;
use crate::workspace;

pub(crate) fn run() -> Result<(), Error> {
    let root = Path::new("sdk").join("src").join("lib.rs");
    let house = House::of(&Tree::read(&workspace::root().join(root))?);
    let problems = house.problems();
    if let Some(circle) = house.graph.circle() {
        println!("circle: {}", circle.join(" → "));
        for pair in circle.windows(2) {
            println!("  {}: {} imports {}", house.places[&(pair[0].clone(), pair[1].clone())], pair[0], pair[1]);
        }
        return Err(Error::Circle);
    }
    print!("{}", house.graph.draw());
    if problems.is_empty() {
        return Ok(());
    }
    println!();
    for problem in &problems {
        println!("{problem}");
    }
    Err(Error::Layers { problems: problems.len() })
}

/// The rooms, and what they import from each other and from other crates.
#[derive(Debug, Default)]
struct House {
    graph: Graph,
    /// Where, as `file:line`, the first room first imports the second.
    places: BTreeMap<(String, String), String>,
    /// Where a room first names another crate.
    foreign: BTreeMap<(String, String), String>,
    /// A file of each room.
    files: BTreeMap<String, String>,
}

impl House {
    fn of(tree: &Tree) -> Self {
        let mut house = Self::default();
        for (path, module) in &tree.modules {
            let Some(room) = room(path) else { continue };
            let file = module.file.strip_prefix(workspace::root()).unwrap_or(&module.file).display().to_string();
            house.graph.add_room(&room);
            house.files.entry(room.clone()).or_insert_with(|| file.clone());
            for import in &module.imports {
                let place = format!("{file}:{}", import.line);
                let target = match tree.target(path, &import.path) {
                    Target::Foreign(name) => {
                        house.foreign.entry((room.clone(), name)).or_insert(place);
                        continue;
                    }
                    Target::Module(target) => target,
                };
                // A room shows what is in its files under its own name: that is no knowledge of them.
                let shows_its_own = import.is_public && target.starts_with(path);
                let Some(known) = self::room(&target).filter(|known| *known != room && !shows_its_own) else {
                    continue;
                };
                house.graph.add(&room, &known);
                house.places.entry((room.clone(), known)).or_insert(place);
            }
        }
        house
    }

    /// Each import that the table does not allow, and each room that it does not have.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (room, file) in self.files.iter().filter(|(room, _)| Rule::of(room).is_none()) {
            problems
                .push(format!("{file}: {room} has no row in xtask/src/layers/rules.rs: say there what it may know"));
        }
        for ((room, known), place) in &self.places {
            if Rule::of(room).is_some_and(|rule| !rule.allows(known)) {
                problems.push(format!("{place}: {room} must not know {known}"));
            }
        }
        for ((room, name), place) in &self.foreign {
            if Rule::of(room).is_some_and(|rule| rule.never.contains(&name.as_str())) {
                problems.push(format!("{place}: {room} must not know the crate {name}"));
            }
        }
        problems
    }
}

/// The room that a module belongs to; none for the crate's root: it only shows what is in the rooms, and what it defines itself, such as
/// `BoxError`, all may know.
fn room(path: &[String]) -> Option<String> {
    match path {
        [] => None,
        [room, part, ..] => {
            let part = format!("{room}::{part}");
            Some(if Rule::of(&part).is_some() { part } else { room.clone() })
        }
        [room] => Some(room.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::tree::tests::tree_of;
    use super::*;

    #[test]
    fn a_room_that_imports_what_it_must_not_is_told_with_its_line() {
        let house = House::of(&tree_of(&[
            ("lib.rs", "pub mod host;\nmod leadership;\npub type BoxError = u8;"),
            ("host/mod.rs", "use crate::BoxError;\n\nfn f(term: &crate::leadership::Term, client: kube::Client) {}"),
            ("leadership/mod.rs", "mod term;\npub use term::Term;"),
            ("leadership/term.rs", "pub struct Term;"),
        ]));
        let problems = house.problems();
        let [known, foreign] = problems.as_slice() else { panic!("two problems: {problems:?}") };
        assert!(known.ends_with("host/mod.rs:3: host must not know leadership::term"), "{known}");
        assert!(foreign.ends_with("host/mod.rs:3: host must not know the crate kube"), "{foreign}");
    }

    #[test]
    fn a_room_without_a_row_is_told() {
        let problems = House::of(&tree_of(&[("lib.rs", "mod utils;"), ("utils.rs", "")])).problems();
        assert!(problems.len() == 1 && problems[0].contains("utils has no row"), "{problems:?}");
    }

    #[test]
    fn a_circle_through_a_re_export_is_found() {
        let house = House::of(&tree_of(&[
            ("lib.rs", "mod cache;\nmod controller;\npub use controller::Context;"),
            ("cache.rs", "use crate::Context;"),
            ("controller.rs", "use crate::cache::Store;\npub struct Context;"),
        ]));
        assert_eq!(house.graph.circle().unwrap(), ["cache", "controller", "cache"]);
    }

    #[test]
    fn files_with_a_row_are_rooms_and_what_is_shown_of_them_is_no_import() {
        let house = House::of(&tree_of(&[
            ("lib.rs", "mod leadership;"),
            ("leadership/mod.rs", "mod term;\nmod clock;\npub use term::Term;"),
            ("leadership/term.rs", "use super::clock::Clock;\npub struct Term;"),
            ("leadership/clock.rs", "pub struct Clock;\n#[cfg(test)]\nmod tests { use super::super::Term; }"),
        ]));
        assert_eq!(
            house.graph.draw(),
            " 1  leadership::term   → leadership::clock\n 0  leadership\n 0  leadership::clock\n"
        );
        assert_eq!(house.problems(), Vec::<String>::new());
    }
}
