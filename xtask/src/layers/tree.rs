//! The modules of a crate, and where a path written in one of them leads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::imports::{self, Body, Import};
use super::tokens;
use crate::error::Error;

/// How long a chain of re-exports may be; only a circle of them is longer.
const LONGEST_CHAIN: usize = 16;

/// The names of a module from the crate's root; the root's own is empty.
pub(crate) type ModulePath = Vec<String>;

/// All modules of a crate that are no tests.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) modules: BTreeMap<ModulePath, Module>,
}

#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    pub(crate) imports: Vec<Import>,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// To this module, or to something that is defined in it.
    Module(ModulePath),
    /// To another crate, or to a name that is no module's.
    Foreign(String),
}

impl Tree {
    /// Reads the crate whose root is `root`, module by module as they are declared.
    pub(crate) fn read(root: &Path) -> Result<Self, Error> {
        let mut tree = Self::default();
        let folder = root.parent().unwrap_or(root);
        tree.read_file(Vec::new(), root, folder)?;
        Ok(tree)
    }

    /// Reads the module in `file`; the files of its children are in `folder`.
    fn read_file(&mut self, path: ModulePath, file: &Path, folder: &Path) -> Result<(), Error> {
        let source = fs::read_to_string(file).map_err(Error::io(format!("read {}", file.display())))?;
        self.add(path, imports::of(&tokens::of(&source)), file, folder)
    }

    fn add(&mut self, path: ModulePath, module: imports::Module, file: &Path, folder: &Path) -> Result<(), Error> {
        for child in module.children {
            let mut child_path = path.clone();
            child_path.push(child.name.clone());
            let child_folder = folder.join(&child.name);
            match child.body {
                Body::Here(inner) => self.add(child_path, inner, file, &child_folder)?,
                Body::File { path: Some(given) } => {
                    // Counts from the folder of the file that says so.
                    let child_file = file.parent().unwrap_or(folder).join(given);
                    self.read_file(child_path, &child_file, &child_folder)?;
                }
                Body::File { path: None } => {
                    let alone = folder.join(format!("{}.rs", child.name));
                    let child_file = if alone.is_file() { alone } else { child_folder.join("mod.rs") };
                    self.read_file(child_path, &child_file, &child_folder)?;
                }
            }
        }
        self.modules.insert(path, Module { file: file.to_owned(), imports: module.imports });
        Ok(())
    }

    /// Where `path`, written in module `from`, leads.
    pub(crate) fn target(&self, from: &[String], path: &[String]) -> Target {
        let Some(start) = self.start(from, path) else {
            return Target::Foreign(path.first().cloned().unwrap_or_default());
        };
        self.follow(&start, LONGEST_CHAIN)
    }

    /// The path from the crate's root; `None` if it begins with something else.
    fn start(&self, from: &[String], path: &[String]) -> Option<ModulePath> {
        let (head, rest) = path.split_first()?;
        let mut start = from.to_vec();
        let mut rest = rest;
        match head.as_str() {
            "crate" => start.clear(),
            "self" => {}
            "super" => {
                start.pop();
                while let Some(("super", further)) = rest.split_first().map(|(head, further)| (head.as_str(), further))
                {
                    start.pop();
                    rest = further;
                }
            }
            _ => {
                start.push(head.clone());
                if !self.modules.contains_key(&start) {
                    return None;
                }
            }
        }
        start.extend_from_slice(rest);
        Some(start)
    }

    /// From the root down, as far as there are modules; a name that is a module's import leads on to where that comes from.
    fn follow(&self, path: &[String], steps: usize) -> Target {
        let depth = (0..=path.len()).rev().find(|depth| self.modules.contains_key(&path[..*depth])).unwrap_or(0);
        let (module, names) = path.split_at(depth);
        let imported = names.first().and_then(|name| {
            let imports = &self.modules.get(module)?.imports;
            imports.iter().find(|import| import.name.as_ref() == Some(name))
        });
        let Some(imported) = imported.filter(|_| steps > 0) else { return Target::Module(module.to_vec()) };
        match self.start(module, &imported.path) {
            Some(mut further) => {
                further.extend_from_slice(&names[1..]);
                self.follow(&further, steps - 1)
            }
            // From another crate, by way of this module.
            None => Target::Module(module.to_vec()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A crate of these files; `lib.rs` is its root.
    pub(crate) fn tree_of(files: &[(&str, &str)]) -> Tree {
        let folder = tempfile::tempdir().unwrap();
        for (name, source) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, source).unwrap();
        }
        Tree::read(&folder.path().join("lib.rs")).unwrap()
    }

    fn path(text: &str) -> ModulePath {
        text.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    fn house() -> Tree {
        tree_of(&[
            ("lib.rs", "mod leadership;\nmod host;\npub use leadership::Term;\npub type BoxError = u8;"),
            ("leadership/mod.rs", "mod term;\nmod lock;\npub use term::Term;"),
            ("leadership/term.rs", "pub struct Term;\n#[cfg(test)]\nmod tests;"),
            ("leadership/lock/mod.rs", "mod lease;"),
            ("leadership/lock/lease.rs", "use kube::Client;"),
            ("host.rs", "mod inner { }"),
        ])
    }

    #[test]
    fn modules_are_those_declared_and_no_tests() {
        let tree = house();
        let modules: Vec<String> = tree.modules.keys().map(|path| path.join("::")).collect();
        let expected = [
            "",
            "host",
            "host::inner",
            "leadership",
            "leadership::lock",
            "leadership::lock::lease",
            "leadership::term",
        ];
        assert_eq!(modules, expected);
    }

    #[test]
    fn a_path_leads_through_re_exports_to_where_the_thing_is_defined() {
        let tree = house();
        for written in ["crate::leadership::Term", "crate::Term", "super::Term", "crate::leadership::term::Term::new"] {
            assert_eq!(
                tree.target(&path("host"), &path(written)),
                Target::Module(path("leadership::term")),
                "{written}"
            );
        }
        assert_eq!(
            tree.target(&path("leadership::lock::lease"), &path("super::super::Term")),
            Target::Module(path("leadership::term"))
        );
    }

    #[test]
    fn what_the_root_defines_is_the_roots_and_other_crates_are_foreign() {
        let tree = house();
        assert_eq!(tree.target(&path("host"), &path("crate::BoxError")), Target::Module(path("")));
        assert_eq!(tree.target(&path("host"), &path("kube::Client")), Target::Foreign("kube".to_owned()));
        assert_eq!(tree.target(&path("host"), &path("inner::X")), Target::Module(path("host::inner")));
    }

    #[test]
    fn a_circle_of_re_exports_ends() {
        let tree = tree_of(&[
            ("lib.rs", "mod a;\nmod b;"),
            ("a.rs", "pub use crate::b::X;"),
            ("b.rs", "pub use crate::a::X;"),
        ]);
        assert!(matches!(tree.target(&path("a"), &path("crate::b::X")), Target::Module(_)));
    }
}
