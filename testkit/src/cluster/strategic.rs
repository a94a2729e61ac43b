//! Strategic merge patches of built-in kinds: merge patches that know how the items of lists are told apart.
//!
//! As in <https://github.com/kubernetes/design-proposals-archive/blob/main/cli/preserve-order-in-strategic-merge-patch.md> and
//! apimachinery's `strategicpatch`.

use serde_json::{Map, Value};

use super::types::{Shape, Type};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

/// Merges `patch` into `object`, which is of this type; without a type, lists are replaced.
pub(crate) fn merge(of: Option<&Type>, object: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *object = patch.clone();
        return;
    };
    match patch.get(DIRECTIVE).and_then(Value::as_str) {
        Some("replace") => {
            let rest = patch.iter().filter(|(name, _)| *name != DIRECTIVE);
            *object = Value::Object(rest.map(|(name, value)| (name.clone(), value.clone())).collect());
            return;
        }
        Some("delete") => {
            *object = Value::Object(Map::new());
            return;
        }
        _ => {}
    }
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let Value::Object(fields) = object else { return };
    if let Some(retained) = patch.get(RETAIN_KEYS).and_then(Value::as_array) {
        fields.retain(|name, _| retained.iter().any(|kept| kept == name));
    }
    for (name, value) in patch {
        if let Some(list) = name.strip_prefix(DELETE_FROM) {
            delete_items(fields, list, value);
        } else if !name.starts_with('$') {
            field(of.and_then(|of| of.fields.get(name)), fields, name, value);
        }
    }
    for (name, order) in patch {
        if let Some(list) = name.strip_prefix(ORDER) {
            let shape = of.and_then(|of| of.fields.get(list));
            reorder(shape, fields.get_mut(list), order);
        }
    }
}

fn field(shape: Option<&Shape>, fields: &mut Map<String, Value>, name: &str, value: &Value) {
    match (value, shape) {
        (Value::Null, _) => drop(fields.remove(name)),
        (Value::Object(_), shape) => {
            let place = fields.entry(name).or_insert(Value::Null);
            merge(shape.and_then(Shape::object), place, value);
        }
        (Value::Array(items), Some(Shape::List { of, merge: key, strategy, .. })) if merges(strategy.as_deref()) => {
            let place = fields.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            merge_list(of.object(), key.as_deref(), place, items);
        }
        _ => drop(fields.insert(name.to_owned(), value.clone())),
    }
}

fn merges(strategy: Option<&str>) -> bool {
    strategy.is_some_and(|strategy| strategy.split(',').any(|part| part == "merge"))
}

fn merge_list(of: Option<&Type>, key: Option<&str>, place: &mut Value, patch: &[Value]) {
    if patch.iter().any(|item| item[DIRECTIVE] == "replace") {
        *place = patch.iter().filter(|item| item[DIRECTIVE] != "replace").cloned().collect();
        return;
    }
    if !place.is_array() {
        *place = Value::Array(Vec::new());
    }
    let Value::Array(items) = place else { return };
    for item in patch {
        let same = |had: &Value| key.map_or_else(|| had == item, |key| had[key] == item[key]);
        match items.iter().position(same) {
            Some(at) if item[DIRECTIVE] == "delete" => drop(items.remove(at)),
            Some(at) if key.is_some() => {
                if let Some(had) = items.get_mut(at) {
                    merge(of, had, item);
                }
            }
            Some(_) => {}
            None if item[DIRECTIVE] == "delete" => {}
            None => {
                // What it says of merging is not part of it.
                let mut new = Value::Null;
                merge(of, &mut new, item);
                items.push(if item.is_object() { new } else { item.clone() });
            }
        }
    }
}

fn delete_items(fields: &mut Map<String, Value>, list: &str, gone: &Value) {
    let gone = gone.as_array().map_or(&[][..], Vec::as_slice);
    if let Some(Value::Array(items)) = fields.get_mut(list) {
        items.retain(|item| !gone.contains(item));
    }
}

/// Items that the order names stand in that order, others after them as they were.
fn reorder(shape: Option<&Shape>, list: Option<&mut Value>, order: &Value) {
    let (Some(Value::Array(items)), Value::Array(order)) = (list, order) else { return };
    let key = match shape {
        Some(Shape::List { merge, .. }) => merge.as_deref(),
        _ => None,
    };
    let place = |item: &Value| {
        let same = |wanted: &Value| key.map_or_else(|| wanted == item, |key| wanted[key] == item[key]);
        order.iter().position(same).unwrap_or(order.len())
    };
    items.sort_by_key(place);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(mut pod_spec: Value, patch: &Value) -> Value {
        merge(Type::of("core.v1.PodSpec"), &mut pod_spec, patch);
        pod_spec
    }

    #[test]
    fn containers_are_merged_by_name() {
        let spec = json!({"containers": [{"name": "a", "image": "1", "tty": true}, {"name": "b", "image": "1"}]});
        let patch = json!({"containers": [{"name": "c", "image": "3"}, {"name": "a", "image": "2"}, {"name": "b", "$patch": "delete"}]});
        let containers = json!([{"name": "a", "image": "2", "tty": true}, {"name": "c", "image": "3"}]);
        assert_eq!(patched(spec, &patch), json!({"containers": containers}));
    }

    #[test]
    fn lists_of_one_piece_are_replaced() {
        let spec = json!({"tolerations": [{"key": "a"}], "nodeName": "n"});
        let patch = json!({"tolerations": [{"key": "b"}], "nodeName": null});
        assert_eq!(patched(spec, &patch), json!({"tolerations": [{"key": "b"}]}));
    }

    #[test]
    fn directives_replace_and_put_in_order() {
        let spec = json!({"containers": [{"name": "a"}, {"name": "b"}]});
        let order = json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]});
        assert_eq!(patched(spec.clone(), &order), json!({"containers": [{"name": "b"}, {"name": "a"}]}));
        let replace = json!({"containers": [{"$patch": "replace"}, {"name": "c"}]});
        assert_eq!(patched(spec, &replace), json!({"containers": [{"name": "c"}]}));
    }

    #[test]
    fn finalizers_are_added_and_taken_out_one_by_one() {
        let mut metadata = json!({"finalizers": ["a", "b"]});
        let patch = json!({"finalizers": ["c"], "$deleteFromPrimitiveList/finalizers": ["a"]});
        merge(Type::of("meta.v1.ObjectMeta"), &mut metadata, &patch);
        assert_eq!(metadata, json!({"finalizers": ["b", "c"]}));
    }
}
