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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Something of everything.
    fn metrics() -> Metrics {
        let metrics = Metrics::new();
        metrics.leader("my-leader", true);
        metrics.slowpath("my-leader");
        metrics.transition();
        metrics.fenced_write();
        let controller = metrics.controller("pages");
        controller.reconciled(ReconcileResult::Error, Duration::from_millis(70));
        controller.reconciled(ReconcileResult::RequeueAfter, Duration::from_millis(30));
        controller.max_concurrent(4);
        controller.depth(3);
        controller.waited(Duration::from_millis(5));
        let watch = metrics.watch("Page");
        watch.object_added();
        watch.undeserializable();
        metrics
    }

    /// What dashboards and alerts rely on; what is not touched is there at zero.
    const SAMPLES: [&str; 24] = [
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
        assert!(text.contains("# HELP workqueue_adds_total Objects put into the queue.\n"), "{text}");
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
        metrics.controller("pages").added();
        metrics.clone().controller("pages").added();
        let text = metrics.encode(false);
        assert!(text.contains("workqueue_adds_total{name=\"pages\",controller=\"pages\"} 2"), "{text}");
    }

    #[test]
    fn what_leads_no_longer_says_so() {
        let metrics = metrics();
        metrics.leader("my-leader", false);
        assert!(metrics.encode(false).contains("leader_election_master_status{name=\"my-leader\"} 0"));
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
