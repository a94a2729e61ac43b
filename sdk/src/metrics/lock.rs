//! What the elector of one lock tells.

use std::fmt;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::families::{Families, NameLabel, Number};

/// The metrics of one lock. Cheap to clone; clones, and all handles for the same name, are one.
#[derive(Clone)]
pub struct LockMetrics {
    label: NameLabel,
    status: Gauge,
    slowpath: Counter,
    term_seconds: Number,
    /// Of all locks: this one's is made when the lock is first seen.
    since_change: Family<NameLabel, Number>,
}

impl LockMetrics {
    pub(super) fn new(families: &Families, name: &str) -> Self {
        let label = NameLabel::new(name);
        Self {
            status: families.leader_status.get_or_create_owned(&label),
            slowpath: families.leader_slowpath.get_or_create_owned(&label),
            term_seconds: families.term_seconds.get_or_create_owned(&label),
            since_change: families.since_change.clone(),
            label,
        }
    }

    /// The term that runs has lasted so long; `None`: this process does not lead.
    pub fn leads(&self, term: Option<Duration>) {
        self.status.set(term.is_some().into());
        self.term_seconds.set(term.unwrap_or_default().as_secs_f64());
    }

    /// The lock last changed so long ago. There is no such metric before the lock has been seen.
    pub fn changed(&self, ago: Duration) {
        self.since_change.get_or_create(&self.label).set(ago.as_secs_f64());
    }

    /// A renewal had to read the lock first, instead of writing over what it knew.
    pub fn slow_renewal(&self) {
        self.slowpath.inc();
    }
}

impl fmt::Debug for LockMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LockMetrics").field(&self.label).finish()
    }
}
