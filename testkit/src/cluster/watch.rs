//! Watches: they read the history at their own pace, and are woken when there is more.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, stream};
use serde_json::Value;
use tokio::time::Instant;

use super::body::Cut;
use super::encode;
use super::faults::{WatchFaults, WatchedFaults};
use super::request::Request;
use super::selectors::Selector;
use super::server::Server;
use super::signal::Listener;
use super::state::State;
use super::status::Status;
use super::store::{Change, ChangeKind, Object};
use super::verbs;

/// As often does the real server tell clients a newer version when nothing happens.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// One watch.
#[derive(Debug)]
pub(crate) struct Watch {
    server: Arc<Server>,
    request: Request,
    selector: Selector,
    /// All changes up to this version were looked at.
    version: u64,
    /// What is to be sent before anything else.
    first: Option<Bytes>,
    /// Changes with the table.
    more: Listener,
    faults: WatchedFaults,
    /// The faults that had struck the client before this watch began.
    before: WatchFaults,
    ends: Instant,
    bookmark_at: Instant,
    over: bool,
    record: usize,
}

/// How a watch begins.
struct Start {
    version: u64,
    sends_all: bool,
    ends_initial: bool,
}

impl Watch {
    /// Begins a watch, unless what it asks for cannot be.
    pub(crate) fn new(
        server: &Arc<Server>,
        state: &mut State,
        request: Request,
        mut faults: WatchedFaults,
        record: usize,
    ) -> Result<Self, Status> {
        verbs::supported(&request)?;
        let selector = verbs::selector(&request)?;
        let start = start(state, &request)?;
        let seconds = request.options.timeout_seconds.filter(|seconds| *seconds > 0);
        let lasts = Duration::from_secs(seconds.unwrap_or_else(|| state.watch_seconds()));
        let mut out = BytesMut::new();
        let over = start.version < state.store.compacted() && !start.sends_all;
        if over {
            let compacted = state.store.compacted();
            let status = Status::expired(format!("too old resource version: {} ({compacted})", start.version));
            encode::error(&mut out, &status);
        }
        if start.sends_all
            && let Some(table) = state.store.table(&request.kind.table)
        {
            let now = table.now(verbs::namespace(&request)).filter(|(key, object)| selector.matches(key, object));
            now.for_each(|(_, object)| encode::event(&mut out, "ADDED", &request, state, object));
        }
        if start.ends_initial {
            encode::bookmark(&mut out, &request, start.version, true);
        }
        let now = Instant::now();
        let before = faults.now();
        Ok(Self {
            more: server.signal(&request.kind.table),
            server: server.clone(),
            selector,
            version: start.version,
            first: Some(out.freeze()).filter(|first| !first.is_empty()),
            before,
            faults,
            ends: now + lasts,
            bookmark_at: now + BOOKMARK_EVERY,
            over,
            record,
            request,
        })
    }

    /// The events, as many at once as there are.
    pub(crate) fn into_stream(self) -> impl Stream<Item = Result<Bytes, Cut>> {
        stream::unfold(self, |mut watch| async move {
            let next = watch.next().await?;
            Some((next, watch))
        })
    }

    async fn next(&mut self) -> Option<Result<Bytes, Cut>> {
        loop {
            self.more.mark_heard();
            let faults = self.faults.now();
            if faults.broken != self.before.broken {
                self.before.broken = faults.broken;
                self.over = true;
                return Some(Err(Cut));
            }
            if faults.ended != self.before.ended {
                return None;
            }
            if !faults.silent {
                if let Some(first) = self.first.take() {
                    return Some(Ok(first));
                }
                if self.over || Instant::now() >= self.ends {
                    return None;
                }
                let events = self.read();
                if !events.is_empty() {
                    return Some(Ok(events));
                }
                if self.over {
                    return None;
                }
            }
            // A silent one does not even end; a time that has passed would wake it for ever.
            let wake = if faults.silent { Instant::now() + BOOKMARK_EVERY } else { self.ends.min(self.bookmark_at) };
            tokio::select! {
                biased;
                () = self.faults.changed() => {}
                () = self.more.given() => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn read(&mut self) -> Bytes {
        let mut out = BytesMut::new();
        let state = self.server.state();
        if let Some(table) = state.store.table(&self.request.kind.table) {
            match table.since(self.version) {
                Ok(changes) => changes.for_each(|change| self.tell(&mut out, &state, change)),
                Err(compacted) => {
                    let message = format!("too old resource version: {} ({})", self.version, compacted.oldest);
                    encode::error(&mut out, &Status::expired(message));
                    self.over = true;
                }
            }
        }
        // A start in the future stays there.
        let version = self.version.max(state.store.version());
        let now = Instant::now();
        if now >= self.bookmark_at {
            self.bookmark_at = now + BOOKMARK_EVERY;
            if self.request.options.allow_bookmarks && !self.over {
                encode::bookmark(&mut out, &self.request, version, false);
            }
        }
        let kind = &self.request.kind;
        let is_served = state.resources.find(&kind.group, &kind.version, &kind.plural).is_some();
        self.over |= !is_served;
        drop(state);
        self.version = version;
        out.freeze()
    }

    /// An object that comes into what is watched is added, one that leaves it is deleted, whatever was done to it.
    fn tell(&self, out: &mut BytesMut, state: &State, change: &Change) {
        let Change { kind, key, object, before } = change;
        if verbs::namespace(&self.request).is_some_and(|namespace| namespace != key.namespace) {
            return;
        }
        let matches = |object: &Object| self.selector.is_empty() || self.selector.matches(key, object);
        let was = before.as_ref().is_some_and(|before| matches(before));
        let is = *kind != ChangeKind::Deleted && matches(object);
        let event = |out: &mut BytesMut, name: &str, object: &Object| {
            encode::event(out, name, &self.request, state, object);
        };
        match (was, is) {
            (false, true) => event(out, "ADDED", object),
            (true, true) => event(out, "MODIFIED", object),
            (true, false) if *kind == ChangeKind::Deleted => event(out, "DELETED", object),
            // As it was when it could be seen, under the version at which it left.
            (true, false) => {
                let last = before.as_ref().map_or(&Value::Null, |before| before.value());
                event(out, "DELETED", &Object::new(last.clone(), object.version()));
            }
            (false, false) => {}
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.server.record.answered(self.record, None, Some(self.server.clock.now()));
    }
}

fn start(state: &State, request: &Request) -> Result<Start, Status> {
    let options = &request.options;
    let sends = options.send_initial_events;
    let said = verbs::version_of(request)?.filter(|version| *version != 0);
    let current = state.store.version();
    Ok(match sends {
        Some(true) => Start { version: current, sends_all: true, ends_initial: options.allow_bookmarks },
        Some(false) => Start { version: said.unwrap_or(current), sends_all: false, ends_initial: false },
        // Of old, who does not say where to start is told all there is.
        None => Start { version: said.unwrap_or(current), sends_all: said.is_none(), ends_initial: false },
    })
}
