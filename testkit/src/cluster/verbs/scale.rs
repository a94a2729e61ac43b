//! The scale subresource: the replicas of whatever has some, in the same words for all.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, live, metadata, write};
use crate::cluster::request::{PatchKind, Request};
use crate::cluster::resources::Kind;
use crate::cluster::state::State;
use crate::cluster::status::{Cause, Status};
use crate::cluster::store::Object;
use crate::cluster::{apply, decode, patch, selectors};

/// Where a kind keeps its replicas, as JSON pointers.
struct Paths {
    wished: String,
    actual: String,
    selector: Option<String>,
}

fn paths(request: &Request) -> Paths {
    let custom = request.kind.custom.as_ref().and_then(|custom| custom.scale.as_ref());
    let path = |field: &str| custom.and_then(|scale| scale[field].as_str()).map(|path| path.replace('.', "/"));
    Paths {
        wished: path("specReplicasPath").unwrap_or_else(|| "/spec/replicas".to_owned()),
        actual: path("statusReplicasPath").unwrap_or_else(|| "/status/replicas".to_owned()),
        selector: path("labelSelectorPath"),
    }
}

pub(super) fn get(request: &Request, live: &Object) -> Result<Answer, Status> {
    let wished = paths(request).wished;
    if request.kind.custom.is_some() && live.value().pointer(&wished).is_none() {
        let why = format!("the spec replicas field {:?} does not exist", wished.replace('/', "."));
        let status = Status::new(500, "InternalError", format!("Internal error occurred: {why}"));
        return Err(status.with_detail("causes", json!([{ "message": why }])));
    }
    Ok(Answer::Made(200, of(request, live.value())))
}

pub(super) fn replace(state: &mut State, request: &Request, mut body: Value) -> Result<Answer, Status> {
    let live = live(state, request)?;
    receive(state, request, &mut body, None)?;
    track(state, request, &live, &mut body);
    save(state, request, &live, &body)
}

pub(super) fn patch(state: &mut State, request: &Request, kind: PatchKind, body: &Value) -> Result<Answer, Status> {
    let live = live(state, request)?;
    let old = with_notes(request, &live);
    let mut new = patch::patched(&scale_kind(), kind, &old, body)?;
    let shown = || patch::shown(&scale_kind(), kind, &old, body);
    receive(state, request, &mut new, Some(&shown))?;
    track(state, request, &live, &mut new);
    save(state, request, &live, &new)
}

pub(super) fn apply(state: &mut State, request: &Request, body: &Value) -> Result<Answer, Status> {
    let live = live(state, request)?;
    let (kind, writer) = (scale_kind(), write::writer(request, state));
    if request.kind.custom.is_some() {
        let Request { namespace, name, .. } = request;
        let place = if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") };
        // The real server can't either.
        let message = format!(
            "failed to convert new object ({place}; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid \
             group/version: autoscaling/v1"
        );
        return Err(Status::internal(message));
    }
    let mut new = apply::apply(&kind, Some(&with_notes(request, &live)), body, writer, request.options.force)?;
    metadata::is_at_url(request, &mut new)?;
    save(state, request, &live, &new)
}

/// A scale as a kind of its own.
fn scale_kind() -> Kind {
    let text = str::to_owned;
    let (group, version, kind) = (text("autoscaling"), text("v1"), text("Scale"));
    let (plural, singular) = (text("scales"), text("scale"));
    Kind { group, version, kind, plural, singular, namespaced: true, ..Kind::default() }
}

/// The scale of an object.
fn of(request: &Request, object: &Value) -> Value {
    let Paths { wished, actual, selector } = paths(request);
    let number = |path: &str| object.pointer(path).and_then(Value::as_i64).unwrap_or(0);
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object["metadata"].get(field) {
            metadata[field] = value.clone();
        }
    }
    let mut status = json!({"replicas": number(&actual)});
    let selector = match selector {
        Some(path) => object.pointer(&path).and_then(Value::as_str).map(str::to_owned),
        None if request.kind.custom.is_some() => None,
        None => Some(selectors::of_object(&object["spec"]["selector"])),
    };
    if let Some(selector) = selector.filter(|selector| !selector.is_empty()) {
        status["selector"] = selector.into();
    }
    let mut scale =
        json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": {}, "status": status});
    let wished = number(&wished);
    if wished != 0 {
        scale["spec"]["replicas"] = wished.into();
    }
    scale
}

fn with_notes(request: &Request, live: &Object) -> Value {
    let mut scale = of(request, live.value());
    let notes = apply::notes_of_scale(&live.value()["metadata"]["managedFields"], &steps(&paths(request).wished));
    if notes.as_array().is_some_and(|notes| !notes.is_empty()) {
        scale["metadata"]["managedFields"] = notes;
    }
    scale
}

fn steps(pointer: &str) -> Vec<&str> {
    pointer.split('/').filter(|part| !part.is_empty()).collect()
}

/// Reads what a client sent as a scale.
fn receive(
    state: &mut State,
    request: &Request,
    scale: &mut Value,
    patched: Option<&dyn Fn() -> String>,
) -> Result<(), Status> {
    let request = Request { kind: Arc::new(scale_kind()), ..request.clone() };
    metadata::receive(state, &request, scale, patched)?;
    let wished = &scale["spec"]["replicas"];
    if wished.is_null() || wished.is_i64() {
        return Ok(());
    }
    let why = decode::mismatch(wished, "ScaleSpec.spec.replicas", "int32");
    Err(metadata::unreadable(&request, patched, &why))
}

fn track(state: &State, request: &Request, live: &Object, new: &mut Value) {
    apply::track(&scale_kind(), Some(&with_notes(request, live)), new, write::writer(request, state));
}

fn save(state: &mut State, request: &Request, live: &Arc<Object>, scale: &Value) -> Result<Answer, Status> {
    let wished = scale["spec"]["replicas"].as_i64().unwrap_or(0);
    if wished < 0 && request.kind.custom.is_none() {
        let cause = Cause::invalid("spec.replicas", &json!(wished), "must be greater than or equal to 0");
        return Err(Status::invalid_scale(&request.name, &[cause]));
    }
    let path = paths(request).wished;
    let mut new = live.value().clone();
    let fields = metadata::metadata(&mut new)?;
    let said = scale["metadata"]["resourceVersion"].as_str().unwrap_or_default();
    let version = if said.is_empty() { live.version().to_string() } else { said.to_owned() };
    fields.insert("resourceVersion".to_owned(), version.into());
    if let Some(uid) = scale["metadata"]["uid"].as_str().filter(|uid| !uid.is_empty()) {
        fields.insert("uid".to_owned(), uid.into());
    }
    let (before, notes) = (&live.value()["metadata"]["managedFields"], &scale["metadata"]["managedFields"]);
    match apply::notes_of_object(&request.kind, before, notes, &steps(&path)) {
        Value::Null => drop(fields.remove("managedFields")),
        notes => drop(fields.insert("managedFields".to_owned(), notes)),
    }
    let mut place = &mut new;
    for part in steps(&path) {
        place = metadata::object(place)?.entry(part).or_insert_with(|| json!({}));
    }
    *place = json!(wished);
    Ok(match write::save(state, request, live, new)? {
        Answer::Stored(code, object) => Answer::Made(code, of(request, object.value())),
        Answer::Made(code, object) => Answer::Made(code, of(request, &object)),
        other => other,
    })
}
