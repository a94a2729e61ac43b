//! Strategic merge patches of built-in kinds: merge patches that know how the items of lists are told apart.
//!
//! As in <https://github.com/kubernetes/design-proposals-archive/blob/main/cli/preserve-order-in-strategic-merge-patch.md>; follows
//! apimachinery's `strategicpatch`, its errors too.

mod lists;
mod order;

use serde_json::{Map, Value};

use self::lists::ListMeta;
use super::go;
use super::status::Status;
use super::types::{Shape, Type};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
const ORDER: &str = "$setElementOrder";

type Fields = Map<String, Value>;

/// Why a patch cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Its directives are not formed as they should be.
    Format(&'static str),
    /// It does not make sense: the server calls it an error of its own.
    Sense(String),
}

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Format(message) => Self::bad_request(message),
            Problem::Sense(message) => Self::internal(message),
        }
    }
}

/// Merges `patch` into `object`, which is of this type; without a type, lists are replaced.
pub(crate) fn merge(of: Option<&Type>, object: Fields, patch: &Fields) -> Result<Fields, Problem> {
    match patch.get(DIRECTIVE) {
        None => {}
        Some(directive) if directive == "replace" => {
            let rest = patch.iter().filter(|(name, _)| *name != DIRECTIVE);
            return Ok(rest.map(|(name, value)| (name.clone(), value.clone())).collect());
        }
        Some(directive) if directive == "delete" => return Ok(Fields::new()),
        Some(other) => return Err(unknown_directive(other, patch)),
    }
    let (mut object, mut patch) = (object, patch.clone());
    retain_keys(&mut object, &mut patch)?;
    order::set(of, &mut object, &mut patch)?;
    for (name, value) in patch {
        match name.strip_prefix(DELETE_FROM) {
            Some(rest) => {
                let list = rest.strip_prefix('/').ok_or(Problem::Format("invalid patch format of primitive list"))?;
                delete_from(of, &mut object, list, value)?;
            }
            None => field(of, &mut object, name, value)?,
        }
    }
    Ok(object)
}

fn unknown_directive(directive: &Value, patch: &Fields) -> Problem {
    let patch = go::shown(&Value::Object(patch.clone()));
    Problem::Sense(format!("unknown patch type: {} in map: {patch}", go::shown(directive)))
}

/// Drops what the patch does not say to retain.
fn retain_keys(object: &mut Fields, patch: &mut Fields) -> Result<(), Problem> {
    const BAD: Problem = Problem::Format("invalid patch format of retainKeys");
    let Some(retained) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let retained = retained.as_array().ok_or(BAD)?;
    let is_retained = |name: &str| retained.iter().any(|kept| kept == name);
    let is_set = |(name, value): &(&String, &Value)| {
        !value.is_null() && !name.starts_with(DELETE_FROM) && !name.starts_with(ORDER)
    };
    if patch.iter().filter(is_set).any(|(name, _)| !is_retained(name)) {
        return Err(BAD);
    }
    object.retain(|name, _| is_retained(name));
    Ok(())
}

fn field(of: Option<&Type>, object: &mut Fields, name: String, value: Value) -> Result<(), Problem> {
    let shape = of.and_then(|of| of.fields.get(&name));
    let merged = match (object.remove(&name), value) {
        (_, Value::Null) => return Ok(()),
        (Some(Value::Object(had)), Value::Object(patch)) => {
            let of = match shape {
                Some(Shape::Map { .. }) | None => None,
                Some(shape) => shape.object(),
            };
            Some(Value::Object(merge(of, had, &patch)?))
        }
        (Some(Value::Array(had)), Value::Array(patch)) => {
            Some(Value::Array(lists::merge(ListMeta::of(shape), had, patch)?))
        }
        (_, value) => without_directives(without_nulls(value)),
    };
    if let Some(merged) = merged {
        object.insert(name, merged);
    }
    Ok(())
}

