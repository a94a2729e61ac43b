//! Create.

use serde_json::{Value, json};

use super::{Answer, metadata};
use crate::cluster::request::Request;
use crate::cluster::state::State;
use crate::cluster::status::Status;
use crate::cluster::store::Key;

pub(super) fn create(state: &mut State, request: &Request, mut body: Value) -> Result<Answer, Status> {
    let kind = &request.kind;
    metadata::matches_url(request, &mut body)?;
    let fields = metadata::metadata(&mut body)?;
    metadata::drop_servers_own(fields);
    let generate = metadata::text(fields, "generateName").to_owned();
    if metadata::text(fields, "name").is_empty() && !generate.is_empty() {
        fields.insert("name".to_owned(), format!("{generate}{}", state.suffix()).into());
    }
    let name = metadata::text(fields, "name").to_owned();
    let key = Key::new(&request.namespace, &name);
    if state.store.get(&kind.table, &key).is_some() {
        return Err(Status::already_exists(kind, &name));
    }
    fields.insert("uid".to_owned(), state.uid().into());
    fields.insert("creationTimestamp".to_owned(), state.time());
    if metadata::has_generation(kind) {
        fields.insert("generation".to_owned(), json!(1));
    }
    if kind.has_status() {
        metadata::object(&mut body)?.remove("status");
    }
    if request.options.dry_run {
        return Ok(Answer::Made(201, body));
    }
    Ok(Answer::Stored(201, state.store.put(&kind.table, key, body)))
}
