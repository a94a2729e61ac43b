//! One list and watch, for ever.
//!
//! Not kube-runtime's `watcher`, because that (in 5.0) reopens watches that end cleanly without a pause and without telling,
//! never lists again when a watch can't be *opened* for its version, and logs each 403.

use std::collections::HashSet;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::api::{ListParams, WatchParams};
use kube::core::{ApiResource, DynamicObject, ObjectList, Request, WatchEvent};
use kube::{Client, Resource};
use tokio::time::{Instant, sleep, timeout};

use super::Selectors;
use super::failure::{Failure, Verb};
use super::pace::Pace;
use super::raw::{RawObject, Sink};
use super::state::Status;
use crate::metrics::WatchMetrics;
use crate::workqueue::Key;

/// The server ends a watch after this long, less up to a tenth, so that watches do not all end together. Below the five
/// minutes after which load balancers like to cut connections.
const WATCH_SECONDS: u32 = 290;
/// A watch that the server should have ended so long ago, and that has been silent for so long, is dead and nobody told us.
const GRACE: Duration = Duration::from_secs(5);
/// client-go's page size.
const PAGE: u32 = 500;
/// For one page.
const LIST_TIMEOUT: Duration = Duration::from_secs(60);
/// For the answer's head: the server sends it before there is anything to tell.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// A watch that is open for so long, and told no error, works: else one that fails right after it opened would come and go.
const SETTLED: Duration = Duration::from_secs(1);
/// So many watches in a row that end soon are worth a line.
const FLAPPING: u32 = 3;
/// So many tries in a row that fail, and the version that they go on from may be the reason, whatever the server calls it:
/// client-go lists anew after the first. One in so many, because of all requests a list costs a server in trouble most.
const RESUMES: u32 = 5;

/// What is watched.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) resource: ApiResource,
    pub(super) metadata_only: bool,
    /// `None`: all, or a kind without.
    pub(super) namespace: Option<String>,
    pub(super) selectors: Selectors,
}

pub(super) struct Watch {
    pub(super) client: Client,
    pub(super) target: Target,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) status: Status,
    pub(super) metrics: WatchMetrics,
}

/// How far the watch has come.
struct Progress {
    /// Where to go on from; `None`: by a list.
    version: Option<String>,
    /// The newest try began with a list.
    listed: bool,
    /// When a request was last begun.
    tried: Instant,
    random: fastrand::Rng,
}

impl Progress {
    fn new() -> Self {
        Self { version: None, listed: false, tried: Instant::now(), random: fastrand::Rng::new() }
    }
}

impl Watch {
    /// # Cancel safety
    /// Cancel safe: what was learned is in the sink.
    pub(super) async fn run(&self) -> Infallible {
        let mut pace = Pace::new(fastrand::Rng::new());
        let mut progress = Progress::new();
        loop {
            let ended = self.once(&mut progress).await;
            self.status.step();
            let lived = progress.tried.elapsed();
            let wait = match &ended {
                // Not twice in a row: a version that is too old right after a list would make an endless loop of lists.
                Err(Failure::Expired) if !progress.listed => pace.wait_to_list(lived),
                _ => pace.wait(lived),
            };
            if matches!(ended, Err(Failure::Other(_))) && pace.short() > 0 && pace.short().is_multiple_of(RESUMES) {
                progress.version = None;
            }
            self.note(ended.err(), &pace, progress.listed);
            sleep(wait).await;
        }
    }

    /// Lists, if need be, and watches until that ends.
    async fn once(&self, progress: &mut Progress) -> Result<(), Failure> {
        progress.tried = Instant::now();
        progress.listed = progress.version.is_none();
        if progress.listed {
            progress.version = Some(self.list(progress).await?);
            self.status.listed();
        }
        progress.tried = Instant::now();
        let ended = self.watch(progress).await;
        if matches!(ended, Err(Failure::Expired | Failure::Missing)) {
            progress.version = None;
        }
        ended
    }

    fn note(&self, failure: Option<Failure>, pace: &Pace, listed: bool) {
        if failure.is_some() || pace.short() > 0 {
            self.metrics.reconnect();
            self.status.reconnects();
        }
        let kind = &self.target.resource.kind;
        match failure {
            // How it should be: seen from outside, the watch went on.
            Some(Failure::Expired) if !listed || pace.short() < FLAPPING => {
                tracing::debug!(%kind, "listing again, the watch's version is too old");
            }
            Some(failure) => self.status.failed(failure),
            None if pace.short() == FLAPPING => {
                tracing::warn!(%kind, "watches of {kind} end right after they were opened");
            }
            None => tracing::debug!(%kind, "the watch ended, opening it again"),
        }
    }

