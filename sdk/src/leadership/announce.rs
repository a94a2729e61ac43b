//! What the world sees of a change of leader: a log line, metrics, and Events on the lock object.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta, Time};
use kube::api::{Api, PostParams};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tracing::{debug, error, info, warn};

use super::clock::{Clock, Moment};
use super::election::EndReason;
use super::lock::LockError;
use super::term::Term;
use crate::chain::chain;
use crate::metrics::{LockMetrics, Metrics};

/// Events that wait to be sent. More are dropped: the elector never waits for them.
const EVENTS_WAITING: usize = 16;
const EVENT_TIMEOUT: Duration = Duration::from_secs(5);
/// The same trouble is told of this often.
const TROUBLE_INTERVAL: Duration = Duration::from_secs(60);

const VACANT: &str = "nobody leads";
const COORDINATED: &str = "coordinated";
const SHARED: &str = "shared";
const LONG_WAIT: &str = "a long wait";
const STALLED: &str = "stalled";

/// Tells of changes of leader.
#[derive(Debug)]
pub(super) struct Announcer {
    lock: String,
    identity: String,
    metrics: Metrics,
    of_lock: LockMetrics,
    now: Arc<Mutex<Standing>>,
    events: mpsc::Sender<Message>,
    leader: Option<String>,
    /// When each kind of trouble that lasts was told of.
    trouble: BTreeMap<&'static str, Instant>,
}

/// What metrics are made of at each scrape: a term may be over, by the clock, before the elector has said so.
#[derive(Debug, Default)]
struct Standing {
    term: Option<Term>,
    changed: Option<Moment>,
}

/// The text of an Event, and the lock object as it was then.
#[derive(Debug)]
pub(super) struct Message {
    text: String,
    /// Who says so.
    identity: String,
    lock: ObjectReference,
}

/// Sends the Events of an [`Announcer`].
pub(super) struct Herald {
    client: kube::Client,
    messages: mpsc::Receiver<Message>,
}

// === impl Announcer ===

impl Announcer {
    pub(super) fn new(
        lock: &str,
        identity: &str,
        clock: Clock,
        metrics: Metrics,
        client: kube::Client,
    ) -> (Self, Herald) {
        let (events, messages) = mpsc::channel(EVENTS_WAITING);
        let (of_lock, now) = (metrics.lock(lock), Arc::new(Mutex::new(Standing::default())));
        let (told, standing) = (of_lock.clone(), Arc::downgrade(&now));
        metrics.on_scrape_while(move || {
            let standing = standing.upgrade();
            match &standing {
                Some(standing) => locked(standing).tell(&told, &clock),
                None => told.leads(None),
            }
            standing.is_some()
        });
        let announcer = Self {
            lock: lock.to_owned(),
            identity: identity.to_owned(),
            metrics,
            of_lock,
            now,
            events,
            leader: None,
            trouble: BTreeMap::new(),
        };
        (announcer, Herald { client, messages })
    }

    pub(super) fn began(&mut self, term: &Term, lock: ObjectReference) {
        self.trouble.remove(VACANT);
        self.trouble.remove(STALLED);
        locked(&self.now).term = Some(term.clone());
        self.metrics.transition();
        info!(lock = self.lock, identity = self.identity, term = term.id(), "became leader");
        self.publish("became leader", lock);
    }

    pub(super) fn ended(&self, term: &Term, reason: &EndReason, lasted: Duration, lock: ObjectReference) {
        locked(&self.now).term = None;
        let seconds = (lasted.as_secs_f64() * 1000.0).round() / 1000.0;
        info!(lock = self.lock, identity = self.identity, term = term.id(), seconds, %reason, "stopped leading");
        self.publish("stopped leading", lock);
    }

    pub(super) fn released(&self) {
        info!(lock = self.lock, "released the lock");
    }

    /// The lock of a pod that is dead was deleted.
    pub(super) fn cleared(&self) {
        let holder = self.leader.as_deref().unwrap_or_default();
        info!(lock = self.lock, holder, "deleted the lock: its holder's pod is dead");
    }

