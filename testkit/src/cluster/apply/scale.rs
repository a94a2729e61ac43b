//! Who owns the replicas, as told of the object and of its scale. Follows the `ScaleHandler` of apimachinery's `managedfields`.

use serde_json::{Value, json};

use super::managed::{Entry, Managed};
use super::path::Step;
use super::set::FieldSet;
use crate::cluster::resources::Kind;

const SCALE_VERSION: &str = "autoscaling/v1";

/// The `managedFields` of the scale of an object with these; `path` leads to its replicas.
pub(crate) fn notes_of_scale(object: &Value, path: &[&str]) -> Value {
    let replicas = set_of(path);
    let mut managed = Managed::parse(object).unwrap_or_default();
    managed.0.retain(|_, entry| has(&entry.fields, &replicas));
    for entry in managed.0.values_mut() {
        entry.fields = set_of(&["spec", "replicas"]);
        SCALE_VERSION.clone_into(&mut entry.api_version);
    }
    managed.to_json()
}

/// The `managedFields` of an object of `kind`, whose scale has these now.
pub(crate) fn notes_of_object(kind: &Kind, object: &Value, scale: &Value, path: &[&str]) -> Value {
    let (replicas, in_scale) = (set_of(path), set_of(&["spec", "replicas"]));
    let before = Managed::parse(object).unwrap_or_default();
    let mut of_scale = Managed::parse(scale).unwrap_or_default();
    let mut after = Managed::default();
    for (manager, entry) in &before.0 {
        let mut entry = entry.clone();
        if has(&entry.fields, &replicas) && of_scale.0.remove(manager).is_none() {
            entry.fields = entry.fields.difference(&replicas);
        }
        if !entry.fields.is_empty() {
            after.0.insert(manager.clone(), entry);
        }
    }
    for (manager, _) in of_scale.0.into_iter().filter(|(_, entry)| has(&entry.fields, &in_scale)) {
        let time = before.0.get(&manager).and_then(|entry| entry.time.clone());
        after.0.insert(manager, Entry { fields: replicas.clone(), api_version: kind.api_version(), time });
    }
    if after.0.is_empty() { json!(null) } else { after.to_json() }
}

fn set_of(path: &[&str]) -> FieldSet {
    let steps: Vec<Step> = path.iter().map(|name| Step::field(name)).collect();
    let mut set = FieldSet::default();
    set.insert(&steps);
    set
}

fn has(set: &FieldSet, one: &FieldSet) -> bool {
    !set.intersection(one).is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::super::resources::Resources;
    use super::*;

    fn entry(manager: &str, version: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": "Apply", "apiVersion": version, "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    #[test]
    fn who_owns_replicas_owns_those_of_the_scale_and_loses_them_by_it() {
        let resources = Resources::default();
        let kind = resources.find("apps", "v1", "deployments").unwrap();
        let both = json!({"f:spec": {"f:paused": {}, "f:replicas": {}}});
        let object = json!([entry("a", "apps/v1", &both), entry("b", "apps/v1", &json!({"f:spec": {"f:paused": {}}}))]);
        let path = ["spec", "replicas"];
        let replicas = json!({"f:spec": {"f:replicas": {}}});
        assert_eq!(notes_of_scale(&object, &path), json!([entry("a", "autoscaling/v1", &replicas)]));
        let taken = json!([entry("c", "autoscaling/v1", &replicas)]);
        let paused = json!({"f:spec": {"f:paused": {}}});
        let after =
            json!([entry("a", "apps/v1", &paused), entry("b", "apps/v1", &paused), entry("c", "apps/v1", &replicas)]);
        assert_eq!(notes_of_object(kind, &object, &taken, &path), after);
    }
}
