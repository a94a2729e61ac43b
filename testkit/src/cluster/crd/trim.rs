//! Bringing an object to its schema: fields that it does not know go, defaults come.

use serde_json::{Map, Value};

use super::causes;
use crate::cluster::types::Type;

/// What every object has whether its schema names it or not.
const OF_EVERY_OBJECT: [&str; 3] = ["apiVersion", "kind", "metadata"];

const OBJECT_META: &str = "meta.v1.ObjectMeta";

/// Takes out of a whole object what `schema` does not know, and null where none may be; gives the paths of what is unknown, in order.
pub(super) fn prune(schema: &Value, object: &mut Value) -> Vec<String> {
    let mut unknown = Vec::new();
    prune_metadata(object, "", &mut unknown);
    if is_kept(schema) {
        keep_whole(schema, object, "", true, &mut unknown);
    } else {
        prune_value(Some(schema), object, "", true, &mut unknown);
    }
    drop_nulls(schema, object);
    cut_numbers(object);
    unknown.sort();
    unknown
}

fn is_kept(schema: &Value) -> bool {
    schema["x-kubernetes-preserve-unknown-fields"] == true
}

fn is_embedded(schema: &Value) -> bool {
    schema["x-kubernetes-embedded-resource"] == true
}

/// The schema of a field, and whether there is one: fields of maps may be there without.
fn field<'a>(schema: &'a Value, name: &str) -> Option<Option<&'a Value>> {
    match (schema["properties"].get(name), schema.get("additionalProperties")) {
        (Some(field), _) => Some(Some(field)),
        (None, Some(of @ Value::Object(_))) => Some(Some(of)),
        (None, Some(_)) => Some(None),
        (None, None) => None,
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn prune_value(schema: Option<&Value>, value: &mut Value, path: &str, is_whole: bool, unknown: &mut Vec<String>) {
    if let Some(schema) = schema.filter(|schema| is_kept(schema)) {
        return keep_whole(schema, value, path, is_whole || is_embedded(schema), unknown);
    }
    match value {
        Value::Object(fields) => {
            let is_whole = is_whole || schema.is_some_and(is_embedded);
            fields.retain(|name, value| {
                if is_whole && OF_EVERY_OBJECT.contains(&name.as_str()) {
                    return true;
                }
                let path = below(path, name);
                let Some(of) = schema.and_then(|schema| field(schema, name)) else {
                    unknown.push(path);
                    return false;
                };
                prune_value(of, value, &path, false, unknown);
                true
            });
            if schema.is_some_and(is_embedded) {
                prune_metadata(value, path, unknown);
            }
        }
        Value::Array(items) => {
            let of = schema.and_then(|schema| schema.get("items"));
            for (index, item) in items.iter_mut().enumerate() {
                prune_value(of, item, &format!("{path}[{index}]"), false, unknown);
            }
        }
        _ => {}
    }
}

/// Where unknown fields stay, known ones are still looked into.
fn keep_whole(schema: &Value, value: &mut Value, path: &str, is_whole: bool, unknown: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if is_whole && OF_EVERY_OBJECT.contains(&name.as_str()) {
                    continue;
                }
                if let Some(of) = field(schema, name) {
                    prune_value(of, value, &below(path, name), false, unknown);
                }
            }
            if is_embedded(schema) {
                prune_metadata(value, path, unknown);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                keep_whole(&schema["items"], item, &format!("{path}[{index}]"), false, unknown);
            }
        }
        _ => {}
    }
}

/// Metadata is of one type in all objects.
fn prune_metadata(object: &mut Value, path: &str, unknown: &mut Vec<String>) {
    let known = Type::of(OBJECT_META);
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    metadata.retain(|name, _| {
        let is_known = known.is_none_or(|known| known.fields.contains_key(name));
        if !is_known {
            unknown.push(below(path, &format!("metadata.{name}")));
        }
        is_known
    });
}

/// Go writes whole numbers without `.0`.
fn cut_numbers(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(cut_numbers),
        Value::Array(items) => items.iter_mut().for_each(cut_numbers),
        Value::Number(_) => *value = causes::shown(value),
        _ => {}
    }
}

fn may_not_be_null(schema: &Value) -> bool {
    schema["nullable"] != true
}