    pub(super) fn left_to_its_pod(&self) {
        info!(lock = self.lock, "left the lock: it goes with this pod");
    }

    /// The identity that it knows itself by from now on.
    pub(super) fn identify(&mut self, identity: &str) {
        identity.clone_into(&mut self.identity);
    }

    /// Nobody can lead, or this replica can't: told once a minute.
    pub(super) fn stalled(&mut self, why: &str) {
        if self.is_news(STALLED) {
            warn!(lock = self.lock, "{why}");
        }
    }

    pub(super) fn left_to_expire(&self) {
        info!(lock = self.lock, "left the lock to expire");
    }

    pub(super) fn slow_renewal(&self) {
        self.of_lock.slow_renewal();
    }

    /// When the lock last changed; `None`: it has not been seen yet.
    pub(super) fn changed(&self, at: Option<Moment>) {
        locked(&self.now).changed = at;
    }

    /// Tells once of each new holder. `own`: it is this very process.
    pub(super) fn holder(&mut self, holder: Option<&str>, own: bool) {
        if self.leader.as_deref() == holder {
            return;
        }
        self.leader = holder.map(str::to_owned);
        match holder {
            Some(_) if own => {}
            Some(holder) if holder == self.identity => warn!(
                lock = self.lock,
                identity = holder,
                "the lock names this replica's identity, and another process wrote it: an earlier container of this pod, or a \
                 replica of the same Name and PodUid; waiting until it runs out"
            ),
            Some(holder) => info!(lock = self.lock, leader = holder, "another replica leads"),
            None => info!(lock = self.lock, "nobody holds the lock"),
        }
    }

    /// Tells once that the lock is still an earlier container's of this pod.
    pub(super) fn earlier_container(&mut self) {
        if self.leader.as_ref() != Some(&self.identity) {
            self.leader = Some(self.identity.clone());
            info!(lock = self.lock, "an earlier container of this pod held the lock, and is dead: taking over at once");
        }
    }

    /// Tells of the first of a row of failures, and then once a minute.
    pub(super) fn trouble(&mut self, doing: &'static str, error: &LockError) {
        if self.is_news(doing) {
            warn!(lock = self.lock, error = chain(error), "{doing} failed; told again in a minute if it lasts");
        } else {
            debug!(lock = self.lock, error = chain(error), "{doing} failed");
        }
    }

    /// The lock is none to stand for: told once a minute, whatever showed it.
    pub(super) fn coordinated(&mut self, error: &LockError) {
        if self.is_news(COORDINATED) {
            error!(lock = self.lock, error = chain(error), "left the lock alone");
        }
    }

    /// The lock belongs to another installation: told once a minute.
    pub(super) fn shared(&mut self, installation: &str) {
        if self.is_news(SHARED) {
            error!(
                lock = self.lock,
                installation,
                "the lock belongs to another installation, by its label app.kubernetes.io/instance: two share it, and only one of them \
                 can lead; give each a LeaderElectionId of its own"
            );
        }
    }

    pub(super) fn recovered(&mut self, doing: &'static str) {
        if self.trouble.remove(doing).is_some() {
            info!(lock = self.lock, "{doing} works again");
        }
    }

    /// Nobody leads, although this process would.
    pub(super) fn vacant(&mut self) {
        if self.is_news(VACANT) {
            warn!(lock = self.lock, "nobody leads: the lock has expired, and it could not be taken yet");
        }
    }

    /// The holder asks for an absurdly long wait.
    pub(super) fn long_wait(&mut self, wait: Duration) {
        if self.is_news(LONG_WAIT) {
            let (leader, seconds) = (self.leader.as_deref().unwrap_or_default(), wait.as_secs());
            warn!(
                lock = self.lock,
                leader,
                seconds,
                "the lock's holder wants others to wait much longer than this replica's lease duration; clear its \
                 holderIdentity if it is dead"
            );
        }
    }

