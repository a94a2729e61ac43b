//! Every request that the cluster received, to assert on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::request::Parts;
use jiff::Timestamp;

use super::request::Request;
use crate::AuditEvent;

/// In the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Record {
    events: Mutex<Events>,
}

#[derive(Debug, Default)]
struct Events {
    /// How many came before those that are kept.
    forgotten: usize,
    kept: Vec<AuditEvent>,
}

impl Record {
    /// Notes that a request came; gives where.
    pub(crate) fn received(&self, user: &str, parts: &Parts, request: Option<&Request>, now: Timestamp) -> usize {
        let text = |of: fn(&Request) -> &str| request.map(of).unwrap_or_default().to_owned();
        let verb =
            request.map_or_else(|| parts.method.as_str().to_lowercase(), |request| request.verb.name().to_owned());
        let agent = parts.headers.get(http::header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let event = AuditEvent {
            user: user.to_owned(),
            verb,
            resource: text(|request| &request.kind.plural),
            subresource: text(|request| request.subresource.as_deref().unwrap_or_default()),
            group: text(|request| &request.kind.group),
            namespace: text(|request| &request.namespace),
            name: text(|request| &request.name),
            uri: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            code: None,
            received: now,
            completed: None,
            user_agent: agent.unwrap_or_default().to_owned(),
        };
        let mut events = self.events();
        events.kept.push(event);
        events.forgotten + events.kept.len() - 1
    }

    /// Notes the answer; of a watch that it runs, and later that it has ended.
    pub(crate) fn answered(&self, index: usize, code: Option<u16>, completed: Option<Timestamp>) {
        let mut events = self.events();
        let Events { forgotten, kept } = &mut *events;
        if let Some(event) = index.checked_sub(*forgotten).and_then(|index| kept.get_mut(index)) {
            event.code = code.or(event.code);
            event.completed = completed.or(event.completed);
        }
    }

    /// Notes what the object is called that a create brings.
    pub(crate) fn named(&self, index: usize, name: &str) {
        let mut events = self.events();
        let Events { forgotten, kept } = &mut *events;
        if let Some(event) = index.checked_sub(*forgotten).and_then(|index| kept.get_mut(index)) {
            name.clone_into(&mut event.name);
        }
    }

    pub(crate) fn at(&self, index: usize) -> Option<AuditEvent> {
        let events = self.events();
        events.kept.get(index.checked_sub(events.forgotten)?).cloned()
    }

    pub(crate) fn all(&self) -> Vec<AuditEvent> {
        self.events().kept.clone()
    }

    /// All that came so far, also what is not yet answered.
    pub(crate) fn forget(&self) {
        let mut events = self.events();
        events.forgotten += events.kept.len();
        events.kept.clear();
    }

    fn events(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