fn drop_nulls(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => fields.retain(|name, value| {
            let Some(Some(of)) = field(schema, name) else { return true };
            if value.is_null() && may_not_be_null(of) && of["default"].is_null() {
                return false;
            }
            drop_nulls(of, value);
            true
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| drop_nulls(&schema["items"], item)),
        _ => {}
    }
}

/// Fills in what `schema` has defaults for. Null where none may be counts as left out if there is a default, and stays otherwise: as on the
/// real server, an apply that empties a field of a custom resource leaves a null that is then refused.
pub(super) fn default(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, of) in schema["properties"].as_object().into_iter().flatten() {
                fill_field(fields, name, of);
            }
            for (name, value) in fields.iter_mut() {
                let Some(Some(of)) = field(schema, name) else { continue };
                if value.is_null() && may_not_be_null(of) {
                    *value = of["default"].clone();
                }
                default(of, value);
            }
        }
        Value::Array(items) => {
            let of = &schema["items"];
            for item in items {
                if item.is_null() && may_not_be_null(of) {
                    *item = of["default"].clone();
                }
                default(of, item);
            }
        }
        _ => {}
    }
}

fn fill_field(fields: &mut Map<String, Value>, name: &str, schema: &Value) {
    let default = &schema["default"];
    let is_missing = fields.get(name).is_none_or(|value| value.is_null() && may_not_be_null(schema));
    if is_missing && !default.is_null() {
        fields.insert(name.to_owned(), default.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "n": {"type": "integer", "default": 1},
            "maybe": {"type": "string", "nullable": true},
            "text": {"type": "string"},
            "items": {"type": "array", "items": {"type": "object", "properties": {
                "k": {"type": "string"}, "v": {"type": "integer", "default": 7},
            }}},
            "map": {"type": "object", "additionalProperties": {"type": "integer"}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "nested": {"type": "object", "default": {}, "properties": {"x": {"type": "string", "default": "y"}}},
            "embedded": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        }}}})
    }

    fn pruned(spec: &Value) -> (Value, Vec<String>) {
        let mut object = json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a"}, "spec": spec});
        let unknown = prune(&schema(), &mut object);
        (object["spec"].take(), unknown)
    }

    fn defaulted(spec: &Value) -> Value {
        let mut object = json!({"spec": spec});
        prune(&schema(), &mut object);
        default(&schema(), &mut object);
        object["spec"].take()
    }

    #[test]
    fn unknown_fields_go_and_are_told() {
        let (spec, unknown) = pruned(&json!({"foo": 1, "n": 1, "items": [{"k": "a", "z": 1}], "map": {"any": 1}}));
        assert_eq!(spec, json!({"n": 1, "items": [{"k": "a"}], "map": {"any": 1}}));
        assert_eq!(unknown, ["spec.foo", "spec.items[0].z"]);

        let mut object = json!({"bar": 2, "metadata": {"name": "a", "odd": 1}});
        assert_eq!(prune(&schema(), &mut object), ["bar", "metadata.odd"]);
        assert_eq!(object, json!({"metadata": {"name": "a"}}));
    }

    #[test]
    fn what_is_to_be_kept_stays() {
        let spec = json!({"free": {"a": {"b": null}}});
        assert_eq!(pruned(&spec), (spec, vec![]));
        let embedded = json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "a", "foo": 1}, "a": 1});
        let (spec, unknown) = pruned(&json!({"embedded": embedded}));
        assert_eq!(spec["embedded"], json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "a": 1}));
        assert_eq!(unknown, ["spec.embedded.metadata.foo"]);
    }

    #[test]
    fn defaults_fill_what_is_missing_also_inside_of_defaults() {
        assert_eq!(defaulted(&json!({})), json!({"n": 1, "nested": {"x": "y"}}));
        let spec = defaulted(&json!({"n": 2, "items": [{"k": "a"}], "nested": {"x": "z"}}));
        assert_eq!(spec, json!({"n": 2, "items": [{"k": "a", "v": 7}], "nested": {"x": "z"}}));
    }

    #[test]
    fn null_is_as_good_as_nothing_where_it_may_not_be() {
        let spec = defaulted(
            &json!({"n": null, "maybe": null, "text": null, "map": {"a": null}, "free": {"x": null}, "nested": null}),
        );
        assert_eq!(spec, json!({"n": 1, "maybe": null, "map": {}, "free": {"x": null}, "nested": {"x": "y"}}));
    }
}