    /// Lists everything, and returns the version to watch from. A list that breaks off removes nothing.
    async fn list(&self, progress: &mut Progress) -> Result<String, Failure> {
        let mut listed = HashSet::new();
        let mut more = None;
        loop {
            progress.tried = Instant::now();
            let page = self.page(more.take()).await?;
            self.status.step();
            for object in page.items {
                let object = object.complete(&self.target.resource);
                listed.extend(object.key());
                self.sink.put(object);
            }
            more = page.metadata.continue_.filter(|token| !token.is_empty());
            if more.is_none() {
                self.keep_only(&listed);
                let version = page.metadata.resource_version.filter(|version| !version.is_empty());
                return version.ok_or_else(|| Failure::Other("the list has no resourceVersion".to_owned()));
            }
        }
    }

    fn keep_only(&self, listed: &HashSet<Key>) {
        self.sink.keep_only(self.target.namespace.as_deref(), listed);
    }

    async fn page(&self, more: Option<String>) -> Result<ObjectList<RawObject>, Failure> {
        let Selectors { labels, fields } = self.target.selectors.clone();
        let parameters = ListParams {
            label_selector: labels,
            field_selector: fields,
            limit: Some(PAGE),
            continue_token: more,
            ..ListParams::default()
        };
        let request = self.target.request();
        let request = match self.target.metadata_only {
            true => request.list_metadata(&parameters),
            false => request.list(&parameters),
        };
        let request = request.map_err(|error| Failure::Other(error.to_string()))?;
        in_time(LIST_TIMEOUT, Verb::List, self.client.request(request)).await
    }

    async fn watch(&self, progress: &mut Progress) -> Result<(), Failure> {
        let seconds = WATCH_SECONDS - progress.random.u32(0..=WATCH_SECONDS / 10);
        let Selectors { labels, fields } = self.target.selectors.clone();
        let parameters = WatchParams {
            label_selector: labels,
            field_selector: fields,
            timeout: Some(seconds),
            bookmarks: true,
            ..WatchParams::default()
        };
        let version = progress.version.as_deref().unwrap_or_default();
        let request = self.target.request();
        let request = match self.target.metadata_only {
            true => request.watch_metadata(&parameters, version),
            false => request.watch(&parameters, version),
        };
        let request = request.map_err(|error| Failure::Other(error.to_string()))?;
        let events = self.client.request_events::<RawObject>(request);
        let mut events = in_time(OPEN_TIMEOUT, Verb::Watch, events).await?.boxed();
        self.status.step();

        let asked = Duration::from_secs(seconds.into());
        let end = Instant::now() + asked;
        let mut works = false;
        loop {
            let patience = if works { end.saturating_duration_since(Instant::now()) + GRACE } else { SETTLED };
            let event = match timeout(patience, events.next()).await {
                Ok(Some(event)) => event.map_err(|error| Failure::of(&error, Verb::Watch))?,
                Ok(None) => return Ok(()),
                Err(_) if works => return Err(Failure::endless(asked)),
                Err(_) => {
                    works = true;
                    self.status.works();
                    continue;
                }
            };
            self.status.step();
            let version = self.take_in(event)?;
            if !std::mem::replace(&mut works, true) {
                self.status.works();
            }
            if !version.is_empty() {
                progress.version = Some(version);
            }
        }
    }

    /// Returns the version to go on from.
    fn take_in(&self, event: WatchEvent<RawObject>) -> Result<String, Failure> {
        let (object, is_there) = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, true),
            WatchEvent::Deleted(object) => (object, false),
            WatchEvent::Bookmark(bookmark) => return Ok(bookmark.metadata.resource_version),
            WatchEvent::Error(status) => return Err(Failure::of_status(&status, Verb::Watch)),
        };
        let object = object.complete(&self.target.resource);
        let version = object.resource_version().to_owned();
        match is_there {
            true => self.sink.put(object),
            false => self.sink.remove(object),
        }
        Ok(version)
    }
}

impl Target {
    fn request(&self) -> Request {
        Request::new(DynamicObject::url_path(&self.resource, self.namespace.as_deref()))
    }
}

async fn in_time<T>(
    limit: Duration,
    verb: Verb,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, Failure> {
    match timeout(limit, request).await {
        Ok(answer) => answer.map_err(|error| Failure::of(&error, verb)),
        Err(_) => Err(Failure::Other(format!("can't {verb}: no answer for {limit:?}"))),
    }
}

#[cfg(test)]
#[path = "watch_tests/mod.rs"]
mod tests;
