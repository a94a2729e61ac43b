//! Sets without duplicates, list maps without two items of the same keys, embedded objects that say what they are.

use serde_json::{Map, Value};

use super::causes;
use crate::cluster::status::Cause;

/// What is wrong with the lists and the embedded objects below `value`.
pub(super) fn validate(schema: &Value, value: &Value, path: &str) -> Vec<Cause> {
    let mut found = Vec::new();
    embedded(schema, value, path, &mut found);
    duplicates(schema, value, path, &mut found);
    found
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Calls `each` for all that lies directly below.
fn descend(schema: &Value, value: &Value, path: &str, mut each: impl FnMut(&Value, &Value, &str)) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (schema["properties"].get(name), &schema["additionalProperties"]) {
                    (Some(of), _) => each(of, value, &below(path, name)),
                    (None, of @ Value::Object(_)) => each(of, value, &format!("{path}[{name}]")),
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each(&schema["items"], item, &format!("{path}[{index}]"));
            }
        }
        _ => {}
    }
}

fn embedded(schema: &Value, value: &Value, path: &str, found: &mut Vec<Cause>) {
    if schema["x-kubernetes-embedded-resource"] == true && value.is_object() {
        for name in ["apiVersion", "kind"] {
            if value[name].as_str().is_none_or(str::is_empty) {
                found.push(Cause::required(below(path, name), ""));
            }
        }
    }
    descend(schema, value, path, |schema, value, path| embedded(schema, value, path, found));
}

fn duplicates(schema: &Value, value: &Value, path: &str, found: &mut Vec<Cause>) {
    if let Value::Array(items) = value {
        match schema["x-kubernetes-list-type"].as_str() {
            Some("set") => tell_twice(items, path, found),
            Some("map") => {
                let keys: Vec<&str> = schema["x-kubernetes-list-map-keys"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                let key_of = |item: &Value| -> Map<String, Value> {
                    keys.iter().filter_map(|key| Some(((*key).to_owned(), item.get(*key)?.clone()))).collect()
                };
                let identities: Vec<Value> = items.iter().map(|item| Value::Object(key_of(item))).collect();
                tell_twice(&identities, path, found);
            }
            _ => {}
        }
    }
    descend(schema, value, path, |schema, value, path| duplicates(schema, value, path, found));
}

/// Each value that is there twice is told once, where it is there for the second time.
fn tell_twice(values: &[Value], path: &str, found: &mut Vec<Cause>) {
    for (index, value) in values.iter().enumerate() {
        if values[..index].iter().filter(|earlier| *earlier == value).count() == 1 {
            found.push(causes::duplicate(&format!("{path}[{index}]"), value));
        }
    }
}
