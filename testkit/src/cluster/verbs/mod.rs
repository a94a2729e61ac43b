//! What each verb does to the store.

mod create;
mod delete;
mod metadata;
mod read;
mod review;
mod scale;
mod update;
mod validation;
mod write;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::apply::{self, Writer};
use super::gc;
use super::request::{Request, Verb};
use super::resources::Kind;
use super::state::State;
use super::status::{Cause, Status};
use super::store::{Key, Object};
use super::{convert, crd, events};

pub(crate) use self::read::{List, namespace, selector, version_of};

/// What a request that succeeded is answered with.
#[derive(Debug)]
pub(crate) enum Answer {
    /// An object as it is stored.
    Stored(u16, Arc<Object>),
    /// An object that is not: a dry run's, or a subresource's.
    Made(u16, Value),
    /// Done, with nothing to show but what it was done to.
    Done(Value),
    List(List),
}

/// Carries out everything but watches.
pub(crate) fn perform(state: &mut State, request: &Request, body: Value) -> Result<Answer, Status> {
    supported(request)?;
    let answer = match request.verb {
        Verb::Get => read::get(state, request),
        Verb::List => read::list(state, request).map(Answer::List),
        Verb::Watch => Err(Status::unsupported("a watch here")),
        Verb::Create => create::create(state, request, body),
        Verb::Update => update::replace(state, request, body),
        Verb::Patch(kind) => update::patch(state, request, kind, &body),
        Verb::Delete => delete::delete(state, request, &body),
        Verb::DeleteCollection => delete::delete_collection(state, request, &body),
    };
    gc::settle(state);
    answer
}

/// Refuses what would be answered wrongly.
pub(crate) fn supported(request: &Request) -> Result<(), Status> {
    match request.subresource.as_deref() {
        None | Some("status" | "scale") => convert::supported(&request.kind),
        Some(other) => Err(Status::unsupported(format!("the subresource {}/{other}", request.kind.plural))),
    }
}

/// Serves the kinds of a CRD from now on, and says so in its status.
pub(crate) fn register(state: &mut State, kind: &Kind, object: &Object) -> Result<(), Status> {
    if !kind.is(crd::GROUP, crd::PLURAL) {
        return Ok(());
    }
    let name = object.metadata("name").and_then(Value::as_str).unwrap_or_default();
    let mut established = object.value().clone();
    if crd::establish(&mut established, &state.resources, &state.time()) {
        state.resources.replace(name, crd::register(object.value())?);
    }
    if established != *object.value() {
        let writer = Writer { manager: "kube-apiserver", subresource: Some("status"), now: state.now };
        apply::track(kind, Some(object.value()), &mut established, writer);
        state.store.put(&kind.table, Key::new("", name), established);
    }
    Ok(())
}

/// What the server itself checks of the kinds that it validates here: of CRDs and events.
fn admit(state: &State, kind: &Kind, new: &mut Value, old: Option<&Value>) -> Result<Vec<Cause>, Status> {
    if kind.is(crd::GROUP, crd::PLURAL) {
        crd::supported(new, state.leaves_rules_unevaluated)?;
        return Ok(crd::admit(new, old).err().unwrap_or_default());
    }
    if events::is_events(kind) {
        let old = old.map(|old| convert::stored(kind, old.clone()));
        return Ok(events::validate(kind, &convert::stored(kind, new.clone()), old.as_ref()));
    }
    Ok(Vec::new())
}

/// Where the object lies that a request is about.
fn key(request: &Request) -> Key {
    Key::new(&request.namespace, &request.name)
}

fn live(state: &State, request: &Request) -> Result<Arc<Object>, Status> {
    let object = state.store.get(&request.kind.table, &key(request));
    let object = object.ok_or_else(|| Status::not_found(&request.kind, &request.name))?;
    Ok(convert::shown(&request.kind, object))
}

/// The status of a delete that left nothing.
fn done(request: &Request, object: &Object) -> Answer {
    let mut details = Map::new();
    details.insert("name".to_owned(), object.metadata("name").cloned().unwrap_or_default());
    if !request.kind.group.is_empty() {
        details.insert("group".to_owned(), request.kind.group.clone().into());
    }
    details.insert("kind".to_owned(), request.kind.plural.clone().into());
    details.insert("uid".to_owned(), object.uid().into());
    Answer::Done(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}))
}
