//! Delete, of one object and of many.

use std::sync::Arc;

use serde_json::Value;

use super::read;
use super::{Answer, done, key, live};
use crate::cluster::gc;
use crate::cluster::namespaces;
use crate::cluster::options::{Options, Propagation};
use crate::cluster::request::Request;
use crate::cluster::resources::Kind;
use crate::cluster::state::State;
use crate::cluster::status::Status;
use crate::cluster::store::{Key, Object};

/// How long a pod that runs somewhere is given, if it does not say itself.
const POD_GRACE_SECONDS: i64 = 30;

pub(super) fn delete(state: &mut State, request: &Request, body: &Value) -> Result<Answer, Status> {
    let mut options = request.options.clone();
    options.add_delete_options(body)?;
    let live = live(state, request)?;
    namespaces::may_delete(request)?;
    holds_preconditions(&request.kind, &request.name, &live, &options)?;
    if gc::is_emptying(&request.kind, &live) {
        let why = "The system is ensuring all content is removed from this namespace.  Upon completion, this namespace will \
            automatically be purged by the system.";
        return Err(Status::conflict(&request.kind, &request.name, why));
    }
    let grace = grace(&request.kind, &live, &options);
    let propagation = propagation(&request.kind, &options);
    if options.dry_run {
        let left = gc::deleted(state, &request.kind.table, &live, propagation, grace);
        return Ok(left.map_or_else(|| gone(request, live), |left| Answer::Made(200, left)));
    }
    let left = gc::delete(state, &(request.kind.table.clone(), key(request)), propagation, grace);
    Ok(left.map_or_else(|| gone(request, live), |object| Answer::Stored(200, object)))
}

fn gone(request: &Request, live: Arc<Object>) -> Answer {
    if request.kind.returns_the_deleted() { Answer::Stored(200, live) } else { done(request, &live) }
}

pub(super) fn delete_collection(state: &mut State, request: &Request, body: &Value) -> Result<Answer, Status> {
    let mut options = request.options.clone();
    options.add_delete_options(body)?;
    let found = read::list(state, request)?;
    for object in found.items.iter().filter(|_| !options.dry_run) {
        let text = |field: &str| object.metadata(field).and_then(Value::as_str).unwrap_or_default();
        let place = (request.kind.table.clone(), Key::new(text("namespace"), text("name")));
        let grace = grace(&request.kind, object, &options);
        gc::delete(state, &place, propagation(&request.kind, &options), grace);
    }
    Ok(Answer::List(found))
}

fn propagation(kind: &Kind, options: &Options) -> Option<Propagation> {
    options.propagation.or_else(|| kind.orphans_by_default().then_some(Propagation::Orphan))
}

fn grace(kind: &Kind, live: &Object, options: &Options) -> i64 {
    if !kind.is("", "pods") {
        return 0;
    }
    let value = live.value();
    let ran = matches!(value["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if ran || value["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        return 0;
    }
    let wished = value["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(POD_GRACE_SECONDS);
    options.grace_period_seconds.unwrap_or(wished).max(0)
}

fn holds_preconditions(kind: &Kind, name: &str, live: &Object, options: &Options) -> Result<(), Status> {
    if let Some(uid) = &options.precondition_uid
        && uid != live.uid()
    {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            live.uid()
        );
        return Err(Status::conflict_of_kind(kind, name, &why));
    }
    if let Some(version) = &options.precondition_version
        && *version != live.version().to_string()
    {
        let why = format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({}). The object might have been modified",
            live.version()
        );
        return Err(Status::conflict_of_kind(kind, name, &why));
    }
    Ok(())
}
