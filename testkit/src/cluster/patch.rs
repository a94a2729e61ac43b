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

fn is_map(patch: &Value) -> Result<(), Status> {
    if patch.is_object() {
        return Ok(());
    }
    let found = go::kind_of(patch);
    Err(Status::bad_request(format!("error decoding patch: json: cannot unmarshal {found} {MAP}")))
}

fn json_patch(live: &Value, patch: &Value) -> Result<Value, Status> {
    if !patch.is_array() {
        let found = go::kind_of(patch);
        let message = format!(
            "error decoding patch: json: cannot unmarshal {found} into Go value of type []handlers.jsonPatchOp"
        );
        return Err(Status::bad_request(message));
    }
    let patch: json_patch::Patch = serde_json::from_value(with_pointers(patch)).map_err(|_| rejected())?;
    let mut new = live.clone();
    for operation in patch.0 {
        let operation = match operation {
            // The server's own library puts in what is not there to be replaced.
            PatchOperation::Replace(replace) if new.pointer(replace.path.as_str()).is_none() => {
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

/// What stands before the first slash of a path is not looked at.
fn with_pointers(patch: &Value) -> Value {
    let mut patch = patch.clone();
    for operation in patch.as_array_mut().into_iter().flatten() {
        for field in ["path", "from"] {
            let Some(Value::String(path)) = operation.get_mut(field) else { continue };
            if let Some(start) = path.find('/') {
                path.drain(..start);
            }
        }
    }
    patch
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
