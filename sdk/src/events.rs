//! Kubernetes Events about objects, as `kubectl describe` shows them.
//!
//! They are best effort: publishing never waits, and what does not fit into the queue, or what the server refuses, is dropped with a
//! line in the log. The same Event again within six minutes counts up the first one, as client-go's recorder does.
//!
//! [`Context::publish`](crate::controller::Context::publish) is the short way, about the object that is reconciled; an [`EventPublisher`]
//! among a controller's fields publishes about any object.
//!
//! ```
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kubeops::events::Event;
//! use kubeops::prelude::*;
//!
//! #[derive(Controller)]
//! #[controller(entity = ConfigMap)]
//! struct ConfigMapController {}
//!
//! impl Reconcile for ConfigMapController {
//!     async fn reconcile(&self, config_map: &ConfigMap, cx: &Context<ConfigMap>) -> Result<Action> {
//!         if config_map.data.is_none() {
//!             cx.publish(Event::warning("Empty", "there is nothing in it"));
//!         }
//!         Ok(Action::await_change())
//!     }
//! }
//! ```

mod series;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event as CoreEvent, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::{Client, Resource};
use serde_json::json;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use self::series::{Series, Step, namespace};
use crate::leadership::Term;

/// Events that wait to be sent. As many as client-go's recorder queues.
const QUEUE: usize = 1000;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    kind: EventKind,
    reason: String,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum EventKind {
    Normal,
    Warning,
}

/// Publishes Events during one term. Cheap to clone.
#[derive(Clone)]
pub struct EventPublisher {
    queue: Sender<Report>,
}

/// Sends what an [`EventPublisher`] and its clones publish.
#[must_use = "Events are sent only while it runs"]
pub struct EventPump {
    queue: Receiver<Report>,
    client: Client,
    term: Term,
    series: Series,
    reporter: Reporter,
}

/// Who tells.
#[derive(Clone, Debug)]
struct Reporter {
    /// The operator's name.
    controller: Arc<str>,
    /// Which of its replicas.
    instance: Arc<str>,
}

/// An Event, and what it is about.
#[derive(Clone, Debug)]
struct Report {
    object: ObjectReference,
    event: Event,
    at: Timestamp,
}

// === impl Event ===

impl Event {
    /// Something happened as it should. `reason` is one word in CamelCase for machines, `message` a sentence for people.
    #[must_use]
    pub fn normal(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: EventKind::Normal, reason: reason.into(), message: message.into() }
    }

    /// Something needs attention. `reason` is one word in CamelCase for machines, `message` a sentence for people.
    #[must_use]
    pub fn warning(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: EventKind::Warning, reason: reason.into(), message: message.into() }
    }
}

impl EventKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

// === impl EventPublisher ===

impl EventPublisher {
    /// A publisher for `term`, and the pump that sends what it publishes through `client`.
    pub(crate) fn new(client: Client, operator: &Arc<str>, term: &Term) -> (Self, EventPump) {
        let (sender, queue) = channel(QUEUE);
        let reporter = Reporter { controller: operator.clone(), instance: term.identity().into() };
        let pump = EventPump { queue, client, term: term.clone(), series: Series::default(), reporter };
        (Self { queue: sender }, pump)
    }

    /// Publishes an Event about `object`. Never waits.
    pub fn publish<K: Resource<DynamicType = ()>>(&self, object: &K, event: Event) {
        let report = Report { object: object.object_ref(&()), event, at: Timestamp::now() };
        match self.queue.try_send(report) {
            Ok(()) => {}
            Err(TrySendError::Full(Report { event, .. })) => {
                tracing::warn!(
                    reason = event.reason,
                    message = event.message,
                    "too many Events wait to be sent: one is dropped"
                );
            }
            Err(TrySendError::Closed(Report { event, .. })) => {
                tracing::debug!(reason = event.reason, message = event.message, "an Event of an ended term is dropped");
            }
        }
    }
}

impl fmt::Debug for EventPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventPublisher").field("waiting", &(QUEUE - self.queue.capacity())).finish()
    }
}

// === impl EventPump ===

impl EventPump {
    /// Sends Events until the term is over, or the last publisher is gone and everything is sent.
    ///
    /// # Cancel safety
    /// Dropped early, Events that wait are lost, and one that is on its way may have been sent or not.
    pub async fn run(mut self) {
        let term = self.term.clone();
        tokio::select! {
            biased;
            () = term.ended() => {}
            () = self.send_all() => {}
        }
    }

    async fn send_all(&mut self) {
        while let Some(report) = self.queue.recv().await {
            let sent = match self.series.record(&report) {
                Step::Create { name, count, first } => self.create(&name, count, first, &report).await,
                Step::Count { name, count, first } => self.count(&name, count, first, &report).await,
            };
            if let Err(error) = sent {
                let Report { object, event, at: _ } = &report;
                tracing::warn!(
                    error = %error,
                    object = object.name,
                    namespace = object.namespace,
                    reason = event.reason,
                    message = event.message,
                    "an Event could not be sent"
                );
            }
        }
    }

    async fn create(&self, name: &str, count: i32, first: Timestamp, report: &Report) -> Result<(), kube::Error> {
        let event = self.reporter.event(name, count, first, report);
        let params = PostParams { field_manager: Some(self.reporter.controller.to_string()), ..PostParams::default() };
        match self.events_near(&report.object).create(&params, &event).await {
            Ok(_) => Ok(()),
            // A try whose answer was lost.
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn count(&self, name: &str, count: i32, first: Timestamp, report: &Report) -> Result<(), kube::Error> {
        let more = json!({ "count": count, "lastTimestamp": Time(report.at) });
        let params =
            PatchParams { field_manager: Some(self.reporter.controller.to_string()), ..PatchParams::default() };
        match self.events_near(&report.object).patch(name, &params, &Patch::Merge(more)).await {
            Ok(_) => Ok(()),
            // Events live for an hour, and anybody may delete them.
            Err(kube::Error::Api(status)) if status.is_not_found() => self.create(name, count, first, report).await,
            Err(error) => Err(error),
        }
    }

    fn events_near(&self, object: &ObjectReference) -> Api<CoreEvent> {
        Api::namespaced(self.client.clone(), namespace(object))
    }
}

impl fmt::Debug for EventPump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventPump").field("term", &self.term).field("reporter", &self.reporter).finish_non_exhaustive()
    }
}
