//! What clients may say of an object's metadata, and what only the server says.

use serde_json::{Map, Value};

use crate::cluster::request::Request;
use crate::cluster::resources::Kind;
use crate::cluster::status::Status;

/// Set by the server alone: what a client sends of them is dropped.
const SERVERS_OWN: [&str; 7] = [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "resourceVersion",
    "selfLink",
];

/// Built-in kinds without a `generation`, although they have more than data.
const WITHOUT_GENERATION: [&str; 0] = [];

pub(super) fn object(value: &mut Value) -> Result<&mut Map<String, Value>, Status> {
    value.as_object_mut().ok_or_else(|| Status::bad_request("the body is no object"))
}

/// The metadata of an object, made if there is none.
pub(super) fn metadata(value: &mut Value) -> Result<&mut Map<String, Value>, Status> {
    let metadata = object(value)?.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    if metadata.is_null() {
        *metadata = Value::Object(Map::new());
    }
    metadata.as_object_mut().ok_or_else(|| Status::bad_request("metadata is no object"))
}

pub(super) fn text<'a>(metadata: &'a Map<String, Value>, field: &str) -> &'a str {
    metadata.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The body must be of the kind that the URL is of, and say nothing against its name and namespace.
pub(super) fn matches_url(request: &Request, value: &mut Value) -> Result<(), Status> {
    let kind = &request.kind;
    let said = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let (api_version, name) = (said("apiVersion"), said("kind"));
    if api_version != kind.api_version() || name != kind.kind {
        let message =
            format!("the object provided is unrecognized (must be of type {}): got {api_version} {name}", kind.kind);
        return Err(Status::bad_request(message));
    }
    let metadata = metadata(value)?;
    if kind.namespaced {
        match text(metadata, "namespace") {
            "" => drop(metadata.insert("namespace".to_owned(), request.namespace.clone().into())),
            said if said == request.namespace => {}
            _ => {
                let message = "the namespace of the provided object does not match the namespace sent on the request";
                return Err(Status::bad_request(message));
            }
        }
    } else {
        metadata.remove("namespace");
    }
    if !request.name.is_empty() {
        match text(metadata, "name") {
            "" => drop(metadata.insert("name".to_owned(), request.name.clone().into())),
            said if said == request.name => {}
            said => {
                let message =
                    format!("the name of the object ({said}) does not match the name on the URL ({})", request.name);
                return Err(Status::bad_request(message));
            }
        }
    }
    Ok(())
}

/// Takes out what only the server says.
pub(super) fn drop_servers_own(metadata: &mut Map<String, Value>) {
    for field in SERVERS_OWN {
        metadata.remove(field);
    }
}

/// Puts back what only the server says, as it was.
pub(super) fn keep_servers_own(metadata: &mut Map<String, Value>, live: &Value) {
    for field in SERVERS_OWN {
        match live["metadata"].get(field) {
            Some(value) => drop(metadata.insert(field.to_owned(), value.clone())),
            None => drop(metadata.remove(field)),
        }
    }
}

/// Whether objects of this kind count the changes of what is wished of them.
pub(super) fn has_generation(kind: &Kind) -> bool {
    kind.custom.is_some() || (kind.has_status() && !WITHOUT_GENERATION.contains(&kind.resource()))
}
