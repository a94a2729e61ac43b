//! The registry, and every metric's name.
//!
//! Names and labels follow controller-runtime and client-go where those have the metric, so that dashboards and alerts made
//! for operators in Go work; what only this SDK has begins with `kubeops_`. [`descriptors`] lists them. This room knows
//! no other room: whoever has something to count holds a [`Metrics`], or a handle made by it.
//!
//! ```
//! use kubeops::metrics::Metrics;
//!
//! let metrics = Metrics::new();
//! metrics.lock("guestbook-leader");
//! let text = metrics.encode(false);
//! assert!(text.contains("leader_election_master_status{name=\"guestbook-leader\"} 0\n"), "{text}");
//! ```

mod controller;
mod descriptors;
mod families;
mod lock;
#[cfg(target_os = "linux")]
mod process;
mod requests;
mod text;
mod watch;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::registry::Registry;

pub use controller::{ActiveGuard, ControllerMetrics, ReconcileResult};
pub use descriptors::{Descriptor, LABELS, descriptors};
pub use lock::LockMetrics;
pub use requests::{CountRequests, RequestMetrics};
pub use watch::WatchMetrics;

use families::Families;

/// All metrics of the process. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Metrics(Arc<Shared>);

struct Shared {
    registry: Registry,
    families: Families,
    /// What changes with time alone is measured when somebody asks.
    measured: Mutex<Vec<Measure>>,
}

/// Whether it is to be called again.
type Measure = Box<dyn Fn() -> bool + Send>;

