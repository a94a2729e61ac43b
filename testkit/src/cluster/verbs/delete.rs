//! Delete, of one object and of many.

use std::sync::Arc;

use serde_json::Value;

use super::read::{self, List};
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
    Ok(match carry_out(state, &request.kind, key(request), &live, &options) {
        Some(object) => Answer::Stored(200, object),
        None if request.kind.returns_the_deleted() => Answer::Stored(200, live),
        None => done(request, &live),
    })
}

pub(super) fn delete_collection(state: &mut State, request: &Request, body: &Value) -> Result<Answer, Status> {
    let mut options = request.options.clone();
    options.add_delete_options(body)?;
    let found = read::list(state, request)?;
    for object in &found.items {
        let text = |field: &str| object.metadata(field).and_then(Value::as_str).unwrap_or_default();
        let key = Key::new(text("namespace"), text("name"));
        carry_out(state, &request.kind, key, object, &options);
    }
    Ok(Answer::List(List { version: state.store.version(), ..found }))
}

/// Gives the object if there is still one.
fn carry_out(state: &mut State, kind: &Kind, key: Key, live: &Arc<Object>, options: &Options) -> Option<Arc<Object>> {
    let default = kind.orphans_by_default().then_some(Propagation::Orphan);
    let grace = grace(kind, live, options);
    if options.dry_run {
        return None;
    }
    gc::delete(state, &(kind.table.clone(), key), options.propagation.or(default), grace)
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
