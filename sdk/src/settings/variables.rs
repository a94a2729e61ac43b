//! The layers of texts: environment variables and `--set`.

use super::node::Node;
use super::problems::{Layer, Origin, Problem, Problems, printable};

/// Between the levels of a key in a variable's name, where `:` is not allowed.
const VARIABLE_SEPARATOR: &str = "__";
const SEPARATOR: char = ':';

/// `below`, which is what lower layers say of `section`, with the variables `<section>__…` on it.
pub(super) fn with_variables(
    below: Node,
    section: &str,
    variables: &[(String, String)],
    problems: &mut Problems,
) -> Node {
    let mut of_section: Vec<(&str, &str, Vec<&str>)> = variables
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str(), path_in(section, name)?)))
        .collect();
    // Parents before children, so that the deeper key counts; and the environment has no order that would mean anything.
    of_section.sort_by_key(|(name, _, _)| name.to_lowercase());
    problems.extend(of_section.windows(2).filter_map(|pair| ambiguous(&pair[0], &pair[1])));
    of_section.into_iter().fold(below, |below, (name, value, path)| {
        if path.iter().any(|level| level.is_empty()) {
            let problem = Problem::new(name, "expected a name between `__` and after it");
            problems.push(problem.with_origin(&Origin::variable(name)));
            return below;
        }
        below.merge(Node::text(value, Origin::variable(name)).nested(&path))
    })
}

/// The levels of a variable's name below `section`. A variable of the section's own name is somebody else's.
fn path_in<'a>(section: &str, name: &'a str) -> Option<Vec<&'a str>> {
    let mut levels = name.split(VARIABLE_SEPARATOR);
    let first = levels.next()?;
    let path: Vec<&str> = levels.collect();
    (first.to_lowercase() == section.to_lowercase() && !path.is_empty()).then_some(path)
}

/// Two variables that differ in case only: neither comes after the other.
fn ambiguous(one: &(&str, &str, Vec<&str>), other: &(&str, &str, Vec<&str>)) -> Option<Problem> {
    let ((one, one_value, _), (other, other_value, _)) = (one, other);
    let differ = one.to_lowercase() == other.to_lowercase() && one_value != other_value;
    let message = || format!("the variable {one} is the same key, with another value: expected one of them");
    differ.then(|| {
        Problem::new(other.replace(VARIABLE_SEPARATOR, ":"), message())
            .with_value(*other_value, &Origin::variable(other))
    })
}

/// `below` with what `--set` says of `section` on it, in the order in which it was given.
pub(super) fn with_overrides(below: Node, section: &str, set: &[(String, String)]) -> Node {
    let origin = Origin::new(Layer::CommandLine, "command line");
    set.iter().fold(below, |below, (key, value)| {
        let levels: Vec<&str> = key.split(SEPARATOR).map(str::trim).collect();
        match levels.split_first() {
            Some((first, path)) if first.to_lowercase() == section.to_lowercase() => {
                below.merge(Node::text(value, origin.clone()).nested(path))
            }
            _ => below,
        }
    })
}

/// What is wrong with the keys of `--set`.
pub(super) fn check_overrides(set: &[(String, String)]) -> Problems {
    let mut problems = Problems::new();
    for (key, value) in set {
        let wrong = if key.split(SEPARATOR).any(|level| level.trim().is_empty()) {
            "expected the levels of a key, such as KubeOps:LeaderElectionId".to_owned()
        } else if !key.contains(SEPARATOR) && key.contains(VARIABLE_SEPARATOR) {
            format!("`:` separates levels here; expected {}", key.replace(VARIABLE_SEPARATOR, ":"))
        } else {
            continue;
        };
        problems.push(Problem::new(format!("--set {key}={}", printable(key, value)), wrong));
    }
    problems
}
