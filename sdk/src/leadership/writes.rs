//! Writes of a term whose outcome is unknown: whoever leads next may still be overtaken by them.

use super::clock::Moment;

/// Counts writes from their send to their answer.
#[derive(Debug, Default)]
pub(super) struct Writes {
    open: usize,
    given_up: Option<Moment>,
}

impl Writes {
    pub(super) const fn begun(&mut self) {
        self.open += 1;
    }

    pub(super) const fn answered(&mut self) {
        self.open -= 1;
    }

    /// Nobody waits for its answer any more.
    pub(super) fn given_up(&mut self, now: Moment) {
        self.open -= 1;
        self.given_up = self.given_up.max(Some(now));
    }

    /// When the newest write without an answer was on its way the last time.
    pub(super) fn unanswered(&self, now: Moment) -> Option<Moment> {
        if self.open > 0 { Some(now) } else { self.given_up }
    }
}