fn delete_from(of: Option<&Type>, object: &mut Fields, list: &str, gone: Value) -> Result<(), Problem> {
    if let (Some(Value::Array(had)), Value::Array(gone)) = (object.get_mut(list), gone) {
        let meta = ListMeta::of(of.and_then(|of| of.fields.get(list)));
        *had = lists::delete(meta, std::mem::take(had), gone)?;
    }
    Ok(())
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(fields.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

/// What a patch says of merging is not part of what it adds.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.contains_key(DIRECTIVE) => None,
        Value::Object(fields) => {
            let kept = fields.into_iter().filter_map(|(name, value)| Some((name, without_directives(value)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(without_directives).collect())),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(of: &str, object: &Value, patch: &Value) -> Result<Value, Problem> {
        let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
        merge(Type::of(of), fields(object), &fields(patch)).map(Value::Object)
    }

    fn patched(pod_spec: &Value, patch: &Value) -> Value {
        merged("core.v1.PodSpec", pod_spec, patch).unwrap()
    }

    #[test]
    fn containers_are_merged_by_name() {
        let spec = json!({"containers": [{"name": "a", "image": "1", "tty": true}, {"name": "b", "image": "1"}]});
        let patch = json!({"containers": [{"name": "c", "image": "3"}, {"name": "a", "image": "2"}, {"name": "b", "$patch": "delete"}]});
        let containers = json!([{"name": "c", "image": "3"}, {"name": "a", "image": "2", "tty": true}]);
        assert_eq!(patched(&spec, &patch), json!({"containers": containers}));
    }

    #[test]
    fn lists_of_one_piece_are_replaced() {
        let spec = json!({"tolerations": [{"key": "a"}], "nodeName": "n"});
        let patch = json!({"tolerations": [{"key": "b"}], "nodeName": null});
        assert_eq!(patched(&spec, &patch), json!({"tolerations": [{"key": "b"}]}));
    }

    #[test]
    fn directives_replace_and_put_in_order() {
        let spec = json!({"containers": [{"name": "a"}, {"name": "b"}]});
        let order = json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]});
        assert_eq!(patched(&spec, &order), json!({"containers": [{"name": "b"}, {"name": "a"}]}));
        let replace = json!({"containers": [{"$patch": "replace"}, {"name": "c"}]});
        assert_eq!(patched(&spec, &replace), json!({"containers": [{"name": "c"}]}));
    }

    #[test]
    fn finalizers_are_added_and_taken_out_one_by_one() {
        let metadata = json!({"finalizers": ["a", "b"]});
        let patch = json!({"finalizers": ["c"], "$deleteFromPrimitiveList/finalizers": ["a"]});
        assert_eq!(merged("meta.v1.ObjectMeta", &metadata, &patch), Ok(json!({"finalizers": ["c", "b"]})));
    }

    #[test]
    fn what_the_patch_does_not_know_keeps_its_place() {
        let spec = json!({"containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}]});
        let order = json!({"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}]});
        let containers = json!([{"name": "b"}, {"name": "c"}, {"name": "a"}]);
        assert_eq!(patched(&spec, &order), json!({"containers": containers}));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let spec = json!({"containers": [{"name": "a"}]});
        let problem = |patch: Value| merged("core.v1.PodSpec", &spec, &patch).unwrap_err();
        let sing = Problem::Sense("unknown patch type: sing in map: map[$patch:sing name:a]".to_owned());
        assert_eq!(problem(json!({"containers": [{"name": "a", "$patch": "sing"}]})), sing);
        let without_key = Problem::Sense("map: map[image:i] does not contain declared merge key: name".to_owned());
        assert_eq!(problem(json!({"containers": [{"image": "i"}]})), without_key);
        let retained = Problem::Format("invalid patch format of retainKeys");
        assert_eq!(problem(json!({"$retainKeys": "containers"})), retained);
    }
}
