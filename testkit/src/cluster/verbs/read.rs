//! Get and list.

use std::sync::Arc;

use super::{Answer, live};
use crate::cluster::request::Request;
use crate::cluster::state::State;
use crate::cluster::status::Status;
use crate::cluster::store::Object;

/// Objects, and the version they are all of.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) items: Vec<Arc<Object>>,
    pub(crate) version: u64,
    pub(crate) continue_token: Option<String>,
    pub(crate) remaining: Option<usize>,
}

pub(super) fn get(state: &State, request: &Request) -> Result<Answer, Status> {
    Ok(Answer::Stored(200, live(state, request)?))
}

pub(super) fn list(state: &State, request: &Request) -> Result<List, Status> {
    let items = selection(state, request).collect();
    Ok(List { items, version: state.store.version(), continue_token: None, remaining: None })
}

/// What a list or a watch is of, as it is now.
pub(crate) fn selection<'a>(state: &'a State, request: &'a Request) -> impl Iterator<Item = Arc<Object>> + 'a {
    let namespace = Some(request.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let table = state.store.table(&request.kind.table);
    table.into_iter().flat_map(move |table| table.now(namespace)).map(|(_, object)| object.clone())
}
