//! What the watches tell health checks and the log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::core::ApiResource;
use tokio::sync::watch;
use tokio::time::Instant;

use super::failure::{Failure, Subject};

/// A watch that did nothing for so long is stuck: longer than a quiet watch lasts, with all its timeouts. By tokio's clock,
/// which stands still while the machine sleeps, as the watch did.
const STUCK: Duration = Duration::from_secs(420);

/// How one watch is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheState {
    /// The kind that is watched.
    pub kind: String,
    /// The namespace that is watched; `None`: all of them, or a kind without.
    pub namespace: Option<String>,
    /// Everything was listed once, and the kind is there.
    pub synced: bool,
    /// The server does not know the kind: its CRD is not installed.
    pub missing: bool,
    /// Why the watch does not work at the moment, and what to do about it.
    pub last_error: Option<String>,
    /// The watch does something now and then, if only to try again. If not, a subscriber holds it up.
    pub moving: bool,
}

/// What one watch has done, besides its state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchState {
    /// How it is doing.
    pub state: CacheState,
    /// How many objects it knows now.
    pub objects: usize,
    /// How often it ended before its time, or could not be opened.
    pub reconnects: u64,
    /// How long ago it did something: began, heard of a change or of none (a bookmark), or tried.
    pub quiet: Duration,
}

/// One watch's state. Logs when it changes, and only then.
#[derive(Debug)]
pub(super) struct Status {
    resource: ApiResource,
    namespace: Option<String>,
    inner: Mutex<Inner>,
    /// Bumped when a [`CacheState`] may have become another.
    changed: Arc<watch::Sender<()>>,
}

#[derive(Debug)]
struct Inner {
    listed: bool,
    failure: Option<Failure>,
    last_step: Instant,
    reconnects: u64,
}

impl Status {
    pub(super) fn new(resource: ApiResource, namespace: Option<String>, changed: Arc<watch::Sender<()>>) -> Self {
        let inner = Inner { listed: false, failure: None, last_step: Instant::now(), reconnects: 0 };
        Self { resource, namespace, inner: Mutex::new(inner), changed }
    }

    /// It did something.
    pub(super) fn step(&self) {
        self.lock().last_step = Instant::now();
    }

    /// It ended before its time, or could not be opened.
    pub(super) fn reconnects(&self) {
        self.lock().reconnects += 1;
    }

    /// Everything was listed.
    pub(super) fn listed(&self) {
        let first = !std::mem::replace(&mut self.lock().listed, true);
        if first {
            tracing::debug!(kind = %self.resource.kind, namespace = self.namespace.as_deref(), "cache filled");
        }
        self.changed.send_replace(());
    }

    /// A watch was opened.
    pub(super) fn works(&self) {
        if self.lock().failure.take().is_some() {
            let kind = &self.resource.kind;
            tracing::info!(%kind, namespace = self.namespace.as_deref(), "the watch of {kind} works");
            self.changed.send_replace(());
        }
    }

    /// It can't be listed, or watched.
    pub(super) fn failed(&self, failure: Failure) {
        let subject = Subject { resource: &self.resource, namespace: self.namespace.as_deref() };
        let line = failure.explain(&subject);
        let mut inner = self.lock();
        let new = !inner.failure.as_ref().is_some_and(|known| known.is_like(&failure));
        inner.failure = Some(failure);
        drop(inner);
        let (kind, namespace) = (&self.resource.kind, self.namespace.as_deref());
        if new {
            tracing::warn!(%kind, namespace, "{line}");
        } else {
            tracing::debug!(%kind, namespace, "{line}");
        }
        self.changed.send_replace(());
    }

    pub(super) fn state(&self) -> CacheState {
        let inner = self.lock();
        let missing = inner.failure == Some(Failure::Missing);
        let subject = Subject { resource: &self.resource, namespace: self.namespace.as_deref() };
        CacheState {
            kind: self.resource.kind.clone(),
            namespace: self.namespace.clone(),
            synced: inner.listed && !missing,
            missing,
            last_error: inner.failure.as_ref().map(|failure| failure.explain(&subject)),
            moving: inner.last_step.elapsed() < STUCK,
        }
    }

    pub(super) fn watch_state(&self, objects: usize) -> WatchState {
        let state = self.state();
        let inner = self.lock();
        WatchState { state, objects, reconnects: inner.reconnects, quiet: inner.last_step.elapsed() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