    fn is_news(&mut self, kind: &'static str) -> bool {
        let news = self.trouble.get(kind).is_none_or(|told| told.elapsed() >= TROUBLE_INTERVAL);
        if news {
            self.trouble.insert(kind, Instant::now());
        }
        news
    }

    fn publish(&self, what: &str, lock: ObjectReference) {
        let text = format!("{} {what}", self.identity);
        if self.events.try_send(Message { text, identity: self.identity.clone(), lock }).is_err() {
            debug!(lock = self.lock, "too many Events are waiting: dropped one");
        }
    }
}

// === impl Standing ===

impl Standing {
    fn tell(&self, metrics: &LockMetrics, clock: &Clock) {
        metrics.leads(self.term.as_ref().filter(|term| term.is_valid()).map(Term::age));
        if let Some(changed) = self.changed {
            metrics.changed(clock.now().since(changed));
        }
    }
}

fn locked(standing: &Mutex<Standing>) -> MutexGuard<'_, Standing> {
    standing.lock().unwrap_or_else(PoisonError::into_inner)
}

// === impl Herald ===

impl Herald {
    /// Sends Events, best effort, until the announcer is gone.
    pub(super) async fn run(mut self) {
        while let Some(message) = self.messages.recv().await {
            let namespace = message.lock.namespace.clone().unwrap_or_default();
            let events: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
            let event = event(&message);
            match timeout(EVENT_TIMEOUT, events.create(&PostParams::default(), &event)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => debug!(%error, text = message.text, "could not send an Event"),
                Err(_) => debug!(text = message.text, "could not send an Event in time"),
            }
        }
    }
}

/// A core/v1 Event as client-go writes it: type, reason, text and source are what dashboards know.
fn event(message: &Message) -> Event {
    let now = Timestamp::now();
    let lock = message.lock.name.as_deref().unwrap_or_default();
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{lock}.{:x}", now.as_nanosecond())),
            namespace: message.lock.namespace.clone(),
            ..ObjectMeta::default()
        },
        involved_object: message.lock.clone(),
        type_: Some("Normal".to_owned()),
        reason: Some("LeaderElection".to_owned()),
        message: Some(message.text.clone()),
        source: Some(EventSource { component: Some(message.identity.clone()), host: None }),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        event_time: None::<MicroTime>,
        count: Some(1),
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    use kubeops_testkit::Cluster;

    use super::*;

    #[tokio::test]
    async fn an_elector_that_is_gone_leads_no_more_and_is_not_measured_again() {
        let (metrics, clock) = (Metrics::new(), Clock::tokio());
        let client = Cluster::start().await.client("a");
        let (mut announcer, _herald) = Announcer::new("lock", "me", clock.clone(), metrics.clone(), client);
        let later = clock.read() + Duration::from_secs(600);
        let (_control, term) = Term::until(1, "me".to_owned(), None, clock, later);
        announcer.began(&term, ObjectReference::default());
        let leads = |status| metrics.encode(false).contains(&format!("master_status{{name=\"lock\"}} {status}\n"));
        assert!(leads(1));
        drop(announcer);
        assert!(leads(0));
        // As the next elector for this lock does.
        metrics.lock("lock").leads(Some(Duration::ZERO));
        assert!(leads(1));
    }

    #[test]
    fn an_event_reads_as_client_go_writes_it() {
        let lock = ObjectReference {
            kind: Some("Lease".to_owned()),
            name: Some("guestbook-leader".to_owned()),
            namespace: Some("default".to_owned()),
            ..ObjectReference::default()
        };
        let message = Message { text: "a_1 became leader".to_owned(), identity: "a_1".to_owned(), lock: lock.clone() };
        let event = event(&message);
        assert_eq!(event.reason.as_deref(), Some("LeaderElection"));
        assert_eq!(event.message.as_deref(), Some("a_1 became leader"));
        assert_eq!(event.involved_object, lock);
        assert_eq!(event.metadata.namespace.as_deref(), Some("default"));
        assert_eq!(event.source.unwrap().component.as_deref(), Some("a_1"));
    }
}
