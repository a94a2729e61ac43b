//! What is particular about namespaces: nothing is created in one that is not there or on its way out, and some may not go.

use serde_json::{Map, Value, json};

use super::request::Request;
use super::resources::Kind;
use super::state::State;
use super::status::Status;
use super::store::Key;

/// Cannot be deleted.
const IMMORTAL: [&str; 3] = ["default", "kube-public", "kube-system"];

pub(crate) fn is_namespaces(kind: &Kind) -> bool {
    kind.is("", "namespaces")
}

/// Whether an object may be created where the request says.
pub(crate) fn may_create(state: &State, request: &Request, name: &str) -> Result<(), Status> {
    if !request.kind.namespaced {
        return Ok(());
    }
    let namespace = &request.namespace;
    let Some(found) = state.store.get("namespaces", &Key::new("", namespace)) else {
        let message = format!("namespaces {namespace:?} not found");
        let status = Status::new(404, "NotFound", message).with_detail("name", namespace.clone());
        return Err(status.with_detail("kind", "namespaces"));
    };
    if !found.is_terminating() {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let cause = json!([{
        "reason": "NamespaceTerminating", "message": format!("namespace {namespace} is being terminated"), "field": "metadata.namespace",
    }]);
    Err(Status::forbidden(&request.kind, name, why).with_detail("causes", cause))
}

pub(crate) fn may_delete(request: &Request) -> Result<(), Status> {
    if is_namespaces(&request.kind) && IMMORTAL.contains(&request.name.as_str()) {
        return Err(Status::forbidden(&request.kind, &request.name, "this namespace may not be deleted"));
    }
    Ok(())
}

/// Fills in what the server fills in.
pub(crate) fn prepare(kind: &Kind, object: &mut Value) {
    if !is_namespaces(kind) {
        return;
    }
    let name = object["metadata"]["name"].clone();
    let spec = json!({"finalizers": ["kubernetes"]});
    let Value::Object(fields) = object else { return };
    fields.insert("spec".to_owned(), spec);
    fields.insert("status".to_owned(), json!({"phase": "Active"}));
    let Some(Value::Object(metadata)) = fields.get_mut("metadata") else { return };
    let labels = metadata.entry("labels").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(labels) = labels {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name);
    }
}
