//! Update and patch.

use serde_json::Value;

use super::{Answer, create, key, live, metadata, scale, write};
use crate::cluster::request::{PatchKind, Request};
use crate::cluster::state::State;
use crate::cluster::status::{Cause, Status};
use crate::cluster::{apply, convert, decode, patch};

pub(super) fn replace(state: &mut State, request: &Request, mut body: Value) -> Result<Answer, Status> {
    if is_scale(request) {
        return scale::replace(state, request, body);
    }
    metadata::receive(state, request, &mut body, None)?;
    if state.store.get(&request.kind.table, &key(request)).is_none() && request.kind.is_created_by_update() {
        write::is_of_uid(request, "", &body)?;
        // Whatever version it is of: there is none to compare it with.
        if let Some(metadata) = body.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            metadata.remove("resourceVersion");
        }
        return create::insert(state, request, body);
    }
    let live = live(state, request)?;
    write::save(state, request, &live, body)
}

pub(super) fn patch(state: &mut State, request: &Request, kind: PatchKind, body: &Value) -> Result<Answer, Status> {
    if kind == PatchKind::Apply {
        return apply(state, request, body);
    }
    if is_scale(request) {
        return scale::patch(state, request, kind, body);
    }
    let live = live(state, request)?;
    let mut new = patch::patched(&request.kind, kind, live.value(), body)?;
    let shown = || patch::shown(&request.kind, kind, live.value(), body);
    if kind == PatchKind::Json {
        let odd = patch::odd_fields(body).into_iter().map(|field| format!("json patch unknown field \"{field}\""));
        metadata::warn_or_refuse(state, request, odd.collect(), Some(&shown))?;
    }
    metadata::receive(state, request, &mut new, Some(&shown))?;
    write::save(state, request, &live, new)
}

fn is_scale(request: &Request) -> bool {
    request.subresource.as_deref() == Some("scale")
}

fn apply(state: &mut State, request: &Request, body: &Value) -> Result<Answer, Status> {
    if request.options.field_manager.is_empty() {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        return Err(Status::invalid_options("PatchOptions", &[cause]));
    }
    if is_scale(request) {
        return scale::apply(state, request, body);
    }
    // Neither pruned nor filled in: who applies owns what was sent, no more and no less.
    if body.is_object() {
        metadata::is_at_url(request, &mut body.clone())?;
    }
    let live = state.store.get(&request.kind.table, &key(request)).map(|live| convert::shown(&request.kind, live));
    let writer = write::writer(request, state);
    let value = live.as_ref().map(|live| live.value());
    let mut new = apply::apply(&request.kind, value, body, writer, request.options.force)?;
    if live.is_none() && body["metadata"]["name"].as_str().is_none_or(str::is_empty) {
        let name = &request.name;
        let message = format!("the name of the object ({name} based on URL) was undeterminable: name must be provided");
        return Err(Status::bad_request(message));
    }
    metadata::is_at_url(request, &mut new)?;
    // What was merged is read as the server's type, too.
    if let Some(mismatch) = decode::decode(&request.kind, &mut new).mismatch {
        return Err(Status::bad_request(mismatch));
    }
    match live {
        Some(live) => write::save(state, request, &live, new),
        None if request.subresource.is_some() => Err(Status::not_found(&request.kind, &request.name)),
        None => create::insert(state, request, new),
    }
}
