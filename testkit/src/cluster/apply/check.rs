//! Whether an applied object can be merged at all: list maps without their keys, items that are there twice, fields that nobody knows.

use std::collections::BTreeSet;

use serde_json::Value;

use super::path::Step;
use super::place::{Form, Place};
use crate::cluster::go;

/// What is wrong, as the server puts it.
pub(super) fn check(place: Place<'_>, value: &Value) -> Result<(), String> {
    let mut problems = Vec::new();
    walk(place, value, "", &mut problems);
    match problems.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => Err(format!("errors:\n  {}", many.join("\n  "))),
    }
}

fn walk(place: Place<'_>, value: &Value, path: &str, problems: &mut Vec<String>) {
    if let Some(wanted) = place.scalar() {
        if !is_a(value, wanted) {
            problems.push(format!("{path}: {}", expected(wanted, value)));
        }
        return;
    }
    match (value, place.form(value)) {
        (Value::Object(fields), _) => {
            for (name, value) in fields {
                let (below, declared) = place.field(name);
                let path = format!("{path}.{name}");
                if !declared && place.is_closed() {
                    problems.push(format!("{path}: field not declared in schema"));
                } else {
                    walk(below, value, &path, problems);
                }
            }
        }
        (Value::Array(items), Form::Items(list)) => {
            let mut seen: BTreeSet<Step> = BTreeSet::new();
            for (index, item) in items.iter().enumerate() {
                match list.step(item) {
                    Err(problem) => problems.push(format!("{path}: element {index}: {problem}")),
                    Ok(step) if seen.contains(&step) => {
                        problems.push(format!("{path}: duplicate entries for key {step}"));
                    }
                    Ok(step) => {
                        walk(list.item, item, &format!("{path}{step}"), problems);
                        seen.insert(step);
                    }
                }
            }
        }
        (Value::Array(items), _) => {
            let item = place.item();
            items
                .iter()
                .enumerate()
                .for_each(|(index, value)| walk(item, value, &format!("{path}[{index}]"), problems));
        }
        _ => {}
    }
}

/// Of what should be a number, the server tells the type, else the value.
fn expected(wanted: &str, value: &Value) -> String {
    match wanted {
        "numeric" => format!("expected numeric (int or float), got {}", go::type_of(value)),
        _ => format!("expected {wanted}, got &value.valueUnstructured{{Value:{value}}}"),
    }
}

fn is_a(value: &Value, wanted: &str) -> bool {
    match value {
        Value::Null => true,
        Value::String(_) => wanted == "string",
        Value::Bool(_) => wanted == "boolean",
        Value::Number(_) => wanted == "numeric",
        Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::kind;
    use super::*;

    fn problem(value: &Value) -> String {
        check(Place::of(&kind("v1", "Pod")), value).unwrap_err()
    }

    #[test]
    fn problems_are_told_as_the_server_tells_them() {
        assert_eq!(problem(&json!({"foo": 1})), ".foo: field not declared in schema");
        assert_eq!(
            problem(&json!({"metadata": {"finalizers": ["a/b", "a/b"]}})),
            r#".metadata.finalizers: duplicate entries for key [="a/b"]"#
        );
        assert_eq!(
            problem(&json!({"metadata": {"labels": {"x": 3}}})),
            ".metadata.labels.x: expected string, got &value.valueUnstructured{Value:3}"
        );
        let owners = json!({"metadata": {"ownerReferences": [3]}});
        let wrong = ".metadata.ownerReferences: element 0: associative list with keys may not have non-map elements";
        assert_eq!(problem(&owners), wrong);
    }

    #[test]
    fn quantities_and_ports_may_be_numbers_or_strings() {
        let of =
            |limit: Value| json!({"spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": limit}}}]}});
        check(Place::of(&kind("v1", "Pod")), &of(json!(1))).unwrap();
        check(Place::of(&kind("v1", "Pod")), &of(json!("1"))).unwrap();
    }
}
