//! The newest term as the elector sees it, until its work has ended.

use std::future::pending;
use std::time::Duration;

use tokio::sync::watch;

use super::clock::{Moment, Reading};
use super::election::EndReason;
use super::term::{Term, TermControl};

/// Time that passes between two looks counts as no more than this: longer, and the process stood still in between.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// A term that runs, or whose work has not ended yet.
pub(super) struct Reign {
    term: Term,
    control: TermControl,
    began: Moment,
    ended: Option<Overtime>,
    /// The election waits to hear that no work goes on.
    awaited: bool,
    /// It is over or being handed over: nobody can step down from it.
    draining: bool,
}

/// How long work has gone on after the end of its term. A process that stood still gave it no time to end, so only the time
/// in which the elector itself was awake counts.
struct Overtime {
    counted: Duration,
    until: Moment,
}

impl Reign {
    pub(super) const fn new(term: Term, control: TermControl, began: Moment) -> Self {
        Self { term, control, began, ended: None, awaited: false, draining: false }
    }

    pub(super) const fn term(&self) -> &Term {
        &self.term
    }

    pub(super) const fn began(&self) -> Moment {
        self.began
    }

    pub(super) fn extend(&self, valid_until: Reading) {
        self.control.extend(valid_until);
    }

    pub(super) fn drain(&mut self) {
        self.control.drain();
        self.awaited = true;
        self.draining = true;
    }

    pub(super) fn end(&mut self, now: Moment, reason: EndReason) {
        self.control.end(reason);
        self.draining = true;
        self.ended = Some(Overtime { counted: Duration::ZERO, until: now });
        self.awaited = true;
    }

    /// Resolves when no work goes on, if somebody waits to hear that.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn work_ended(&self) {
        if !self.awaited {
            return pending().await;
        }
        self.control.idle().await;
    }

    /// Resolves when somebody has asked to step down, unless it is too late for that.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn asked_to_step_down(&self) -> String {
        if self.draining {
            return pending().await;
        }
        self.control.asked_to_step_down().await
    }

    /// The election hears of it. `true`: the term is over too.
    pub(super) const fn was_heard(&mut self) -> bool {
        self.awaited = false;
        self.ended.is_some()
    }

    /// When the newest of its writes that have no answer was on its way the last time.
    pub(super) fn unanswered(&self) -> Option<Moment> {
        self.control.unanswered()
    }

    /// How much work is going on, for those who outlive it.
    pub(super) fn work(&self) -> watch::Receiver<usize> {
        self.control.work()
    }

    /// How long work has gone on after the term's end.
    pub(super) fn overtime(&mut self, now: Moment) -> Option<Duration> {
        let overtime = self.ended.as_mut()?;
        overtime.counted += now.since(overtime.until).min(LONGEST_LOOK);
        overtime.until = now;
        Some(overtime.counted)
    }
}

impl Drop for Reign {
    /// An elector that is dropped, or that panics, leads no more.
    fn drop(&mut self) {
        self.control.end(EndReason::Stopped);
    }
}
