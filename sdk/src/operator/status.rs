//! What the status page shows: taken from where it is known, when somebody asks.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::cache::{Caches, WatchState};
use crate::health::{CheckResult, Health, Part, Probes};
use crate::leadership::clock::Moment;
use crate::leadership::{Leadership, LeadershipState, PastTerm, TermHistory};
use crate::status::{self, Snapshot};
use crate::workqueue::{Failure, QueueState, WorkQueue};

/// So many of the objects that are worked on are named.
const NAMED: usize = 10;

/// Where the facts are. Cheap to clone.
#[derive(Clone)]
pub(super) struct Source(Arc<Facts>);

pub(super) struct Facts {
    pub(super) operator: &'static str,
    pub(super) version: &'static str,
    pub(super) server: String,
    pub(super) started: Timestamp,
    pub(super) replica: status::Replica,
    pub(super) lock: Option<status::Lock>,
    pub(super) leadership: Leadership,
    pub(super) history: TermHistory,
    pub(super) controllers: Vec<Watched>,
    pub(super) caches: Caches,
    pub(super) health: Health,
    pub(super) settings: Vec<status::Setting>,
}

/// A controller to look at.
pub(super) struct Watched {
    pub(super) name: &'static str,
    pub(super) kind: String,
    pub(super) limit: usize,
    pub(super) queue: WorkQueue,
}

// === impl Source ===

impl Source {
    pub(super) fn new(facts: Facts) -> Self {
        Self(Arc::new(facts))
    }

    /// All of it, as it is now. Waits for the health checks, which have their own limit.
    pub(super) async fn take(self) -> Snapshot {
        let facts = &*self.0;
        let checks = facts.health.all().await.into_iter().map(check).collect();
        let now = Now { time: rounded(Timestamp::now()) };
        Snapshot {
            time: now.time,
            operator: facts.program(&now),
            replica: facts.replica.clone(),
            leadership: facts.leaders(&now),
            controllers: facts.controllers.iter().map(|controller| controller.look(&now)).collect(),
            caches: facts.caches.watches().into_iter().map(watch).collect(),
            checks,
            settings: facts.settings.clone(),
        }
    }
}

// === impl Facts ===

impl Facts {
    fn program(&self, now: &Now) -> status::Operator {
        status::Operator {
            name: self.operator.to_owned(),
            version: self.version.to_owned(),
            sdk_version: env!("CARGO_PKG_VERSION").to_owned(),
            server: self.server.clone(),
            started: self.started,
            uptime_seconds: now.since(self.started),
        }
    }

    fn leaders(&self, now: &Now) -> status::Leadership {
        let terms = self.history.terms().iter().rev().map(|term| now.term(term)).collect();
        let of = |state, leader, since: Option<Timestamp>, terms| status::Leadership {
            state,
            leader,
            since,
            since_seconds: since.map(|since| now.since(since)),
            lock: self.lock.clone(),
            terms,
        };
        match (self.leadership.current(), self.history.current()) {
            (LeadershipState::Leading(term), _) if term.is_valid() => {
                let state = if term.is_draining() { status::State::Draining } else { status::State::Leading };
                of(state, Some(term.identity().to_owned()), Some(rounded(now.ago(term.age()))), terms)
            }
            (_, Some(PastTerm { leader, own: None, began, .. })) => {
                of(status::State::Standby, Some(leader), Some(rounded(began)), terms)
            }
            _ => of(status::State::Standby, None, None, terms),
        }
    }
}

// === impl Watched ===

impl Watched {
    fn look(&self, now: &Now) -> status::Controller {
        let QueueState { due, scheduled, in_work, failing, failures } = self.queue.state();
        let (succeeded, failed) = self.queue.metrics().ended();
        let moment = self.queue.clock().now();
        let busy = in_work.len();
        let named = in_work.into_iter().take(NAMED);
        let in_work =
            named.map(|(key, time)| status::InWork { object: key.to_string(), seconds: millis(time) }).collect();
        status::Controller {
            name: self.name.to_owned(),
            kind: self.kind.clone(),
            queue: status::Queue { due, scheduled },
            workers: status::Workers { limit: self.limit, busy, in_work },
            reconciles: status::Reconciles { succeeded, failed },
            failing,
            errors: failures.into_iter().map(|failure| now.failing(failure, moment)).collect(),
        }
    }
}

/// The moment of a snapshot.
struct Now {
    time: Timestamp,
}

impl Now {
    fn ago(&self, time: Duration) -> Timestamp {
        self.time.checked_sub(time).unwrap_or(self.time)
    }

    fn since(&self, earlier: Timestamp) -> u64 {
        u64::try_from(self.time.duration_since(earlier).as_secs()).unwrap_or_default()
    }

    /// What a clock that knows no time of day says, `moment` being now.
    fn time_of(&self, at: Moment, moment: Moment) -> Timestamp {
        let later = self.time.checked_add(at.since(moment)).unwrap_or(self.time);
        rounded(later.checked_sub(moment.since(at)).unwrap_or(later))
    }

    fn term(&self, term: &PastTerm) -> status::Term {
        let PastTerm { leader, own, began, ended } = term;
        let (end, reason) = ended.clone().unzip();
        let lasted = end.unwrap_or(self.time).duration_since(*began).as_secs();
        status::Term {
            leader: leader.clone(),
            number: *own,
            began: rounded(*began),
            ended: end.map(rounded),
            reason: reason.map(|reason| reason.to_string()),
            seconds: u64::try_from(lasted).unwrap_or_default(),
        }
    }

    fn failing(&self, failure: Failure, moment: Moment) -> status::Failing {
        let Failure { key, error, missing_rule, tries, at, next_try } = failure;
        status::Failing {
            object: key.to_string(),
            error,
            missing_rule,
            tries,
            at: self.time_of(at, moment),
            next_try: next_try.map(|next| self.time_of(next, moment)),
        }
    }
}

fn watch(watch: WatchState) -> status::Watch {
    let WatchState { state, objects, reconnects, quiet } = watch;
    status::Watch {
        kind: state.kind,
        namespace: state.namespace,
        synced: state.synced,
        objects,
        reconnects,
        quiet_seconds: quiet.as_secs(),
        error: state.last_error,
    }
}

fn check((name, probes, result): (String, Probes, CheckResult)) -> status::Check {
    let parts = [("live", probes.live), ("ready", probes.ready), ("startup", probes.startup)];
    let counts = parts.into_iter().filter(|(_, part)| *part == Part::Counts);
    status::Check {
        name,
        probes: counts.map(|(probe, _)| probe.to_owned()).collect(),
        ok: result.is_ok(),
        detail: result.unwrap_or_else(|reason| reason),
    }
}

/// To milliseconds: more is of no use to anybody.
pub(super) fn rounded(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}
