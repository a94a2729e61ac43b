//! The one way in which an object that exists is changed, whoever asks for it: update, patch and apply, of the whole and of its status.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, admit, key, metadata, register, validation};
use crate::cluster::apply::{self, Writer};
use crate::cluster::request::{PatchKind, Request, Verb};
use crate::cluster::state::State;
use crate::cluster::status::{Cause, Status};
use crate::cluster::store::Object;
use crate::cluster::{convert, crd, gc};

const MODIFIED: &str = "the object has been modified; please apply your changes to the latest version and try again";

/// Makes `new`, which [`metadata::receive`] has read, what `live` is now, as far as the request may change it.
pub(super) fn save(state: &mut State, request: &Request, live: &Arc<Object>, mut new: Value) -> Result<Answer, Status> {
    let kind = &request.kind;
    holds_uid(request, live, &new)?;
    holds_version(request, live, &new)?;
    keeps_times(request, live, &new)?;
    metadata::keep_servers_own(metadata::metadata(&mut new)?, live);
    keep_other_half(request, live, &mut new)?;
    crd::default(kind, &mut new);
    convert::complete(kind, &mut new);
    if !is_noted(request) {
        apply::track(kind, Some(live.value()), &mut new, writer(request, state));
    }
    let kept = convert::kept(kind, &new);
    if kept.as_ref().unwrap_or(&new) == live.value() {
        return Ok(Answer::Stored(200, live.clone()));
    }
    let mut causes = new_finalizers(live, &new);
    causes.extend(validation::metadata(kind, &new));
    causes.extend(
        crd::validate(kind, &new, Some(live.value()), request.subresource.as_deref()).err().unwrap_or_default(),
    );
    causes.extend(admit(state, kind, &mut new, Some(live.value()))?);
    if !causes.is_empty() {
        return Err(Status::invalid(kind, &request.name, &causes));
    }
    let mut new = kept.unwrap_or(new);
    if kind.counts_generations() && wishes_differ(request, live.value(), &new) {
        let generation = live.metadata("generation").and_then(Value::as_i64).unwrap_or(0) + 1;
        metadata::metadata(&mut new)?.insert("generation".to_owned(), json!(generation));
    }
    if request.options.dry_run {
        return Ok(Answer::Made(200, new));
    }
    if live.is_terminating() && metadata::finalizers(&new).next().is_none() && grace_is_over(&new) {
        // Its last finalizer went with this write: what is answered is the object as it would have been, under the version it had.
        gc::remove(state, &kind.table, &key(request));
        return Ok(Answer::Made(200, new));
    }
    let object = state.store.put(&kind.table, key(request), convert::stored(kind, new));
    register(state, kind, &object)?;
    gc::written(state, &kind.table, key(request), &object);
    Ok(Answer::Stored(200, object))
}

/// Who is noted as the owner of what a request changes. A client that does not say is known by its user agent, up to the slash.
pub(super) fn writer<'a>(request: &'a Request, state: &State) -> Writer<'a> {
    Writer { manager: &request.options.field_manager, subresource: request.subresource.as_deref(), now: state.now }
}

/// Server-side apply notes its owners itself, and so does a scale.
pub(super) fn is_noted(request: &Request) -> bool {
    request.verb == Verb::Patch(PatchKind::Apply) || request.subresource.as_deref() == Some("scale")
}

fn holds_version(request: &Request, live: &Object, new: &Value) -> Result<(), Status> {
    let said = new["metadata"]["resourceVersion"].as_str().unwrap_or_default();
    let Ok(version) = (if said.is_empty() { Ok(0) } else { said.parse::<u64>() }) else {
        return Err(Status::internal(format!("strconv.ParseUint: parsing {said:?}: invalid syntax")));
    };
    if version == 0 && request.verb == Verb::Update && request.kind.is_updated_by_version() {
        let cause = Cause::invalid("metadata.resourceVersion", &json!(0), "must be specified for an update");
        return Err(Status::invalid_resource(&request.kind, &request.name, &[cause]));
    }
    if version != 0 && version != live.version() {
        return Err(Status::conflict(&request.kind, &request.name, MODIFIED));
    }
    Ok(())
}

fn holds_uid(request: &Request, live: &Object, new: &Value) -> Result<(), Status> {
    is_of_uid(request, live.uid(), new)
}

