//! What a reconcile asks for.

use std::time::Duration;

/// What happens after a reconcile that went well. The same as kube's `Action`, which keeps its duration to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "say when to come again: return it"]
pub struct Action {
    requeue_after: Option<Duration>,
}

impl Action {
    /// Comes again after `delay`, or at the next change if that is earlier.
    pub const fn requeue(delay: Duration) -> Self {
        Self { requeue_after: Some(delay) }
    }

    /// Comes again at the next change.
    pub const fn await_change() -> Self {
        Self { requeue_after: None }
    }

    pub(super) const fn requeue_after(self) -> Option<Duration> {
        self.requeue_after
    }
}
