//! Get and list.

use std::sync::Arc;

use super::{Answer, live, scale};
use crate::cluster::options::VersionMatch;
use crate::cluster::request::{Request, Verb};
use crate::cluster::selectors::Selector;
use crate::cluster::state::State;
use crate::cluster::status::Status;
use crate::cluster::store::{Key, Object};

/// Objects, and the version they are all of.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) items: Vec<Arc<Object>>,
    pub(crate) version: u64,
    pub(crate) continue_token: Option<String>,
    pub(crate) remaining: Option<usize>,
}

pub(super) fn get(state: &State, request: &Request) -> Result<Answer, Status> {
    if let Some(version) = version_of(request)? {
        not_ahead(state, version)?;
    }
    let live = live(state, request)?;
    match request.subresource.as_deref() {
        Some("scale") => scale::get(request, &live),
        _ => Ok(Answer::Stored(200, live)),
    }
}

pub(super) fn list(state: &State, request: &Request) -> Result<List, Status> {
    let options = &request.options;
    let selector = selector(request)?;
    let token = (!options.continue_token.is_empty()).then(|| Token::read(&options.continue_token)).transpose()?;
    let version = match &token {
        Some(_) if version_of(request)?.is_some_and(|version| version != 0) => {
            return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
        }
        Some(token) => token.version.unwrap_or_else(|| state.store.version()),
        None => version_to_list(state, request)?,
    };
    if version < state.store.compacted() {
        return Err(token.map_or_else(too_old, Token::expired));
    }
    let after = |key: &Key| token.as_ref().is_none_or(|token| *key > token.last);
    let chosen = |key: &Key, object: &Object| after(key) && (selector.is_empty() || selector.matches(key, object));
    let mut found: Vec<(&Key, &Arc<Object>)> = Vec::new();
    if let Some(table) = state.store.table(&request.kind.table) {
        let namespace = namespace(request);
        if version == state.store.version() {
            found.extend(table.now(namespace).filter(|(key, object)| chosen(key, object)));
        } else {
            found = table.at(version, namespace).map_err(|_| too_old())?;
            found.retain(|(key, object)| chosen(key, object));
        }
    }
    let limit = if options.limit == 0 { found.len() } else { options.limit };
    let left = found.len().saturating_sub(limit);
    found.truncate(limit);
    let last = found.last().map(|(key, _)| (*key).clone()).filter(|_| left > 0);
    Ok(List {
        continue_token: last.map(|last| Token { version: Some(version), last }.written()),
        // With a selector the real server does not know it either.
        remaining: (left > 0 && selector.is_empty()).then_some(left),
        items: found.into_iter().map(|(_, object)| object.clone()).collect(),
        version,
    })
}

pub(crate) fn selector(request: &Request) -> Result<Selector, Status> {
    let options = &request.options;
    let mut fields = options.field_selector.clone();
    if !request.name.is_empty() {
        fields = format!("{fields},metadata.name={}", request.name);
    }
    Selector::read(&request.kind, &options.label_selector, &fields)
}

pub(crate) fn namespace(request: &Request) -> Option<&str> {
    Some(request.namespace.as_str()).filter(|namespace| !namespace.is_empty())
}

/// What the client asked for; 0 is "any".
pub(crate) fn version_of(request: &Request) -> Result<Option<u64>, Status> {
    let Some(said) = &request.options.resource_version else { return Ok(None) };
    said.parse().map(Some).map_err(|_| {
        let go = format!("strconv.ParseUint: parsing {said:?}: invalid syntax");
        let why = format!("resourceVersion: Invalid value: {said:?}: {go}");
        match request.verb {
            Verb::List => Status::bad_request(format!("invalid resource version: {why}")),
            _ => Status::internal(why),
        }
    })
}

fn version_to_list(state: &State, request: &Request) -> Result<u64, Status> {
    let options = &request.options;
    let said = version_of(request)?;
    match (&options.version_match, said) {
        (Some(VersionMatch::Exact), Some(version)) => exactly(state, version),
        // Of old, a page of a list at a version is exactly of that version.
        (None, Some(version)) if version != 0 && options.limit != 0 => exactly(state, version),
        (_, None | Some(0)) => Ok(state.store.version()),
        (_, Some(version)) => not_ahead(state, version).map(|()| state.store.version()),
    }
}

fn exactly(state: &State, version: u64) -> Result<u64, Status> {
    not_ahead(state, version)?;
    Ok(version)
}

/// What has not happened yet cannot be read. The real server waits three seconds for it.
fn not_ahead(state: &State, version: u64) -> Result<(), Status> {
    let current = state.store.version();
    if version <= current {
        return Ok(());
    }
    let message = format!("Timeout: Too large resource version: {version}, current: {current}");
    let cause = serde_json::json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
    Err(Status::new(504, "Timeout", message).with_detail("causes", cause).with_detail("retryAfterSeconds", 1))
}

fn too_old() -> Status {
    Status::expired("The resourceVersion for the provided list is too old.")
}

/// Where the next page begins.
struct Token {
    /// `None`: whatever is there by then.
    version: Option<u64>,
    last: Key,
}

/// What is written for no version.
const LATEST: &str = "-1";

impl Token {
    fn written(&self) -> String {
        let version = self.version.map_or_else(|| LATEST.to_owned(), |version| version.to_string());
        format!("{version}/{}/{}", self.last.namespace, self.last.name)
    }

    /// Refuses it, and gives one with which the list goes on at another version.
    fn expired(self) -> Status {
        let status = Status::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue \
             parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided \
             token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was \
             returned and now may show up in the list.",
        );
        status.with_continue(Self { version: None, ..self }.written())
    }

    fn read(text: &str) -> Result<Self, Status> {
        let mut parts = text.splitn(3, '/');
        let mut next = || parts.next();
        let version = next().and_then(|version| match version {
            LATEST => Some(None),
            version => version.parse().ok().map(Some),
        });
        match (version, next(), next()) {
            (Some(version), Some(namespace), Some(name)) => Ok(Self { version, last: Key::new(namespace, name) }),
            _ => Err(Status::bad_request("invalid continue token: continue key is not valid")),
        }
    }
}