/// Whether the uid that an update says, if it does, is this one; that of an object that is not there is empty.
pub(super) fn is_of_uid(request: &Request, live: &str, new: &Value) -> Result<(), Status> {
    let said = new["metadata"]["uid"].as_str().unwrap_or_default();
    if said.is_empty() || said == live {
        return Ok(());
    }
    let kind = &request.kind;
    if request.verb != Verb::Update {
        let cause = Cause::invalid("metadata.uid", &json!(said), "field is immutable");
        return Err(Status::invalid(kind, &request.name, &[cause]));
    }
    let namespace = if request.namespace.is_empty() { String::new() } else { format!("{}/", request.namespace) };
    let place = kind.storage_prefix();
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{place}/{namespace}{}, ResourceVersion: 0, AdditionalErrorMsg: \
         Precondition failed: UID in precondition: {said}, UID in object meta: {}",
        request.name, live,
    );
    Err(Status::conflict(kind, &request.name, why))
}

/// When an object is deleted is not for clients to say.
fn keeps_times(request: &Request, live: &Object, new: &Value) -> Result<(), Status> {
    let changed = ["deletionTimestamp", "deletionGracePeriodSeconds"].into_iter().filter_map(|field| {
        let said = new["metadata"].get(field)?;
        let path = format!("metadata.{field}");
        (live.metadata(field) != Some(said)).then(|| Cause::invalid(path, said, "field is immutable"))
    });
    let causes: Vec<Cause> = changed.collect();
    if causes.is_empty() { Ok(()) } else { Err(Status::invalid(&request.kind, &request.name, &causes)) }
}

/// Status and the rest are written apart: what is not of this request stays as it is.
fn keep_other_half(request: &Request, live: &Object, new: &mut Value) -> Result<(), Status> {
    let kind = &request.kind;
    let put_back = |new: &mut Value, field: &str| -> Result<(), Status> {
        match live.value().get(field) {
            Some(value) => drop(metadata::object(new)?.insert(field.to_owned(), value.clone())),
            None => drop(metadata::object(new)?.remove(field)),
        }
        Ok(())
    };
    match request.subresource.as_deref() {
        None if kind.has_status() => put_back(new, "status"),
        Some("status") => {
            let status = new.get("status").cloned();
            let mut sent = std::mem::replace(new, live.value().clone());
            if let Some(status) = status {
                metadata::object(new)?.insert("status".to_owned(), status);
            } else {
                metadata::object(new)?.remove("status");
            }
            let fields = metadata::metadata(&mut sent)?;
            if kind.custom.is_none() {
                // Built-in kinds take metadata by way of the status too, Deployments all but the labels.
                let mut fields = std::mem::take(fields);
                if kind.is("apps", "deployments") {
                    match live.metadata("labels") {
                        Some(labels) => drop(fields.insert("labels".to_owned(), labels.clone())),
                        None => drop(fields.remove("labels")),
                    }
                }
                *metadata::metadata(new)? = fields;
            } else if let Some(managed) = fields.remove("managedFields") {
                metadata::metadata(new)?.insert("managedFields".to_owned(), managed);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn new_finalizers(live: &Object, new: &Value) -> Vec<Cause> {
    if !live.is_terminating() {
        return Vec::new();
    }
    let added: Vec<&str> = metadata::finalizers(new)
        .filter(|finalizer| metadata::finalizers(live.value()).all(|had| had != *finalizer))
        .collect();
    if added.is_empty() {
        return Vec::new();
    }
    let told: Vec<String> = added.iter().map(|finalizer| format!("{finalizer:?}")).collect();
    let why = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        told.join(", ")
    );
    vec![Cause::forbidden("metadata.finalizers", &why)]
}

/// Whether more than metadata, and status where it is written apart, changed.
fn wishes_differ(request: &Request, live: &Value, new: &Value) -> bool {
    let apart = |name: &String| name == "metadata" || (name == "status" && request.kind.has_status());
    let (Some(live), Some(new)) = (live.as_object(), new.as_object()) else { return false };
    let mut names = live.keys().chain(new.keys()).filter(|name| !apart(name));
    names.any(|name| live.get(name) != new.get(name))
}

fn grace_is_over(object: &Value) -> bool {
    object["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0) == 0
}
