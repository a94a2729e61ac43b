//! From a value to the fields that whoever applies it owns.

use std::collections::BTreeMap;

use serde_json::Value;

use super::path::Step;
use super::place::{Form, Place};
use super::set::FieldSet;

/// The fields of `value`. Lists are taken to be as [`check`](super::check) wants them.
pub(super) fn of(place: Place<'_>, value: &Value) -> FieldSet {
    let mut set = FieldSet::default();
    collect(place, value, &mut Vec::new(), &mut set);
    set
}

fn collect(place: Place<'_>, value: &Value, path: &mut Vec<Step>, set: &mut FieldSet) {
    match (place.form(value), value) {
        (Form::Fields, Value::Object(fields)) => {
            for (name, value) in fields {
                let (below, declared) = place.field(name);
                path.push(Step::field(name));
                collect(below, value, path, set);
                let is_empty = value.as_object().is_some_and(serde_json::Map::is_empty);
                if is_empty || !declared {
                    set.insert(path);
                }
                path.pop();
            }
        }
        (Form::Items(list), Value::Array(items)) => {
            let mut times: BTreeMap<Step, usize> = BTreeMap::new();
            let steps: Vec<Option<Step>> = items.iter().map(|item| list.step(item).ok()).collect();
            for step in steps.iter().flatten() {
                *times.entry(step.clone()).or_default() += 1;
            }
            for (item, step) in items.iter().zip(steps) {
                let Some(step) = step else { continue };
                // Items that are there twice are owned as one, without what is in them.
                let once = times.get(&step) == Some(&1);
                path.push(step);
                if once {
                    collect(list.item, item, path, set);
                }
                set.insert(path);
                path.pop();
            }
        }
        _ => set.insert(path),
    }
}

/// The set with all named fields that lead to its members: owning `spec.replicas` does not mean to own `spec`, but `spec` is there for it.
pub(super) fn with_named(set: &FieldSet, place: Place<'_>) -> FieldSet {
    let mut members = set.members.clone();
    let below = set.below.iter().map(|(step, inner)| {
        let place = match step {
            Step::Field(name) => {
                let (below, declared) = place.field(name);
                if declared {
                    members.insert(step.clone());
                }
                below
            }
            Step::Key(_) => place.item(),
            Step::Value(_) | Step::Index(_) => Place::Unknown,
        };
        (step.clone(), with_named(inner, place))
    });
    let below = below.collect();
    FieldSet { members, below }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::kind;
    use super::*;

    #[test]
    fn whoever_applies_a_deployment_owns_its_leaves() {
        let deployment = json!({
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
                "template": {"spec": {"containers": [{"name": "web", "image": "a", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}},
            },
        });
        let deployments = kind("apps/v1", "Deployment");
        let expected = json!({
            "f:metadata": {"f:labels": {"f:app": {}}},
            "f:spec": {
                "f:replicas": {}, "f:selector": {},
                "f:template": {"f:spec": {"f:containers": {r#"k:{"name":"web"}"#: {
                    ".": {}, "f:name": {}, "f:image": {},
                    "f:ports": {r#"k:{"containerPort":80,"protocol":"TCP"}"#: {".": {}, "f:containerPort": {}, "f:protocol": {}}},
                }}}},
            },
        });
        assert_eq!(of(Place::of(&deployments), &deployment).to_json(), expected);
    }
}
