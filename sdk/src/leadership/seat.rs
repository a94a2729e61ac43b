//! What an elector does whatever its lock is: it begins and ends terms, and tells the rest of the program.

use std::future::pending;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use tokio::sync::watch;

use super::announce::Announcer;
use super::clock::{Clock, Moment};
use super::election::EndReason;
use super::history::{Seen, TermHistory};
use super::ping::Ping;
use super::pulse::Pulse;
use super::reign::Reign;
use super::term::{LeadershipState, Term, TermControl};

/// The work of an ended term was told to end; one that goes on for a lease and this much longer ends the process.
const GRACE: Duration = Duration::from_secs(5);

/// Where terms begin and end.
pub(super) struct Seat {
    pub(super) clock: Clock,
    pub(super) announcer: Announcer,
    pub(super) state: watch::Sender<LeadershipState>,
    pub(super) pulse: Pulse,
    pub(super) history: TermHistory,
    ping: Option<Ping>,
    blocked: bool,
    terms: u64,
    reign: Option<Reign>,
}

/// Work of an ended term that goes on.
pub(super) struct Overdue {
    pub(super) term: u64,
    pub(super) seconds: u64,
}

impl Seat {
    pub(super) const fn new(
        clock: Clock,
        announcer: Announcer,
        state: watch::Sender<LeadershipState>,
        pulse: Pulse,
        history: TermHistory,
        ping: Option<Ping>,
    ) -> Self {
        Self { clock, announcer, state, pulse, history, ping, blocked: false, terms: 0, reign: None }
    }

    /// Begins the term that is made for this number.
    pub(super) fn begin(&mut self, make: impl FnOnce(u64, Clock) -> (TermControl, Term), lock: ObjectReference) {
        self.terms += 1;
        let (control, term) = make(self.terms, self.clock.clone());
        self.history.began(term.identity(), term.id(), Timestamp::now());
        self.announcer.began(&term, lock);
        self.state.send_replace(LeadershipState::Leading(term.clone()));
        self.reign = Some(Reign::new(term, control, self.clock.now()));
    }

    pub(super) fn drain(&mut self) {
        if let Some(reign) = &mut self.reign {
            reign.drain();
        }
    }

    pub(super) fn end(&mut self, reason: EndReason, lock: ObjectReference, leader: Option<String>) {
        let now = self.clock.now();
        if let Some(reign) = &mut self.reign {
            self.announcer.ended(reign.term(), &reason, now.since(reign.began()), lock);
            self.history.ended(reason.clone(), Timestamp::now());
            reign.end(now, reason);
        }
        self.state.send_replace(LeadershipState::Standby { leader });
    }

    pub(super) const fn reign(&self) -> Option<&Reign> {
        self.reign.as_ref()
    }

    /// No work goes on: when the newest of its writes without an answer was on its way the last time.
    pub(super) fn work_has_ended(&mut self) -> Option<Moment> {
        let unanswered = self.reign.as_ref().and_then(Reign::unanswered);
        if self.reign.as_mut().is_some_and(Reign::was_heard) {
            self.reign = None;
        }
        unanswered
    }

    /// Work that has gone on after its term for a lease and a moment.
    pub(super) fn overdue(&mut self, lease: Duration) -> Option<Overdue> {
        let reign = self.reign.as_mut()?;
        let overtime = reign.overtime(self.clock.now()).filter(|overtime| *overtime > lease + GRACE)?;
        Some(Overdue { term: reign.term().id(), seconds: overtime.as_secs() })
    }

    /// Whether the runtime of the work takes no turns any more, if that has changed.
    pub(super) fn blocked(&mut self) -> Option<bool> {
        let blocked = self.ping.as_mut().is_some_and(Ping::is_overdue);
        (std::mem::replace(&mut self.blocked, blocked) != blocked).then_some(blocked)
    }

    /// What the lock says of who holds it.
    pub(super) fn saw(&self, seen: Seen<'_>, holder: Option<&str>) {
        self.history.saw(seen, Timestamp::now());
        self.pulse.beat(holder);
        self.state.send_if_modified(|state| match state {
            LeadershipState::Standby { leader } if leader.as_deref() != holder => {
                *leader = holder.map(str::to_owned);
                true
            }
            _ => false,
        });
    }

    /// Resolves when somebody has asked the term to step down.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn asked_to_step_down(&self) -> String {
        match &self.reign {
            Some(reign) => reign.asked_to_step_down().await,
            None => pending().await,
        }
    }

    /// Resolves when no work goes on, if somebody waits to hear that.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn work_ended(&self) {
        match &self.reign {
            Some(reign) => reign.work_ended().await,
            None => pending().await,
        }
    }
}
