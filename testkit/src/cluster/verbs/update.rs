//! Update and patch.

use serde_json::Value;

use super::{Answer, key, live, metadata};
use crate::cluster::request::{PatchKind, Request};
use crate::cluster::state::State;
use crate::cluster::status::Status;

pub(super) fn replace(state: &mut State, request: &Request, mut body: Value) -> Result<Answer, Status> {
    metadata::matches_url(request, &mut body)?;
    let live = live(state, request)?;
    let fields = metadata::metadata(&mut body)?;
    let said = metadata::text(fields, "resourceVersion");
    if !said.is_empty() && said != live.version().to_string() {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        return Err(Status::conflict(&request.kind, &request.name, why));
    }
    metadata::keep_servers_own(fields, live.value());
    if body == *live.value() {
        return Ok(Answer::Stored(200, live));
    }
    Ok(Answer::Stored(200, state.store.put(&request.kind.table, key(request), body)))
}

pub(super) fn patch(_: &mut State, _: &Request, _: PatchKind, _: &Value) -> Result<Answer, Status> {
    Err(Status::unsupported("patches"))
}
