//! Binds a section to a type of the program's own, and finds all that is wrong with it.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::deserializer::NodeDeserializer;
use super::failure::{Failure, folded};
use super::node::Node;
use super::problems::{Problem, Problems};

/// Reads `node`, which is at `path`, as a `T`.
///
/// serde stops at the first error. So what is wrong is noted and left out, and the rest is read again, until there is
/// nothing left to find: each round leaves one more value out, so that it ends.
pub(super) fn bind<T: DeserializeOwned>(node: &Node, path: &str) -> Result<T, Problems> {
    let mut problems = Problems::new();
    let mut left_out = BTreeSet::new();
    loop {
        let failure = match T::deserialize(NodeDeserializer::new(node.clone(), path, &left_out)) {
            Ok(value) => return problems.or(value),
            Err(failure) => failure.at(path, node),
        };
        let at = failure.path.clone().unwrap_or_default();
        if !is_told(&failure, &at, &left_out) {
            problems.push(problem(failure));
        }
        let new = left_out.insert(folded(&at));
        if !new || folded(&at) == folded(path) {
            return Err(problems);
        }
    }
}

/// Whether the failure only follows from a value that is left out because it is wrong itself.
fn is_told(failure: &Failure, at: &str, left_out: &BTreeSet<String>) -> bool {
    let below = match failure.missing {
        Some(field) => folded(&format!("{at}:{field}")),
        None => folded(at) + ":",
    };
    left_out.iter().any(|told| match failure.missing {
        Some(_) => *told == below,
        None => told.starts_with(&below),
    })
}

fn problem(failure: Failure) -> Problem {
    let at = failure.path.unwrap_or_default();
    match (failure.missing, failure.found) {
        (Some(field), _) => Problem::new(format!("{at}:{field}"), "is missing"),
        (None, Some((Some(value), origin))) => Problem::new(at, failure.message).with_value(value, &origin),
        (None, Some((None, origin))) => Problem::new(at, failure.message).with_origin(&origin),
        (None, None) => Problem::new(at, failure.message),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use serde::Deserialize;

    use super::super::problems::{Layer, Origin};
    use super::*;

    fn section(json: &str) -> Node {
        super::super::file::parse(json, "appsettings.json", Layer::File).unwrap()
    }

    fn bound<T: DeserializeOwned>(json: &str) -> Result<T, Vec<String>> {
        bind(&section(json), "App").map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        host: String,
        port: u16,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        ReadOnly,
        Limited { rate: f64 },
        Named(String),
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct App {
        max_items: u32,
        enabled: bool,
        ratio: f32,
        timeout: Duration,
        mode: Mode,
        note: Option<String>,
        inner: Inner,
        tags: Vec<String>,
        by_port: BTreeMap<u16, bool>,
        pair: (i8, char),
    }

    const GOOD: &str = r#"{ MaxItems: "4", ENABLED: "True", ratio: 1, Timeout: "1m30s", mode: "ReadOnly", note: null,
        inner: { Host: 5, port: 80 }, tags: ["a", "b"], by_port: { "80": true }, pair: ["-3", "x"], unknown: 1 }"#;

    #[test]
    fn texts_are_read_as_what_the_field_is() {
        let app: App = bound(GOOD).unwrap();
        assert_eq!((app.max_items, app.enabled, app.ratio), (4, true, 1.0));
        assert_eq!(app.timeout, Duration::from_secs(90));
        assert_eq!((app.mode, app.note, app.inner), (Mode::ReadOnly, None, Inner { host: "5".into(), port: 80 }));
        assert_eq!((app.tags.len(), app.by_port[&80], app.pair), (2, true, (-3, 'x')));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = r#"{ MaxItems: -4, enabled: "yes", ratio: "x", timeout: "soon", mode: "Fast", inner: { Host: "h", Port: 70000 },
            tags: "a", by_port: { x: true, "1": 2 }, pair: ["-3"] }"#;
        let problems = bound::<App>(wrong).unwrap_err();
        let keys: Vec<&str> = problems.iter().filter_map(|p| p.split(' ').next()).collect();
        let expected = [
            "App:MaxItems",
            "App:enabled",
            "App:ratio",
            "App:timeout",
            "App:mode",
            "App:inner:Port",
            "App:tags",
            "App:by_port:x",
            "App:by_port:1",
            "App:pair",
        ];
        for key in expected {
            assert!(keys.iter().any(|found| found.trim_end_matches(':') == key), "{key} is not in {problems:#?}");
        }
        assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    }

    #[test]
    fn a_problem_tells_value_range_and_file() {
        let problems = bound::<Inner>(r#"{ host: "h", port: 70000 }"#).unwrap_err();
        assert_eq!(problems, [r#"App:port is "70000" (appsettings.json): expected a whole number from 0 to 65535"#]);
    }

    #[test]
    fn missing_fields_are_told_but_not_those_whose_value_is_wrong() {
        assert_eq!(bound::<Inner>("{ port: 1 }").unwrap_err(), ["App:host: is missing"]);
        let both = bound::<Inner>("{ port: 'x' }").unwrap_err();
        assert_eq!(both.len(), 2, "{both:?}");
    }

    #[test]
    fn a_section_that_is_not_there_is_an_empty_one() {
        #[derive(Debug, Default, Deserialize, PartialEq)]
        #[serde(default)]
        struct Defaulted {
            items: Vec<String>,
        }
        let nothing = Node::null(Origin::default_value());
        assert_eq!(bind::<Defaulted>(&nothing, "App").unwrap(), Defaulted::default());
    }

    #[test]
    fn unknown_keys_are_a_problem_where_the_type_denies_them() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code)]
        struct Strict {
            theme: Option<String>,
            colour: Option<String>,
        }
        let problems = bound::<Strict>("{ Tehme: 'dark', Other: 1, theme: ['x'] }").unwrap_err();
        assert_eq!(problems.len(), 3, "{problems:#?}");
        assert!(
            problems.iter().any(|p| p.starts_with("App:Tehme") && p.contains("did you mean theme?")),
            "{problems:#?}"
        );
    }

    #[test]
    fn one_field_in_two_spellings_is_a_problem_in_one_file_and_an_override_in_two_layers() {
        let problems = bound::<Inner>("{ HOST: 'a', h_ost: 'b', port: 1 }").unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert!(problems[0].contains("given twice"), "{problems:#?}");
        let above = Node::text("b", Origin::variable("App__H_ost")).nested(&["H_ost"]);
        let inner: Inner = bind(&section("{ host: 'a', port: 1 }").merge(above), "App").unwrap();
        assert_eq!(inner.host, "b");
    }

    #[test]
    fn enums_are_matched_by_name_or_by_the_one_key_of_a_section() {
        assert_eq!(
            bound::<BTreeMap<String, Mode>>("{ a: { Limited: { Rate: '0.5' } } }").unwrap()["a"],
            Mode::Limited { rate: 0.5 }
        );
        assert_eq!(bound::<BTreeMap<String, Mode>>("{ a: { NAMED: 7 } }").unwrap()["a"], Mode::Named("7".into()));
    }

    #[test]
    fn untagged_and_flattened_types_see_values_as_they_are_written() {
        #[derive(Debug, Deserialize, PartialEq)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            List(Vec<bool>),
        }
        let read = bound::<BTreeMap<String, Either>>("{ a: 5, b: [true] }").unwrap();
        assert_eq!((&read["a"], &read["b"]), (&Either::Number(5), &Either::List(vec![true])));
    }
}
