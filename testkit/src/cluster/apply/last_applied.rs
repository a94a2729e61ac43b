//! Taking over from `kubectl apply` without `--server-side`, which notes in an annotation what it applied.

use serde_json::Value;

use super::compare::Difference;
use super::fields;
use super::place::Place;
use super::set::FieldSet;
use crate::cluster::resources::Kind;

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How a field manager must call itself to take over.
const KUBECTL: &str = "kubectl";

/// What `manager` may take from whoever owns it: what the client had applied, as far as it still is so.
pub(super) fn given_up(kind: &Kind, place: Place<'_>, live: &Value, manager: &str) -> FieldSet {
    let noted = noted(live).filter(|_| manager == KUBECTL);
    let applied: Option<Value> = noted.and_then(|noted| serde_json::from_str(noted).ok());
    let Some(applied) = applied.filter(|applied| applied["apiVersion"] == kind.api_version().as_str()) else {
        return FieldSet::default();
    };
    let Difference { added, modified, removed } = Difference::between(place, &applied, live);
    fields::of(place, &applied).difference(&modified).difference(&added).difference(&removed)
}

/// Brings the annotation up to date, if there is one: who comes back to the client's way finds what was applied last.
pub(super) fn note(object: &mut Value, applied: &Value, manager: &str) {
    if manager != KUBECTL || noted(object).is_none() {
        return;
    }
    let mut applied = applied.clone();
    if let Some(annotations) = applied.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(ANNOTATION);
    }
    object["metadata"]["annotations"][ANNOTATION] = format!("{applied}\n").into();
}

fn noted(object: &Value) -> Option<&str> {
    object["metadata"]["annotations"][ANNOTATION].as_str().filter(|noted| !noted.is_empty())
}
