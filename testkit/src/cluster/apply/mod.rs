//! Server-side apply: who owns which field.

use jiff::Timestamp;
use serde_json::Value;

use super::resources::Kind;
use super::status::Status;

/// Who writes, where and when: what an entry in `managedFields` says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer<'a> {
    /// The field manager.
    pub(crate) manager: &'a str,
    /// Such as `status`.
    pub(crate) subresource: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// Applies `applied` to `live`, or to nothing if there is no such object yet. Gives the object as it is to be, with
/// `managedFields`; what no writer may change (uid, status apart …) is for the caller to see to.
pub(crate) fn apply(
    kind: &Kind,
    live: Option<&Value>,
    applied: Value,
    writer: Writer<'_>,
    force: bool,
) -> Result<Value, Status> {
    let _ = (kind, live, applied, writer, force);
    Err(Status::unsupported("server-side apply"))
}

/// Notes in `new` whose fields a create, update or patch changed. `old` is the object before, with its `managedFields`; nothing is
/// noted where nothing but `managedFields` differs.
pub(crate) fn track(kind: &Kind, old: Option<&Value>, new: &mut Value, writer: Writer<'_>) {
    let _ = (kind, old, new, writer);
}
