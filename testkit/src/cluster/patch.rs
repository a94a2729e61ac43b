//! JSON patch, merge patch and strategic merge patch.

use json_patch::{AddOperation, PatchOperation};
use serde_json::{Map, Value};

use super::go;
use super::request::PatchKind;
use super::resources::Kind;
use super::status::Status;
use super::strategic;
use super::types::Type;

const MAP: &str = "into Go value of type map[string]interface {}";

/// `live` with the patch applied.
pub(crate) fn patched(kind: &Kind, how: PatchKind, live: &Value, patch: &Value) -> Result<Value, Status> {
    match how {
        PatchKind::Json => json_patch(live, patch),
        PatchKind::Merge if patch.is_null() => Err(Status::bad_request("Invalid JSON Patch")),
        PatchKind::Merge => {
            is_map(patch)?;
            let mut new = live.clone();
            json_patch::merge(&mut new, patch);
            Ok(new)
        }
        PatchKind::Strategic => {
            // `null` is a patch that says nothing.
            let patch = if patch.is_null() { &Value::Object(Map::new()) } else { patch };
            let Value::Object(patch) = patch else {
                return Err(Status::bad_request(format!("json: cannot unmarshal {} {MAP}", go::kind_of(patch))));
            };
            let live = live.as_object().cloned().unwrap_or_default();
            let of = kind.type_name.as_deref().and_then(Type::of);
            Ok(Value::Object(strategic::merge(of, live, patch)?))
        }
        PatchKind::Apply => Err(Status::unsupported("an apply as a patch of this resource")),
    }
}

/// What a message shows of a patch that cannot be read: the patch if it is a strategic one, else what it made of the object.
pub(crate) fn shown(kind: &Kind, how: PatchKind, live: &Value, patch: &Value) -> String {
    match how {
        PatchKind::Strategic => go::shown(patch),
        _ => patched(kind, how, live, patch).unwrap_or_default().to_string(),
    }
}

fn is_map(patch: &Value) -> Result<(), Status> {
    if patch.is_object() {
        return Ok(());
    }
    let found = go::kind_of(patch);
    Err(Status::bad_request(format!("error decoding patch: json: cannot unmarshal {found} {MAP}")))
}

fn json_patch(live: &Value, patch: &Value) -> Result<Value, Status> {
    let Value::Array(operations) = patch else { return Err(no_operation(patch, "[]handlers.jsonPatchOp")) };
    if let Some(other) = operations.iter().find(|operation| !operation.is_object()) {
        return Err(no_operation(other, "handlers.jsonPatchOp"));
    }
    let mut new = live.clone();
    for operation in operations {
        let operation = serde_json::from_value(as_read(&new, operation)).map_err(|_| rejected())?;
        let operation = match operation {
            // The server's own library puts in what is not there to be replaced.
            PatchOperation::Replace(replace) if is_open_place(&new, replace.path.as_str()) => {
                PatchOperation::Add(AddOperation { path: replace.path, value: replace.value })
            }
            // ... and takes what is not there for null, in an object that is.
            PatchOperation::Test(test) if test.value.is_null() && is_open_place(&new, test.path.as_str()) => continue,
            other => other,
        };
        json_patch::patch(&mut new, &[operation]).map_err(|_| rejected())?;
    }
    Ok(new)
}

fn no_operation(found: &Value, wanted: &str) -> Status {
    let found = go::kind_of(found);
    Status::bad_request(format!("error decoding patch: json: cannot unmarshal {found} into Go value of type {wanted}"))
}

/// Fields of the operations of a JSON patch that none has, by their paths.
pub(crate) fn odd_fields(patch: &Value) -> Vec<String> {
    const KNOWN: [&str; 4] = ["op", "path", "from", "value"];
    let operations = patch.as_array().into_iter().flatten().enumerate();
    let fields = operations.flat_map(|(index, operation)| {
        let fields = operation.as_object().into_iter().flatten().map(|(name, _)| name);
        fields.filter(|name| !KNOWN.contains(&name.as_str())).map(move |name| format!("[{index}].{name}"))
    });
    fields.collect()
}

/// An operation as the server's own library reads it: without a value it is one of null, what stands before the first slash of a path
/// is not looked at, and numbers below zero count from the end of a list.
fn as_read(object: &Value, operation: &Value) -> Value {
    let mut operation = operation.clone();
    if matches!(operation["op"].as_str(), Some("add" | "replace" | "test")) && operation.get("value").is_none() {
        operation["value"] = Value::Null;
    }
    let adds = matches!(operation["op"].as_str(), Some("add" | "copy" | "move"));
    for field in ["path", "from"] {
        let Some(Value::String(path)) = operation.get_mut(field) else { continue };
        if let Some(start) = path.find('/') {
            path.drain(..start);
        }
        if let Some(counted) = from_the_end(object, path, adds && field == "path") {
            *path = counted;
        }
    }
    operation
}

fn from_the_end(object: &Value, path: &str, adds: bool) -> Option<String> {
    let (list, index) = path.rsplit_once('/')?;
    let back: usize = index.strip_prefix('-')?.parse().ok()?;
    let length = object.pointer(list)?.as_array()?.len() + usize::from(adds);
    Some(format!("{list}/{}", length.checked_sub(back)?))
}

/// Whether there is nothing at `path`, and an object around it.
fn is_open_place(object: &Value, path: &str) -> bool {
    let around = path.rsplit_once('/').and_then(|(around, _)| object.pointer(around));
    around.is_some_and(Value::is_object) && object.pointer(path).is_none()
}

/// All that the server says of a JSON patch that does not fit its object, a failed `test` included.
fn rejected() -> Status {
    Status::new(422, "Invalid", "the server rejected our request due to an error in our request").with_empty_details()
}
