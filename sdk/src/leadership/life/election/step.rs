//! What the election is told, and what it answers.

use super::seen::{Mark, PodSeen, Seen};
use crate::leadership::clock::Moment;
use crate::leadership::election::EndReason;

/// The time of a step.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// By the clock that runs on during suspend.
    pub clock: Moment,
    /// Drawn anew for each step, from 0 to 1: spreads what candidates would else do at one instant.
    pub chance: f64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Time has passed, no more.
    Woken,
    /// The replica is able to lead: its caches are synced.
    Stand,
    /// No other process that lives stands for the lock in this pod's name, nor will one.
    Bears {
        /// The kernel has said so, of earlier processes too. Else a lock that this process did not create may be another's.
        proven: bool,
    },
    /// What the work runs on does not go on (`true`), or does again (`false`).
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
    /// The watch of the lock told something.
    Watched(Seen),
    /// The watch of the holder's pod told something.
    Holder(PodSeen),
    /// The read of the lock, its creation or its change has succeeded, and this is what it showed.
    Answered(Seen),
    /// The read of this process' own pod has succeeded.
    OwnPod(PodSeen),
    /// The lock was deleted, or was not there any more.
    Deleted,
    /// The lock is there already, or is not the one that was to be deleted.
    Conflict,
    /// The call failed. A write may have landed all the same.
    Failed,
    /// There was no answer in time. A write may have landed all the same, or may land later.
    Silent,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read the lock, with a quorum; answer with `Answered`, `Failed` or `Silent`.
    Read,
    /// Read this process' own pod, with a quorum; answer with `OwnPod`, `Failed` or `Silent`.
    ReadOwnPod,
    /// Create the lock, owned by the pod with this uid; answer with `Answered`, `Conflict`, `Failed` or `Silent`.
    Create {
        /// Of this process' own pod.
        owner: String,
        /// To be written into it.
        mark: Mark,
    },
    /// Mark the lock if it is still this very one; answer with `Answered`, `Conflict`, `Failed` or `Silent`.
    Touch {
        /// Of the lock.
        uid: String,
        /// Of the lock.
        version: u64,
        /// To be written into it.
        mark: Mark,
    },
    /// Delete the lock if it is still this very one; answer with `Deleted`, `Conflict`, `Failed` or `Silent`.
    Delete {
        /// Of the lock.
        uid: String,
        /// Of the lock.
        version: u64,
    },
    /// A term begins: it has no end of its own.
    Begin {
        /// The newest version known: grows from term to term, whoever leads.
        token: u64,
    },
    /// The running term begins no new work; say `WorkEnded` when the last has ended.
    Drain,
    /// The running term is over; say `WorkEnded` when its work has ended.
    End(EndReason),
    /// The lock was given back.
    Released,
    /// The lock of a pod that is dead was deleted.
    Cleared,
    /// All is settled: the election is over.
    Stopped,
}
