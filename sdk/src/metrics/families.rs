//! Every metric there is: its name, its help, its labels, its buckets.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry};

use super::ReconcileResult;
use super::descriptors::Example;

/// The buckets of controller-runtime's `controller_runtime_reconcile_time_seconds`.
const RECONCILE_SECONDS: [f64; 40] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5,
    1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0,
];

/// A gauge of seconds, or of whatever else is no whole number.
pub(super) type Number = Gauge<f64, AtomicU64>;

#[derive(Debug)]
pub(super) struct Families {
    pub(super) leader_status: Family<NameLabel, Gauge>,
    pub(super) leader_slowpath: Family<NameLabel, Counter>,
    pub(super) leadership_transitions: Counter,
    pub(super) term_seconds: Family<NameLabel, Number>,
    pub(super) since_change: Family<NameLabel, Number>,
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
    pub(super) unfinished_work_seconds: Family<QueueLabels, Number>,
    pub(super) longest_running_seconds: Family<QueueLabels, Number>,

    pub(super) watch_reconnects: Family<KindLabel, Counter>,
    pub(super) cache_objects: Family<KindLabel, Gauge>,
    pub(super) undeserializable_objects: Family<KindLabel, Counter>,

    pub(super) requests: Family<RequestLabels, Counter>,
    pub(super) runtime_ping_seconds: Number,
    #[cfg(target_os = "linux")]
    pub(super) process: ProcessFamilies,
}

/// What Prometheus' own clients tell of a process.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub(super) struct ProcessFamilies {
    pub(super) cpu_seconds: Counter<f64, AtomicU64>,
    pub(super) start_time: Number,
    pub(super) resident_memory: Number,
    pub(super) virtual_memory: Number,
    pub(super) virtual_memory_max: Number,
    pub(super) open_fds: Number,
    pub(super) max_fds: Number,
}

impl Families {
    /// Counters are named without `_total`, which the encoder appends.
    pub(super) fn register(registry: &mut Registry) -> Self {
        Self::register_into(Register { registry, examples: false })
    }

    /// Likewise, with a sample in each, so that each is described.
    pub(super) fn with_examples(registry: &mut Registry) -> Self {
        Self::register_into(Register { registry, examples: true })
    }

    fn register_into(mut into: Register<'_>) -> Self {
        Self {
            leader_status: into
                .add("leader_election_master_status", "Whether this process leads by this lock (1), or not"),
            leader_slowpath: into.add("leader_election_slowpath", "Renewals that had to read the lock first"),
            leadership_transitions: into
                .add("controller_leadership_transitions", "Terms of leadership that this process has begun"),
            term_seconds: into.add(
                "kubeops_leader_term_seconds",
                "How long the term that runs has lasted; 0 if this process does not lead",
            ),
            since_change: into.add(
                "kubeops_lease_seconds_since_change",
                "How long ago the lock last changed, as this process saw it",
            ),
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
            queue_adds: into.add("workqueue_adds", "Objects that became due in the queue"),
            queue_retries: into.add("workqueue_retries", "Objects that are to be tried again because they failed"),
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
            unfinished_work_seconds: into.add(
                "workqueue_unfinished_work_seconds",
                "How long objects that are worked on now have been, all together",
            ),
            longest_running_seconds: into.add(
                "workqueue_longest_running_processor_seconds",
                "How long the object that has been worked on for longest has been",
            ),

            watch_reconnects: into
                .add("kubeops_watch_reconnects", "Watches that ended before their time, or could not be opened"),
            cache_objects: into.add("kubeops_cache_objects", "Objects in the caches"),
            undeserializable_objects: into
                .add("kubeops_undeserializable_objects", "Versions of objects that do not fit their Rust type"),

            requests: into.add("rest_client_requests", "Requests to the API server"),
            runtime_ping_seconds: into.add("kubeops_runtime_ping_seconds", "How long a task waits to run"),
            #[cfg(target_os = "linux")]
            process: ProcessFamilies::register(&mut into),
        }
    }
}

#[cfg(target_os = "linux")]
impl ProcessFamilies {
    fn register(into: &mut Register<'_>) -> Self {
        Self {
            cpu_seconds: into.add("process_cpu_seconds", "CPU time, of the user and the system"),
            start_time: into.add("process_start_time_seconds", "When the process started, in seconds since 1970"),
            resident_memory: into.add("process_resident_memory_bytes", "Resident memory"),
            virtual_memory: into.add("process_virtual_memory_bytes", "Virtual memory"),
            virtual_memory_max: into.add("process_virtual_memory_max_bytes", "The most virtual memory there may be"),
            open_fds: into.add("process_open_fds", "Open file descriptors"),
            max_fds: into.add("process_max_fds", "The most open file descriptors there may be"),
        }
    }
}

struct Register<'a> {
    registry: &'a mut Registry,
    examples: bool,
}

impl Register<'_> {
    fn add<M: Metric + Example + Clone + Default>(&mut self, name: &str, help: &str) -> M {
        self.put(name, help, M::default())
    }

    fn put<M: Metric + Example + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        if self.examples {
            metric.make_example();
        }
        self.registry.register(name, help, metric.clone());
        metric
    }

    fn histogram<L>(
        &mut self,
        name: &str,
        help: &str,
        new: fn() -> Histogram,
    ) -> Family<L, Histogram, fn() -> Histogram>
    where
        Family<L, Histogram, fn() -> Histogram>: Metric + Example,
        L: Clone + std::hash::Hash + Eq,
    {
        self.put(name, help, Family::new_with_constructor(new))
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

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct NameLabel {
    name: Arc<str>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct KindLabel {
    kind: Arc<str>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ControllerLabel {
    controller: Arc<str>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ResultLabels {
    pub(super) controller: Arc<str>,
    pub(super) result: ReconcileResult,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    code: Code,
    method: Verb,
    host: Arc<str>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Code(Option<StatusCode>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Verb(Method);

/// client-go's queues have a name; ours has its controller's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, EncodeLabelSet)]
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

impl RequestLabels {
    /// `code`: of the answer, if there was one.
    pub(super) const fn new(code: Option<StatusCode>, method: Method, host: Arc<str>) -> Self {
        Self { code: Code(code), method: Verb(method), host }
    }
}

impl EncodeLabelValue for Code {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        // client-go's word.
        self.0.as_ref().map_or("<error>", StatusCode::as_str).encode(encoder)
    }
}

impl EncodeLabelValue for Verb {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        self.0.as_str().encode(encoder)
    }
}

impl EncodeLabelValue for ReconcileResult {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        self.as_str().encode(encoder)
    }
}
