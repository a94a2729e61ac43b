//! What clients may say of an object's metadata, and what only the server says.

use serde_json::{Map, Value};

use crate::cluster::request::{PatchKind, Request, Verb};
use crate::cluster::state::State;
use crate::cluster::status::{Cause, Status};
use crate::cluster::store::Object;
use crate::cluster::{crd, decode, secrets};

/// Set by the server alone: what a client sends of them is dropped.
const SERVERS_OWN: [&str; 5] =
    ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"];

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

pub(super) fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    object["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Reads what a client sent as an object of the URL's kind, name and namespace: what its type or schema does not know is dropped, told as
/// `fieldValidation` asks; defaults of a schema are filled in.
///
/// `patched` shows it if a patch made it: then it is the patch that is wrong.
pub(super) fn receive(
    state: &mut State,
    request: &Request,
    value: &mut Value,
    patched: Option<&dyn Fn() -> String>,
) -> Result<(), Status> {
    is_of_kind(request, value).map_err(|status| match patched {
        Some(patched) if request.kind.custom.is_none() => bad_patch(&patched(), &status.message),
        _ => status,
    })?;
    let decoded = decode::decode(&request.kind, value);
    if let Some(mismatch) = decoded.mismatch.or_else(|| secrets::no_bytes(&request.kind, value)) {
        return Err(unreadable(request, patched, &mismatch));
    }
    let mut unknown = decoded.unknown;
    unknown.extend(crd::prune(&request.kind, value));
    crd::default(&request.kind, value);
    drop_empty(metadata(value)?);
    let unknown = unknown.into_iter().map(|path| format!("unknown field \"{path}\""));
    warn_or_refuse(state, request, unknown.collect(), patched)?;
    is_at_url(request, value)
}

/// Tells of fields that nobody knows as `fieldValidation` asks.
pub(super) fn warn_or_refuse(
    state: &mut State,
    request: &Request,
    told: Vec<String>,
    patched: Option<&dyn Fn() -> String>,
) -> Result<(), Status> {
    match request.options.field_validation.as_str() {
        "Strict" if !told.is_empty() => {
            return Err(unreadable(request, patched, &format!("strict decoding error: {}", told.join(", "))));
        }
        "Ignore" | "Strict" => {}
        _ => state.warnings.extend(told),
    }
    Ok(())
}

/// As the server's own type of metadata does: what is empty is not there.
fn drop_empty(metadata: &mut Map<String, Value>) {
    metadata.retain(|_, value| match value {
        Value::Null => false,
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    });
}

/// What was sent, or what a patch made of an object, cannot be read.
pub(super) fn unreadable(request: &Request, patched: Option<&dyn Fn() -> String>, why: &str) -> Status {
    match patched {
        Some(patched) => bad_patch(&patched(), why),
        None => Status::bad_request(format!("{}: {why}", cannot_be_handled(request))),
    }
}

fn bad_patch(patched: &str, why: &str) -> Status {
    let message = format!("Invalid value: {patched:?}: {why}");
    let cause = serde_json::json!([{"reason": "FieldValueInvalid", "message": message, "field": "patch"}]);
    Status::new(422, "Invalid", format!(" \"\" is invalid: patch: {message}")).with_detail("causes", cause)
}

fn cannot_be_handled(request: &Request) -> String {
    let kind = &request.kind;
    format!("{} in version {:?} cannot be handled as a {}", kind.kind, kind.version, kind.kind)
}

fn is_of_kind(request: &Request, value: &mut Value) -> Result<(), Status> {
    let kind = &request.kind;
    let unrecognized = |why: String| {
        Status::bad_request(format!("the object provided is unrecognized (must be of type {}): {why}", kind.kind))
    };
    let (api_version, name) = {
        let said = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
        (said("apiVersion"), said("kind"))
    };
    let fields = object(value)?;
    if kind.custom.is_some() {
        if name.is_empty() {
            let sent = Value::Object(fields.clone());
            return Err(unrecognized(format!("Object 'Kind' is missing in '{sent}' ({sent})")));
        }
        if api_version != kind.api_version() {
            let message = format!(
                "the API version in the data ({api_version}) does not match the expected API version ({})",
                kind.api_version()
            );
            return Err(Status::bad_request(message));
        }
        if name != kind.kind {
            let why = format!("must be {}", kind.kind);
            let cause = Cause::invalid("kind", &Value::String(name), &why);
            let object_name = text(metadata(value)?, "name").to_owned();
            return Err(Status::invalid(kind, &object_name, &[cause]));
        }
        return Ok(());
    }
    // A client that sends neither means what the URL says.
    if (!api_version.is_empty() && api_version != kind.api_version()) || (!name.is_empty() && name != kind.kind) {
        let version = api_version.rsplit('/').next().unwrap_or_default();
        let package = kind.internal_package();
        let message = if version == kind.version && !api_version.contains('/') {
            format!("converting ({version}.{name}) to ({package}.{}): unknown conversion", kind.kind)
        } else {
            format!(
                "no kind {name:?} is registered for version {api_version:?} in scheme \"pkg/runtime/scheme.go:111\""
            )
        };
        let message = format!("{name} in version {version:?} cannot be handled as a {}: {message}", kind.kind);
        return Err(Status::bad_request(message));
    }
    fields.insert("apiVersion".to_owned(), kind.api_version().into());
    fields.insert("kind".to_owned(), kind.kind.clone().into());
    Ok(())
}

/// Whether it is of the URL's name and namespace, which it is given if it says neither.
pub(super) fn is_at_url(request: &Request, value: &mut Value) -> Result<(), Status> {
    let metadata = metadata(value)?;
    if request.kind.namespaced {
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
    if request.name.is_empty() || text(metadata, "name") == request.name {
        return Ok(());
    }
    match text(metadata, "name") {
        "" if matches!(request.verb, Verb::Create | Verb::Patch(PatchKind::Apply)) => {
            metadata.insert("name".to_owned(), request.name.clone().into());
            Ok(())
        }
        "" => {
            let name = &request.name;
            let message =
                format!("the name of the object ({name} based on URL) was undeterminable: name must be provided");
            Err(Status::bad_request(message))
        }
        said => {
            let name = &request.name;
            let message = format!("the name of the object ({said}) does not match the name on the URL ({name})");
            Err(Status::bad_request(message))
        }
    }
}

/// Takes out what only the server says.
pub(super) fn drop_servers_own(metadata: &mut Map<String, Value>) {
    for field in SERVERS_OWN {
        metadata.remove(field);
    }
}

/// Puts back what only the server says, as it was.
pub(super) fn keep_servers_own(metadata: &mut Map<String, Value>, live: &Object) {
    for field in SERVERS_OWN.into_iter().chain(["resourceVersion", "generateName", "generation"]) {
        match live.metadata(field) {
            Some(value) => drop(metadata.insert(field.to_owned(), value.clone())),
            None => drop(metadata.remove(field)),
        }
    }
}
