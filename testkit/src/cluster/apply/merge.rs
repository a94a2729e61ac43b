//! An applied value merged into the one that is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::compare::common_form;
use super::path::Step;
use super::place::{Form, ListOf, Place};
use super::set::FieldSet;

/// `live` with all that `applied` says. `None` if nothing is left to say.
pub(super) fn merge<'v>(place: Place<'_>, live: Option<&'v Value>, applied: Option<&'v Value>) -> Option<Value> {
    match common_form(place, live, applied) {
        Form::Piece => applied.or(live).cloned(),
        Form::Fields => {
            let (live, applied) = (live.and_then(Value::as_object), applied.and_then(Value::as_object));
            let names: BTreeSet<&String> = live.into_iter().chain(applied).flat_map(Map::keys).collect();
            let merged = names.into_iter().filter_map(|name| {
                let of = |fields: Option<&'v Map<String, Value>>| fields.and_then(|fields| fields.get(name));
                let value = merge(place.field(name).0, of(live), of(applied))?;
                Some((name.clone(), value))
            });
            let merged: Map<String, Value> = merged.collect();
            (!merged.is_empty()).then_some(Value::Object(merged))
        }
        Form::Items(list) => {
            let merged = merge_items(list, &items(list, live), &items(list, applied));
            (!merged.is_empty()).then_some(Value::Array(merged))
        }
    }
}

fn items<'v>(list: ListOf<'_>, value: Option<&'v Value>) -> Vec<(Step, &'v Value)> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| Some((list.step(item).ok()?, item))).collect()
}

/// Items that are only live stay where they are, as far as the order of the applied ones allows.
fn merge_items(list: ListOf<'_>, live: &[(Step, &Value)], applied: &[(Step, &Value)]) -> Vec<Value> {
    let mut live_by_step: BTreeMap<Step, Option<&Value>> = BTreeMap::new();
    for (step, item) in live {
        // Of items that are there twice, none is the one to merge with.
        live_by_step.entry(step.clone()).and_modify(|item| *item = None).or_insert(Some(item));
    }
    let applied_steps: BTreeSet<Step> = applied.iter().map(|(step, _)| step.clone()).collect();
    let mut shared = applied.iter().map(|(step, _)| step).filter(|step| live_by_step.contains_key(step));
    let mut next_shared = shared.next();
    let mut done: BTreeSet<Step> = BTreeSet::new();
    let (mut at_live, mut at_applied) = (0, 0);
    let mut out = Vec::with_capacity(live.len().max(applied.len()));
    while at_live < live.len() || at_applied < applied.len() {
        if let (Some((step, _)), Some((wanted, item))) = (live.get(at_live), applied.get(at_applied)) {
            if step == wanted {
                done.insert(step.clone());
                let same = live_by_step.get(step).copied().flatten();
                out.extend(merge(list.item, same, Some(item)));
                (at_live, at_applied) = (at_live + 1, at_applied + 1);
                next_shared = shared.next();
                continue;
            }
            // Shared, but not the one whose turn it is.
            if applied_steps.contains(step) && next_shared.is_some_and(|next| next != step) {
                at_live += 1;
                continue;
            }
        }
        if let Some((step, item)) = live.get(at_live) {
            if !applied_steps.contains(step) {
                out.extend(merge(list.item, Some(item), None));
                at_live += 1;
                continue;
            }
            if done.contains(step) {
                at_live += 1;
            }
        }
        if let Some((step, item)) = applied.get(at_applied) {
            done.insert(step.clone());
            let same = live_by_step.get(step).copied().flatten();
            out.extend(merge(list.item, same, Some(item)));
            at_applied += 1;
            if next_shared == Some(step) {
                next_shared = shared.next();
            }
        }
    }
    out
}

/// `value` without the fields of `gone`. What is emptied by that is null.
pub(super) fn remove(place: Place<'_>, value: &Value, gone: &FieldSet) -> Value {
    let none = |is_empty: bool, value: Value| if is_empty { Value::Null } else { value };
    match (place.form(value), value) {
        (Form::Fields, Value::Object(fields)) => {
            let kept = fields.iter().filter_map(|(name, value)| {
                let step = Step::field(name);
                if gone.members.contains(&step) {
                    return None;
                }
                let below = gone.below.get(&step);
                let value = below.map_or_else(|| value.clone(), |below| remove(place.field(name).0, value, below));
                Some((name.clone(), value))
            });
            let kept: Map<String, Value> = kept.collect();
            none(kept.is_empty(), Value::Object(kept))
        }
        (Form::Items(list), Value::Array(items)) => {
            let kept = items.iter().filter_map(|item| {
                let Ok(step) = list.step(item) else { return Some(item.clone()) };
                if gone.members.contains(&step) {
                    return None;
                }
                Some(gone.below.get(&step).map_or_else(|| item.clone(), |below| remove(list.item, item, below)))
            });
            let kept: Vec<Value> = kept.collect();
            none(kept.is_empty(), Value::Array(kept))
        }
        // One piece that fields lay in when it was not one yet.
        (_, Value::Object(_) | Value::Array(_)) => Value::Null,
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::kind;
    use super::*;

    fn containers(names: &[&str]) -> Value {
        let containers: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
        json!({"spec": {"containers": containers}})
    }

    fn merged(live: &[&str], applied: &[&str]) -> Vec<String> {
        let pods = kind("v1", "Pod");
        let all = merge(Place::of(&pods), Some(&containers(live)), Some(&containers(applied))).unwrap();
        let names = all["spec"]["containers"].as_array().unwrap().iter();
        names.map(|container| container["name"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn items_come_in_the_applied_order_and_others_stay_between_them() {
        assert_eq!(merged(&["a", "b"], &["b", "a"]), ["b", "a"]);
        assert_eq!(merged(&["a", "sidecar", "b"], &["a", "b"]), ["a", "sidecar", "b"]);
        assert_eq!(merged(&["sidecar"], &["a"]), ["sidecar", "a"]);
        assert_eq!(merged(&["a", "b", "c"], &["c", "x", "a"]), ["b", "c", "x", "a"]);
    }
}
