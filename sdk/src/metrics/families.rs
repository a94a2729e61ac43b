//! Every metric there is: its name, its help, its labels, its buckets.

use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry};

use super::ReconcileResult;

/// The buckets of controller-runtime's `controller_runtime_reconcile_time_seconds`.
const RECONCILE_SECONDS: [f64; 40] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5,
    1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0,
];

#[derive(Debug)]
pub(super) struct Families {
    pub(super) leader_status: Family<NameLabel, Gauge>,
    pub(super) leader_slowpath: Family<NameLabel, Counter>,
    pub(super) leadership_transitions: Counter,
    pub(super) fenced_writes: Counter,

    pub(super) reconciles: Family<ResultLabels, Counter>,
    pub(super) reconcile_errors: Family<ControllerLabel, Counter>,
    pub(super) terminal_reconcile_errors: Family<ControllerLabel, Counter>,
    pub(super) reconcile_panics: Family<ControllerLabel, Counter>,
    pub(super) reconcile_timeouts: Family<ControllerLabel, Counter>,
    pub(super) reconcile_seconds: Family<ControllerLabel, Histogram, fn() -> Histogram>,
    pub(super) max_concurrent_reconciles: Family<ControllerLabel, Gauge>,
    pub(super) active_workers: Family<ControllerLabel, Gauge>,

    pub(super) queue_depth: Family<QueueLabels, Gauge>,
    pub(super) queue_adds: Family<QueueLabels, Counter>,
    pub(super) queue_retries: Family<QueueLabels, Counter>,
    pub(super) queue_seconds: Family<QueueLabels, Histogram, fn() -> Histogram>,
    pub(super) work_seconds: Family<QueueLabels, Histogram, fn() -> Histogram>,

    pub(super) watch_reconnects: Family<KindLabel, Counter>,
    pub(super) cache_objects: Family<KindLabel, Gauge>,
    pub(super) undeserializable_objects: Family<KindLabel, Counter>,
}

impl Families {
    /// Counters are named without `_total`, which the encoder appends.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let mut into = Register(registry);
        Self {
            leader_status: into
                .add("leader_election_master_status", "Whether this process leads by this lock (1), or not"),
            leader_slowpath: into.add("leader_election_slowpath", "Renewals that had to read the lock first"),
            leadership_transitions: into.add("controller_leadership_transitions", "Changes of leader that were seen"),
            fenced_writes: into.add("kubeops_fenced_writes", "Writes refused because their term was over"),

            reconciles: into.add("controller_runtime_reconcile", "Reconciles, by how they ended"),
            reconcile_errors: into.add("controller_runtime_reconcile_errors", "Reconciles that failed"),
            terminal_reconcile_errors: into
                .add("controller_runtime_terminal_reconcile_errors", "Reconciles that failed for good: no retry"),
            reconcile_panics: into.add("controller_runtime_reconcile_panics", "Reconciles that panicked"),
            reconcile_timeouts: into.add("controller_runtime_reconcile_timeouts", "Reconciles that took too long"),
            reconcile_seconds: into.histogram(
                "controller_runtime_reconcile_time_seconds",
                "How long reconciles took",
                reconcile_seconds,
            ),
            max_concurrent_reconciles: into
                .add("controller_runtime_max_concurrent_reconciles", "How many reconciles may run at once"),
            active_workers: into.add("controller_runtime_active_workers", "How many reconciles run now"),

            queue_depth: into.add("workqueue_depth", "Objects that are due and wait for a worker"),
            queue_adds: into.add("workqueue_adds", "Objects put into the queue"),
            queue_retries: into.add("workqueue_retries", "Objects put into the queue because they failed"),
            queue_seconds: into.histogram(
                "workqueue_queue_duration_seconds",
                "How long due objects waited for a worker",
                queue_seconds,
            ),
            work_seconds: into.histogram(
                "workqueue_work_duration_seconds",
                "How long objects were worked on",
                queue_seconds,
            ),

            watch_reconnects: into
                .add("kubeops_watch_reconnects", "Watches that ended before their time, or could not be opened"),
            cache_objects: into.add("kubeops_cache_objects", "Objects in the caches"),
            undeserializable_objects: into
                .add("kubeops_undeserializable_objects", "Versions of objects that do not fit their Rust type"),
        }
    }
}

struct Register<'a>(&'a mut Registry);

impl Register<'_> {
    fn add<M: Metric + Clone + Default>(&mut self, name: &str, help: &str) -> M {
        let metric = M::default();
        self.0.register(name, help, metric.clone());
        metric
    }

    fn histogram<L>(
        &mut self,
        name: &str,
        help: &str,
        new: fn() -> Histogram,
    ) -> Family<L, Histogram, fn() -> Histogram>
    where
        Family<L, Histogram, fn() -> Histogram>: Metric,
        L: Clone + std::hash::Hash + Eq,
    {
        let family = Family::new_with_constructor(new);
        self.0.register(name, help, family.clone());
        family
    }
}

fn reconcile_seconds() -> Histogram {
    Histogram::new(RECONCILE_SECONDS)
}

/// 10 ns to 1,000 s, as client-go's work queues.
fn queue_seconds() -> Histogram {
    Histogram::new(exponential_buckets(1e-8, 10.0, 12))
}

// === labels ===

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct NameLabel {
    name: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct KindLabel {
    kind: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ControllerLabel {
    controller: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ResultLabels {
    pub(super) controller: Arc<str>,
    pub(super) result: ReconcileResult,
}

/// client-go's queues have a name; ours has its controller's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct QueueLabels {
    name: Arc<str>,
    controller: Arc<str>,
}

impl NameLabel {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into() }
    }
}

impl KindLabel {
    pub(super) fn new(kind: &str) -> Self {
        Self { kind: kind.into() }
    }
}

impl ControllerLabel {
    pub(super) fn new(controller: &Arc<str>) -> Self {
        Self { controller: controller.clone() }
    }
}

impl QueueLabels {
    pub(super) fn new(controller: &Arc<str>) -> Self {
        Self { name: controller.clone(), controller: controller.clone() }
    }
}

impl EncodeLabelValue for ReconcileResult {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        self.as_str().encode(encoder)
    }
}
