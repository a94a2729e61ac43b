//! JSON patch, merge patch and strategic merge patch.

use json_patch::{AddOperation, PatchOperation};
use serde_json::Value;

use super::request::PatchKind;
use super::resources::Kind;
use super::status::Status;
use super::strategic;
use super::types::Type;

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
            is_map(patch)?;
            let mut new = live.clone();
            strategic::merge(kind.type_name.as_deref().and_then(Type::of), &mut new, patch);
            Ok(new)
        }
        PatchKind::Apply => Err(Status::unsupported("an apply as a patch of this resource")),
    }
}

fn is_map(patch: &Value) -> Result<(), Status> {
    if patch.is_object() {
        return Ok(());
    }
    let found = go_name(patch);
    Err(Status::bad_request(format!(
        "error decoding patch: json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
    )))
}

fn json_patch(live: &Value, patch: &Value) -> Result<Value, Status> {
    if !patch.is_array() {
        let found = go_name(patch);
        let message = format!(
            "error decoding patch: json: cannot unmarshal {found} into Go value of type []handlers.jsonPatchOp"
        );
        return Err(Status::bad_request(message));
    }
    let patch: json_patch::Patch = serde_json::from_value(patch.clone()).map_err(|_| rejected())?;
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

/// Whether there is nothing at `path`, and an object around it.
fn is_open_place(object: &Value, path: &str) -> bool {
    let around = path.rsplit_once('/').and_then(|(around, _)| object.pointer(around));
    around.is_some_and(Value::is_object) && object.pointer(path).is_none()
}

/// All that the server says of a JSON patch that does not fit its object, a failed `test` included.
fn rejected() -> Status {
    Status::new(422, "Invalid", "the server rejected our request due to an error in our request").with_empty_details()
}

fn go_name(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Null => "null",
    }
}
