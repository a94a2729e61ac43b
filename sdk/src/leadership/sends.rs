//! When writes of the lock were sent, by both clocks.

use std::collections::VecDeque;
use std::time::Duration;

use super::clock::{Moment, Reading};

/// More than can be without an answer and still count: a write is given up after a fraction of a lease.
const REMEMBERED: usize = 64;

/// The election counts by one clock, a term by two: this tells what the other one said when a write was sent.
#[derive(Debug, Default)]
pub(super) struct Sends(VecDeque<Reading>);

impl Sends {
    pub(super) fn sent(&mut self, at: Reading) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(at);
    }

    /// The end, by both clocks, of what a write makes valid for `deadline` from its send. A write that is forgotten makes
    /// nothing valid.
    pub(super) fn valid_until(&self, end: Moment, deadline: Duration) -> Reading {
        let sent = self.0.iter().rev().find(|sent| sent.clock + deadline == end);
        sent.map_or(Reading { clock: end, wall: Moment::default() }, |sent| *sent + deadline)
    }
}
