//! What an election is told, and what it answers.

use super::end_reason::EndReason;
use super::record::{Dates, Observation, Put, Stamp};
use crate::leadership::clock::Moment;

/// The time of a step.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// By the clock that terms are measured by.
    pub clock: Moment,
    /// By the wall clock, to be written into the record; never compared alone.
    pub wall: Stamp,
    /// Drawn anew for each step, from 0 to 1: spreads what candidates would else do at one instant.
    pub chance: f64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Time has passed, no more.
    Woken,
    /// The running term has run out by the clock, whatever the time of the step: the process stood still after it had read
    /// that, and others may have seen the term's end.
    RanOut,
    /// The replica is able to lead: its caches are synced.
    Stand,
    /// What the work runs on does not go on (`true`): a running term ends, and none begins before it does again (`false`).
    Blocked(bool),
    /// The process stops: hand over as soon as the work has ended.
    Stop,
    /// Hand over as soon as the work has ended, for this reason, and stand again later.
    StepDown(String),
    /// The draining took too long: the term ends although its work goes on.
    DrainOverdue,
    /// No work of the term that drains, or has ended, goes on any more.
    WorkEnded {
        /// When the newest of its writes that have no answer was on its way the last time: it may land later.
        unanswered: Option<Moment>,
    },
    /// The watch of the lock is open and follows every change (`true`), or is not (`false`).
    Watching(bool),
    /// The watch told something.
    Watched(Observation),
    /// A read, a write or the watch has shown that the lock is none to stand for: the control plane chooses its holder.
    Coordinated,
    /// The dates of what a read has shown, or of what is answered next.
    Dated(Dates),
    /// The read, or the write, that was asked for has succeeded, and this is what it showed.
    Answered(Observation),
    /// The write was refused because the lock is not what it was based on.
    Conflict,
    /// The read or write failed. A write may have landed all the same.
    Failed,
    /// There was no answer in time. A write may have landed all the same, or may land later: its answer, if it comes, is
    /// [`Watched`](Input::Watched), and nothing if it is none.
    Silent,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read the lock, with a quorum; answer with `Answered`, `Failed` or `Silent`.
    Read,
    /// Write the lock; answer with `Answered`, `Conflict`, `Failed` or `Silent`.
    Put(Put),
    /// A term begins.
    Begin {
        /// It is valid strictly before this instant.
        valid_until: Moment,
        /// Version of the acquiring write: grows from term to term, whoever leads.
        token: u64,
    },
    /// The running term is valid strictly before this later instant.
    Extend {
        /// The new end.
        valid_until: Moment,
    },
    /// The running term begins no new work; say `WorkEnded` when the last has ended.
    Drain,
    /// The running term is over; say `WorkEnded` when its work has ended.
    End(EndReason),
    /// The lock was given back.
    Released,
    /// All is settled: the election is over.
    Stopped,
}
