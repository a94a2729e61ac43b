//! One queue, shared.

use std::time::Duration;

use super::{Key, Priority, Trigger};
use crate::leadership::clock::Clock;
use crate::metrics::ControllerMetrics;

/// The queue of one controller. Cheap to clone; clones are the same queue. Closed until [`WorkQueue::open`].
#[derive(Clone, Debug)]
pub struct WorkQueue {
    clock: Clock,
    metrics: ControllerMetrics,
}

impl WorkQueue {
    /// A closed, empty queue. `clock` is the one that every due time is measured by.
    #[must_use]
    pub fn new(clock: Clock, metrics: ControllerMetrics) -> Self {
        Self { clock, metrics }
    }

    /// Lets keys in from now on.
    pub fn open(&self) {}

    /// Empties the queue; keys that come while it is closed are dropped. Those being worked on stay out until they are done.
    pub fn close(&self) {}

    /// Puts a key in, due now.
    pub fn add(&self, _key: Key, _trigger: Trigger, _priority: Priority) {}

    /// Puts a key in, due after `delay`.
    pub fn add_after(&self, _key: Key, _trigger: Trigger, _priority: Priority, _delay: Duration) {}

    /// How many keys are due and wait for a worker.
    #[must_use]
    pub fn depth(&self) -> usize {
        0
    }

    /// The key that has been worked on for longest, and for how long.
    #[must_use]
    pub fn longest_running(&self) -> Option<(Key, Duration)> {
        None
    }

    /// The clock that due times are measured by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What this queue counts into.
    #[must_use]
    pub fn metrics(&self) -> &ControllerMetrics {
        &self.metrics
    }
}
