//! Create.

use serde_json::{Value, json};

use super::{Answer, admit, metadata, register, review, validation, write};
use crate::cluster::request::Request;
use crate::cluster::state::State;
use crate::cluster::status::Status;
use crate::cluster::store::Key;
use crate::cluster::types::{Shape, Type};
use crate::cluster::{apply, convert, crd, gc, namespaces};

pub(super) fn create(state: &mut State, request: &Request, mut body: Value) -> Result<Answer, Status> {
    if review::is_review(&request.kind) {
        return review::answer(state, request, body);
    }
    metadata::receive(state, request, &mut body, None)?;
    insert(state, request, body)
}

/// Puts in an object that [`metadata::receive`] has read.
pub(super) fn insert(state: &mut State, request: &Request, mut new: Value) -> Result<Answer, Status> {
    let kind = &request.kind;
    let fields = metadata::metadata(&mut new)?;
    if !matches!(metadata::text(fields, "resourceVersion"), "" | "0") {
        return Err(Status::internal("resourceVersion should not be set on objects to be created"));
    }
    fields.remove("resourceVersion");
    metadata::drop_servers_own(fields);
    let generate = metadata::text(fields, "generateName").to_owned();
    if metadata::text(fields, "name").is_empty() && !generate.is_empty() {
        fields.insert("name".to_owned(), format!("{generate}{}", state.suffix()).into());
    }
    let name = metadata::text(fields, "name").to_owned();
    namespaces::may_create(state, request, &name)?;
    let fields = metadata::metadata(&mut new)?;
    fields.insert("uid".to_owned(), state.uid().into());
    fields.insert("creationTimestamp".to_owned(), state.time());
    if kind.counts_generations() {
        fields.insert("generation".to_owned(), json!(1));
    }
    if kind.has_status() {
        metadata::object(&mut new)?.remove("status");
    }
    namespaces::prepare(kind, &mut new);
    empty_halves(request, &mut new)?;
    crd::default(kind, &mut new);
    convert::complete(kind, &mut new);
    let mut causes = validation::name(kind, &name);
    causes.extend(validation::metadata(kind, &new));
    causes.extend(crd::validate(kind, &new, None, None).err().unwrap_or_default());
    causes.extend(admit(state, kind, &mut new, None)?);
    if !causes.is_empty() {
        return Err(Status::invalid(kind, &name, &causes));
    }
    let key = Key::new(&request.namespace, &name);
    if let Some(there) = state.store.get(&kind.table, &key) {
        let mut status = Status::already_exists(kind, &name);
        if there.is_terminating() {
            status.message.insert_str(0, "object is being deleted: ");
        }
        return Err(status);
    }
    if !write::is_noted(request) {
        apply::track(kind, None, &mut new, write::writer(request, state));
    }
    let new = convert::kept(kind, &new).unwrap_or(new);
    if request.options.dry_run {
        return Ok(Answer::Made(201, new));
    }
    let object = state.store.put(&kind.table, key.clone(), convert::stored(kind, new));
    register(state, kind, &object)?;
    gc::written(state, &kind.table, key, &object);
    Ok(Answer::Stored(201, object))
}

/// The server's own types show an empty spec and status, custom resources do not.
fn empty_halves(request: &Request, new: &mut Value) -> Result<(), Status> {
    let of = request.kind.type_name.as_deref().and_then(Type::of);
    for half in ["spec", "status"] {
        if let Some(shape) = of.and_then(|of| of.fields.get(half)) {
            let shows_more = half == "status" && !request.kind.is(crd::GROUP, crd::PLURAL);
            metadata::object(new)?.entry(half).or_insert_with(|| empty_half(shape, shows_more));
        }
    }
    Ok(())
}

/// A status shows what is always in it, too; a spec without that makes no sense, and is not what this is about.
fn empty_half(shape: &Shape, shows_more: bool) -> Value {
    let fields = shape.object().filter(|_| shows_more).map(|of| &of.fields);
    let always = fields.into_iter().flatten().filter(|(_, shape)| shape.is_always_there() && shape.object().is_some());
    Value::Object(always.map(|(name, _)| (name.clone(), json!({}))).collect())
}
