//! Update and patch.

use serde_json::Value;

use super::{Answer, create, key, live, metadata, scale, write};
use crate::cluster::request::{PatchKind, Request};
use crate::cluster::state::State;
use crate::cluster::status::{Cause, Status};
use crate::cluster::{apply, go, patch};

pub(super) fn replace(state: &mut State, request: &Request, mut body: Value) -> Result<Answer, Status> {
    if request.subresource.as_deref() == Some("scale") {
        let live = live(state, request)?;
        return scale::save(state, request, &live, &body);
    }
    metadata::receive(state, request, &mut body, None)?;
    if state.store.get(&request.kind.table, &key(request)).is_none() && request.kind.is_created_by_update() {
        return create::insert(state, request, body);
    }
    let live = live(state, request)?;
    write::save(state, request, &live, body)
}

pub(super) fn patch(state: &mut State, request: &Request, kind: PatchKind, body: &Value) -> Result<Answer, Status> {
    if kind == PatchKind::Apply {
        return apply(state, request, body);
    }
    let live = live(state, request)?;
    if request.subresource.as_deref() == Some("scale") {
        let patched = patch::patched(&request.kind, kind, &scale::of(request, &live)?, body)?;
        return scale::save(state, request, &live, &patched);
    }
    let mut new = patch::patched(&request.kind, kind, live.value(), body)?;
    let shown = || match kind {
        PatchKind::Strategic => go::shown(body),
        _ => patch::patched(&request.kind, kind, live.value(), body).unwrap_or_default().to_string(),
    };
    metadata::receive(state, request, &mut new, Some(&shown))?;
    write::save(state, request, &live, new)
}

fn apply(state: &mut State, request: &Request, body: &Value) -> Result<Answer, Status> {
    if request.options.field_manager.is_empty() {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        return Err(Status::invalid_options("PatchOptions", &[cause]));
    }
    if request.subresource.as_deref() == Some("scale") {
        return Err(Status::unsupported("server-side apply of the scale subresource"));
    }
    // Neither pruned nor filled in: who applies owns what was sent, no more and no less.
    if body.is_object() {
        metadata::is_at_url(request, &mut body.clone())?;
    }
    let live = state.store.get(&request.kind.table, &key(request)).cloned();
    let writer = write::writer(request, state);
    let value = live.as_ref().map(|live| live.value());
    let mut new = apply::apply(&request.kind, value, body, writer, request.options.force)?;
    if live.is_none() && body["metadata"]["name"].as_str().is_none_or(str::is_empty) {
        let name = &request.name;
        let message = format!("the name of the object ({name} based on URL) was undeterminable: name must be provided");
        return Err(Status::bad_request(message));
    }
    metadata::is_at_url(request, &mut new)?;
    match live {
        Some(live) => write::save(state, request, &live, new),
        None if request.subresource.is_some() => Err(Status::not_found(&request.kind, &request.name)),
        None => create::insert(state, request, new),
    }
}
