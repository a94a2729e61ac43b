//! Server-side apply: who owns which field.
//!
//! Every write notes in `metadata.managedFields` which fields its manager wrote. Who *applies* sends all that it wants to be so, and owns
//! that: what others own is a conflict unless they agree (or `force` is said), and what it does not send any more goes, if nobody else
//! owns it. What is one piece and what is merged, the types of the built-in kinds and the schemas of CRDs tell ([`place`]).
//!
//! Follows [structured-merge-diff](https://github.com/kubernetes-sigs/structured-merge-diff), which the API server uses. Not done:
//! conversion between the versions of a kind (fields are the same in all of them).

mod check;
mod compare;
mod conflict;
mod fields;
mod last_applied;
mod managed;
mod merge;
mod path;
mod place;
mod scale;
mod set;
mod update;

use jiff::Timestamp;
use serde_json::{Map, Value};

use self::managed::{Managed, Manager, Operation};
use self::path::Step;
use self::place::Place;
pub(crate) use self::scale::{notes_of_object, notes_of_scale};
use self::set::FieldSet;
use self::update::Write;
use super::resources::Kind;
use super::status::Status;

/// Who has written what was there when nothing was noted yet.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

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
    applied: &Value,
    writer: Writer<'_>,
    force: bool,
) -> Result<Value, Status> {
    let place = Place::of(kind);
    acceptable(kind, place, applied)?;
    let manager = writer.named(kind, writer.manager, Operation::Apply);
    let ignored = ignored(kind, writer.subresource);
    let api_version = kind.api_version();
    let write = Write { place, manager: &manager, api_version: &api_version, ignored: &ignored };

    let noted = live.map_or(&Value::Null, |live| &live["metadata"]["managedFields"]);
    let mut managed = Managed::parse(noted).ok_or_else(|| {
        Status::new(500, "", "failed to decode managed fields: they are not as the server writes them")
    })?;
    let before = live.map_or_else(empty, without_managed_fields);
    if managed.0.is_empty() && live.is_some() {
        let manager = writer.named(kind, BEFORE_FIRST_APPLY, Operation::Update);
        let first = Write { manager: &manager, ..write };
        first.update(&empty(), &before, &mut managed, writer.time());
    }
    let given_up = last_applied::given_up(kind, place, &before, writer.manager);
    let new = write.apply(&before, applied, &mut managed, &given_up, force, writer.time())?;
    let mut new = new.unwrap_or(before);
    last_applied::note(&mut new, applied, writer.manager);
    if kind.custom.is_none() {
        drop_nulls(&mut new);
    }
    meant_for(kind, live, applied)?;
    if let Some(metadata) = new.get_mut("metadata").and_then(Value::as_object_mut).filter(|_| live.is_none()) {
        // The server does not mind a version of what is not there yet.
        metadata.remove("resourceVersion");
    }
    managed.write(&mut new);
    Ok(new)
}

/// Notes in `new` whose fields a create, update or patch changed. `old` is the object before, with its `managedFields`; nothing is
/// noted where nothing but `managedFields` differs.
pub(crate) fn track(kind: &Kind, old: Option<&Value>, new: &mut Value, writer: Writer<'_>) {
    let mut managed = noted(old, new, writer.subresource.is_some());
    // Who gave up all notes, or never had any, is not asked again.
    let keeps_notes = old.is_none() || !managed.0.is_empty();
    if keeps_notes {
        let manager = writer.named(kind, writer.manager, Operation::Update);
        let ignored = ignored(kind, writer.subresource);
        let api_version = kind.api_version();
        let write = Write { place: Place::of(kind), manager: &manager, api_version: &api_version, ignored: &ignored };
        write.update(old.unwrap_or(&empty()), new, &mut managed, writer.time());
    }
    managed.write(new);
}

impl Writer<'_> {
    fn named(&self, kind: &Kind, name: &str, operation: Operation) -> Manager {
        Manager::new(name, operation, &kind.api_version(), self.subresource.unwrap_or_default())
    }

    /// As objects carry it.
    fn time(&self) -> String {
        self.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

/// What is noted before a write: clients may change it, but not lose it by not knowing it, nor through a subresource.
fn noted(old: Option<&Value>, new: &Value, through_subresource: bool) -> Managed {
    let of_old = || old.and_then(|old| Managed::parse(&old["metadata"]["managedFields"])).unwrap_or_default();
    let sent = &new["metadata"]["managedFields"];
    let is_reset = match sent.as_array().map(Vec::as_slice) {
        Some([]) => true,
        Some([entry]) => entry.as_object().is_some_and(Map::is_empty),
        _ => false,
    };
    match Managed::parse(sent) {
        _ if through_subresource => of_old(),
        _ if is_reset => Managed::default(),
        Some(sent) if !sent.0.is_empty() => sent,
        _ => of_old(),
    }
}

/// What a write cannot write, and so does not own: the status of an object itself, all else of its status.
fn ignored(kind: &Kind, subresource: Option<&str>) -> FieldSet {
    let mut set = FieldSet::default();
    match subresource {
        None if kind.has_status() => set.insert(&[Step::field("status")]),
        Some("status") => {
            set.insert(&[Step::field("spec")]);
            if kind.custom.is_some() {
                set.insert(&[Step::field("metadata")]);
            } else if kind.is("apps", "deployments") {
                set.insert(&[Step::field("metadata"), Step::field("labels")]);
            }
        }
        _ => {}
    }
    set
}

/// Whether what is applied is of its kind, and can be merged.
fn acceptable(kind: &Kind, place: Place<'_>, applied: &Value) -> Result<(), Status> {
    if let Some(found) = not_an_object(applied) {
        let message = format!(
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
        );
        return Err(Status::bad_request(message));
    }
    let text = |field: &str| applied[field].as_str().unwrap_or_default();
    let (api_version, name) = (text("apiVersion"), text("kind"));
    if (api_version, name) != (&kind.api_version(), &kind.kind) {
        let message = format!("invalid object type: {}", shown_kind(api_version, name));
        return Err(Status::bad_request(message));
    }
    let metadata = &applied["metadata"];
    if metadata["managedFields"].is_array() {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    check::check(place, applied).map_err(|problem| {
        let text = |field: &str| metadata[field].as_str().unwrap_or_default();
        let object = format!("{}/{}; {}", text("namespace"), text("name"), shown_kind(api_version, name));
        Status::new(500, "", format!("failed to create typed patch object ({object}): {problem}"))
    })
}

/// What it is instead, as Go names it.
fn not_an_object(value: &Value) -> Option<&'static str> {
    match value {
        Value::Object(_) | Value::Null => None,
        Value::Array(_) => Some("array"),
        Value::String(_) => Some("string"),
        Value::Number(_) => Some("number"),
        Value::Bool(_) => Some("bool"),
    }
}

/// As in `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`.
fn shown_kind(api_version: &str, kind: &str) -> String {
    let slash = if api_version.contains('/') { "" } else { "/" };
    format!("{slash}{api_version}, Kind={kind}")
}

/// Whether an object that is there was meant, but is not; of one that is there, whoever saves it looks.
fn meant_for(kind: &Kind, live: Option<&Value>, applied: &Value) -> Result<(), Status> {
    let said = |field: &str| applied["metadata"][field].as_str().filter(|said| !said.is_empty());
    let Some(uid) = said("uid").filter(|_| live.is_none()) else { return Ok(()) };
    let why = format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
    Err(Status::conflict(kind, said("name").unwrap_or_default(), why))
}

fn empty() -> Value {
    Value::Object(Map::new())
}

fn without_managed_fields(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}

/// Built-in types have no fields that are null.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
