//! What one controller, its queue and its worker count.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::families::{ControllerLabel, Families, Number, QueueLabels, ResultLabels};

/// The metrics of one controller. Cheap to clone; clones, and all handles for the same name, count together.
#[derive(Clone)]
pub struct ControllerMetrics(Arc<Shared>);

/// How a reconcile ended, as the label `result` tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReconcileResult {
    /// Done, until something changes.
    #[default]
    Success,
    /// Failed, for whatever reason.
    Error,
    /// Done, and wants to come again later.
    RequeueAfter,
}

/// Handles, looked up once: counting takes no lock and allocates nothing.
struct Shared {
    name: Arc<str>,
    success: Counter,
    error: Counter,
    requeue_after: Counter,
    errors: Counter,
    terminal_errors: Counter,
    panics: Counter,
    timeouts: Counter,
    seconds: Histogram,
    max_concurrent: Gauge,
    active: Gauge,
    depth: Gauge,
    adds: Counter,
    retries: Counter,
    queue_seconds: Histogram,
    work_seconds: Histogram,
    unfinished: Number,
    longest_running: Number,
}

impl ControllerMetrics {
    pub(super) fn new(families: &Families, name: &str) -> Self {
        let name: Arc<str> = name.into();
        let controller = ControllerLabel::new(&name);
        let queue = QueueLabels::new(&name);
        let ended =
            |result| families.reconciles.get_or_create_owned(&ResultLabels { controller: name.clone(), result });
        Self(Arc::new(Shared {
            success: ended(ReconcileResult::Success),
            error: ended(ReconcileResult::Error),
            requeue_after: ended(ReconcileResult::RequeueAfter),
            errors: families.reconcile_errors.get_or_create_owned(&controller),
            terminal_errors: families.terminal_reconcile_errors.get_or_create_owned(&controller),
            panics: families.reconcile_panics.get_or_create_owned(&controller),
            timeouts: families.reconcile_timeouts.get_or_create_owned(&controller),
            seconds: families.reconcile_seconds.get_or_create_owned(&controller),
            max_concurrent: families.max_concurrent_reconciles.get_or_create_owned(&controller),
            active: families.active_workers.get_or_create_owned(&controller),
            depth: families.queue_depth.get_or_create_owned(&queue),
            adds: families.queue_adds.get_or_create_owned(&queue),
            retries: families.queue_retries.get_or_create_owned(&queue),
            queue_seconds: families.queue_seconds.get_or_create_owned(&queue),
            work_seconds: families.work_seconds.get_or_create_owned(&queue),
            unfinished: families.unfinished_work_seconds.get_or_create_owned(&queue),
            longest_running: families.longest_running_seconds.get_or_create_owned(&queue),
            name,
        }))
    }

    /// The controller's name, as the label `controller` tells it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// A reconcile ended like this, after this long.
    pub fn reconciled(&self, result: ReconcileResult, took: Duration) {
        match result {
            ReconcileResult::Success => self.0.success.inc(),
            ReconcileResult::RequeueAfter => self.0.requeue_after.inc(),
            ReconcileResult::Error => {
                self.0.errors.inc();
                self.0.error.inc()
            }
        };
        self.0.seconds.observe(took.as_secs_f64());
        self.0.work_seconds.observe(took.as_secs_f64());
    }

    /// How many reconciles ended well, and how many failed.
    #[must_use]
    pub fn ended(&self) -> (u64, u64) {
        (self.0.success.get() + self.0.requeue_after.get(), self.0.error.get())
    }

    /// A reconcile failed for good: it will not be retried. Counted besides [`Self::reconciled`].
    pub fn terminal_error(&self) {
        self.0.terminal_errors.inc();
    }

    /// A reconcile panicked. Counted besides [`Self::reconciled`].
    pub fn panicked(&self) {
        self.0.panics.inc();
    }

    /// A reconcile took longer than it may. Counted besides [`Self::reconciled`].
    pub fn timed_out(&self) {
        self.0.timeouts.inc();
    }

    /// How many reconciles may run at once.
    pub fn max_concurrent(&self, limit: usize) {
        self.0.max_concurrent.set(i64::try_from(limit).unwrap_or(i64::MAX));
    }

    /// A reconcile runs, until the guard is dropped.
    #[must_use = "the reconcile counts as ended when the guard is dropped"]
    pub fn active(&self) -> ActiveGuard {
        self.0.active.inc();
        ActiveGuard(self.0.active.clone())
    }

    /// So many objects are due and wait.
    pub fn depth(&self, waiting: usize) {
        self.0.depth.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// What is worked on now has been for so long: all of it together, and the one that has been for longest.
    pub fn running(&self, unfinished: Duration, longest: Duration) {
        self.0.unfinished.set(unfinished.as_secs_f64());
        self.0.longest_running.set(longest.as_secs_f64());
    }

    /// So many objects have become due in the queue.
    pub fn added(&self, objects: u64) {
        self.0.adds.inc_by(objects);
    }

    /// An object was put into the queue because it failed.
    pub fn retried(&self) {
        self.0.retries.inc();
    }

    /// An object was handed out, this long after it was due.
    pub fn waited(&self, time: Duration) {
        self.0.queue_seconds.observe(time.as_secs_f64());
    }
}

impl fmt::Debug for ControllerMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ControllerMetrics").field(&self.0.name).finish()
    }
}

/// Counts one running reconcile.
#[derive(Debug)]
pub struct ActiveGuard(Gauge);

impl Drop for ActiveGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl ReconcileResult {
    /// The value of the label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::RequeueAfter => "requeue_after",
        }
    }
}
