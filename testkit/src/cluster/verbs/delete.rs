//! Delete, of one object and of many.

use serde_json::Value;

use super::{Answer, done, key, live};
use crate::cluster::request::Request;
use crate::cluster::state::State;
use crate::cluster::status::Status;

pub(super) fn delete(state: &mut State, request: &Request, _body: &Value) -> Result<Answer, Status> {
    let live = live(state, request)?;
    state.store.remove(&request.kind.table, &key(request));
    Ok(done(request, &live))
}

pub(super) fn delete_collection(_: &mut State, _: &Request, _: &Value) -> Result<Answer, Status> {
    Err(Status::unsupported("deletecollection"))
}
