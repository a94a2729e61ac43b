//! The registry, and every metric's name.
//!
//! Names and labels follow controller-runtime and client-go where those have the metric, so that dashboards and alerts made
//! for operators in Go work; what only this SDK has begins with `kubeops_`. All names are in `families.rs`. This room
//! knows no other room: whoever has something to count holds a [`Metrics`], or a handle made by it.

mod controller;
mod families;
mod text;
mod watch;

use std::sync::Arc;

use prometheus_client::registry::Registry;

pub use controller::{ActiveGuard, ControllerMetrics, ReconcileResult};
pub use watch::WatchMetrics;

use families::{Families, NameLabel};

/// All metrics of the process. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    registry: Registry,
    families: Families,
}

impl Metrics {
    /// A registry of its own, with everything at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let families = Families::register(&mut registry);
        Self(Arc::new(Shared { registry, families }))
    }

    /// The text that `/metrics` answers with: OpenMetrics 1.0, or the plain Prometheus text format 0.0.4.
    #[must_use]
    pub fn encode(&self, open_metrics: bool) -> String {
        let text = text::open_metrics(&self.0.registry);
        if open_metrics { text } else { text::classic(&text) }
    }

    /// Whether this process leads by the lock called `name`.
    pub fn leader(&self, name: &str, leads: bool) {
        self.0.families.leader_status.get_or_create(&NameLabel::new(name)).set(i64::from(leads));
    }

    /// A renewal of the lock called `name` had to read the lock first, instead of writing over what it knew.
    pub fn slowpath(&self, name: &str) {
        self.0.families.leader_slowpath.get_or_create(&NameLabel::new(name)).inc();
    }

    /// Leadership went from one process to another, or to nobody.
    pub fn transition(&self) {
        self.0.families.leadership_transitions.inc();
    }

    /// A write was refused, because its term was over.
    pub fn fenced_write(&self) {
        self.0.families.fenced_writes.inc();
    }

    /// The metrics of the controller called `name`: all of them there from now on, at zero.
    #[must_use]
    pub fn controller(&self, name: &str) -> ControllerMetrics {
        ControllerMetrics::new(&self.0.families, name)
    }

    /// The metrics of the watches of `kind`: all of them there from now on, at zero.
    #[must_use]
    pub fn watch(&self, kind: &str) -> WatchMetrics {
        WatchMetrics::new(&self.0.families, kind)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