impl Metrics {
    /// A registry of its own, with everything at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let families = Families::register(&mut registry);
        Self(Arc::new(Shared { registry, families, measured: Mutex::default() }))
    }

    /// Calls `measure` before each answer from now on: it sets what changes with time alone, and must not block.
    pub fn on_scrape(&self, measure: impl Fn() + Send + Sync + 'static) {
        self.on_scrape_while(move || {
            measure();
            true
        });
    }

    /// As [`Metrics::on_scrape`], until `measure` says `false`: what it measures is gone.
    pub(crate) fn on_scrape_while(&self, measure: impl Fn() -> bool + Send + 'static) {
        self.0.measured.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(measure));
    }

    /// The text that `/metrics` answers with: OpenMetrics 1.0, or the plain Prometheus text format 0.0.4.
    #[must_use]
    pub fn encode(&self, open_metrics: bool) -> String {
        self.0.measured.lock().unwrap_or_else(PoisonError::into_inner).retain(|measure| measure());
        #[cfg(target_os = "linux")]
        process::measure(&self.0.families.process);
        let text = text::open_metrics(&self.0.registry);
        if open_metrics { text } else { text::classic(&text) }
    }

    /// The metrics of the lock called `name`: there from now on, at zero.
    #[must_use]
    pub fn lock(&self, name: &str) -> LockMetrics {
        LockMetrics::new(&self.0.families, name)
    }

    /// A term of this process began.
    pub fn transition(&self) {
        self.0.families.leadership_transitions.inc();
    }

    /// A write was refused, because its term was over.
    pub fn fenced_write(&self) {
        self.0.families.fenced_writes.inc();
    }

    /// A task that was ready to run waited so long for its turn.
    pub fn runtime_ping(&self, wait: Duration) {
        self.0.families.runtime_ping_seconds.set(wait.as_secs_f64());
    }

    /// Counts the requests that go through it, as sent to `host`: `10.96.0.1:443`, say.
    #[must_use]
    pub fn requests(&self, host: &str) -> RequestMetrics {
        RequestMetrics::new(&self.0.families, host)
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

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("families", &self.0.families).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something of everything.
    fn metrics() -> Metrics {
        let metrics = Metrics::new();
        let lock = metrics.lock("my-leader");
        lock.leads(Some(Duration::from_secs(9)));
        lock.slow_renewal();
        lock.changed(Duration::from_millis(1500));
        metrics.transition();
        metrics.fenced_write();
        let controller = metrics.controller("pages");
        controller.reconciled(ReconcileResult::Error, Duration::from_millis(70));
        controller.reconciled(ReconcileResult::RequeueAfter, Duration::from_millis(30));
        controller.max_concurrent(4);
        controller.depth(3);
        controller.waited(Duration::from_millis(5));
        controller.running(Duration::from_secs(7), Duration::from_secs(4));
        let watch = metrics.watch("Page");
        watch.object_added();
        watch.undeserializable();
        metrics
    }

    /// What dashboards and alerts rely on; what is not touched is there at zero.
    const SAMPLES: [&str; 29] = [
        "leader_election_master_status{name=\"my-leader\"} 1",
        "leader_election_slowpath_total{name=\"my-leader\"} 1",
        "controller_leadership_transitions_total 1",
        "controller_runtime_reconcile_total{controller=\"pages\",result=\"success\"} 0",
        "controller_runtime_reconcile_total{controller=\"pages\",result=\"error\"} 1",
        "controller_runtime_reconcile_total{controller=\"pages\",result=\"requeue_after\"} 1",
        "controller_runtime_reconcile_errors_total{controller=\"pages\"} 1",
        "controller_runtime_terminal_reconcile_errors_total{controller=\"pages\"} 0",
        "controller_runtime_reconcile_panics_total{controller=\"pages\"} 0",
        "controller_runtime_reconcile_timeouts_total{controller=\"pages\"} 0",
        "controller_runtime_reconcile_time_seconds_count{controller=\"pages\"} 2",
        "controller_runtime_reconcile_time_seconds_bucket{le=\"0.05\",controller=\"pages\"} 1",
        "controller_runtime_max_concurrent_reconciles{controller=\"pages\"} 4",
        "controller_runtime_active_workers{controller=\"pages\"} 0",
        "workqueue_depth{name=\"pages\",controller=\"pages\"} 3",
        "workqueue_adds_total{name=\"pages\",controller=\"pages\"} 0",
        "workqueue_retries_total{name=\"pages\",controller=\"pages\"} 0",
        "workqueue_queue_duration_seconds_count{name=\"pages\",controller=\"pages\"} 1",
        "workqueue_work_duration_seconds_count{name=\"pages\",controller=\"pages\"} 2",
        "workqueue_work_duration_seconds_sum{name=\"pages\",controller=\"pages\"} 0.1",
        "workqueue_unfinished_work_seconds{name=\"pages\",controller=\"pages\"} 7.0",
        "workqueue_longest_running_processor_seconds{name=\"pages\",controller=\"pages\"} 4.0",
        "kubeops_leader_term_seconds{name=\"my-leader\"} 9.0",
        "kubeops_lease_seconds_since_change{name=\"my-leader\"} 1.5",
        "kubeops_runtime_ping_seconds 0.0",
        "kubeops_fenced_writes_total 1",
        "kubeops_watch_reconnects_total{kind=\"Page\"} 0",
        "kubeops_cache_objects{kind=\"Page\"} 1",
        "kubeops_undeserializable_objects_total{kind=\"Page\"} 1",
    ];

    #[test]
    fn every_sample_has_the_name_and_labels_that_dashboards_rely_on_in_both_formats() {
        for open_metrics in [false, true] {
            let text = metrics().encode(open_metrics);
            for sample in SAMPLES {
                assert!(text.lines().any(|line| line == sample), "no {sample} in\n{text}");
            }
        }
    }

    #[test]
    fn the_classic_format_describes_each_sample_by_its_own_name() {
        let text = metrics().encode(false);
        assert!(text.contains("# TYPE workqueue_adds_total counter\n"), "{text}");
        assert!(text.contains("# HELP workqueue_adds_total Objects that became due in the queue.\n"), "{text}");
        assert!(text.contains("# TYPE workqueue_depth gauge\n"), "{text}");
        assert!(text.contains("# TYPE controller_runtime_reconcile_time_seconds histogram\n"), "{text}");
        assert!(!text.contains("# EOF"), "{text}");
        let described: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        for sample in text.lines().filter(|line| !line.starts_with('#')) {
            let name = sample.split(['{', ' ']).next().unwrap();
            let is_described =
                |it: &&str| *it == name || name.strip_prefix(it).is_some_and(|rest| rest.starts_with('_'));
            assert!(described.iter().any(is_described), "{name} is not described");
        }
    }

    #[test]
    fn open_metrics_names_counters_without_their_suffix_and_has_an_end() {
        let text = metrics().encode(true);
        assert!(text.contains("# TYPE workqueue_adds counter\n"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn handles_of_one_name_count_together() {
        let metrics = Metrics::new();
        metrics.controller("pages").added(1);
        metrics.clone().controller("pages").added(1);
        let text = metrics.encode(false);
        assert!(text.contains("workqueue_adds_total{name=\"pages\",controller=\"pages\"} 2"), "{text}");
    }

    #[test]
    fn what_leads_no_longer_says_so() {
        let metrics = metrics();
        metrics.lock("my-leader").leads(None);
        let text = metrics.encode(false);
        assert!(text.contains("leader_election_master_status{name=\"my-leader\"} 0"), "{text}");
        assert!(text.contains("kubeops_leader_term_seconds{name=\"my-leader\"} 0.0"), "{text}");
    }

    #[test]
    fn a_lock_that_was_never_seen_has_no_age() {
        let metrics = Metrics::new();
        let lock = metrics.lock("my-leader");
        assert!(!metrics.encode(false).contains("kubeops_lease_seconds_since_change{"));
        lock.changed(Duration::ZERO);
        assert!(metrics.encode(false).contains("kubeops_lease_seconds_since_change{name=\"my-leader\"} 0.0"));
    }

    #[test]
    fn what_changes_with_time_alone_is_measured_at_each_scrape() {
        let metrics = Metrics::new();
        let controller = metrics.controller("pages");
        let scrapes = std::sync::atomic::AtomicUsize::new(0);
        metrics.on_scrape(move || controller.depth(scrapes.fetch_add(1, std::sync::atomic::Ordering::SeqCst)));
        let depth = |depth| format!("workqueue_depth{{name=\"pages\",controller=\"pages\"}} {depth}\n");
        assert!(metrics.encode(false).contains(&depth(0)));
        assert!(metrics.encode(false).contains(&depth(1)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_tells_what_it_takes() {
        let metrics = Metrics::new();
        let value = |name: &str| -> f64 {
            let text = metrics.encode(false);
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap();
            line.parse().unwrap()
        };
        let now = jiff::Timestamp::now().as_second() as f64;
        assert!((now - 3600.0..=now + 1.0).contains(&value("process_start_time_seconds")));
        assert!(value("process_resident_memory_bytes") > 1e5);
        assert!(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"));
        assert!((3.0..=value("process_max_fds")).contains(&value("process_open_fds")));
        let used = value("process_cpu_seconds_total");
        let busy = std::time::Instant::now();
        while value("process_cpu_seconds_total") <= used {
            assert!(busy.elapsed() < Duration::from_secs(60), "it has used CPU time all the while");
        }
    }

    #[test]
    fn a_worker_is_active_until_its_guard_is_dropped() {
        let metrics = Metrics::new();
        let controller = metrics.controller("pages");
        let active = |count| format!("controller_runtime_active_workers{{controller=\"pages\"}} {count}");
        let guard = controller.active();
        assert!(metrics.encode(false).contains(&active(1)));
        drop(guard);
        assert!(metrics.encode(false).contains(&active(0)));
    }
}
