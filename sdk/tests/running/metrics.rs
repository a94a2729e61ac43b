//! `/metrics` of operators that run.

use std::time::Duration;

use crate::pages::{cluster, leads, operator, put, replica, until, written};
use crate::scrape::scrape;

/// Every metric there is: name, type, labels. Dashboards, alerts and the documentation rely on it.
const METRICS: &str = "\
controller_leadership_transitions_total counter
controller_runtime_active_workers gauge controller
controller_runtime_max_concurrent_reconciles gauge controller
controller_runtime_reconcile_errors_total counter controller
controller_runtime_reconcile_panics_total counter controller
controller_runtime_reconcile_time_seconds histogram controller
controller_runtime_reconcile_timeouts_total counter controller
controller_runtime_reconcile_total counter controller,result
controller_runtime_terminal_reconcile_errors_total counter controller
kubeops_cache_objects gauge kind
kubeops_fenced_writes_total counter
kubeops_leader_term_seconds gauge name
kubeops_lease_seconds_since_change gauge name
kubeops_runtime_ping_seconds gauge
kubeops_undeserializable_objects_total counter kind
kubeops_watch_reconnects_total counter kind
leader_election_master_status gauge name
leader_election_slowpath_total counter name
rest_client_requests_total counter code,host,method
workqueue_adds_total counter controller,name
workqueue_depth gauge controller,name
workqueue_longest_running_processor_seconds gauge controller,name
workqueue_queue_duration_seconds histogram controller,name
workqueue_retries_total counter controller,name
workqueue_unfinished_work_seconds gauge controller,name
workqueue_work_duration_seconds histogram controller,name
";

/// On Linux, as Prometheus' own clients.
const OF_PROCESS: &str = "\
process_cpu_seconds_total counter
process_max_fds gauge
process_open_fds gauge
process_resident_memory_bytes gauge
process_start_time_seconds gauge
process_virtual_memory_bytes gauge
process_virtual_memory_max_bytes gauge
";

const LOCK: &[(&str, &str)] = &[("name", "kubeops-leader")];
const PAGES: &[(&str, &str)] = &[("controller", "pages")];

#[tokio::test(start_paused = true)]
async fn leader_and_standby_tell_every_metric_with_its_type_and_labels() {
    let cluster = cluster().await;
    let leader = replica(&cluster, "a").await;
    until("a leads", async || leads(&leader).await).await;
    let standby = replica(&cluster, "b").await;
    put(&cluster, "one", "{}").await;
    written(&cluster, "one").await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let of_process = if cfg!(target_os = "linux") { OF_PROCESS } else { "" };
    let expected = METRICS.lines().chain(of_process.lines()).map(str::to_owned).collect();
    for (who, operator) in [("leader", &leader), ("standby", &standby)] {
        assert_eq!(scrape(operator).await.metrics(), expected, "{who}");
    }
    let (_, open) = leader.get_as("/metrics", "application/openmetrics-text;version=1.0.0").await;
    assert!(open.ends_with("# EOF\n"), "{open}");
}

#[tokio::test(start_paused = true)]
async fn one_leads_and_all_know_how_fresh_the_lock_is() {
    let cluster = cluster().await;
    let replicas = [replica(&cluster, "a").await, replica(&cluster, "b").await];
    until("one leads", async || leads(&replicas[0]).await || leads(&replicas[1]).await).await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    let told = [scrape(&replicas[0]).await, scrape(&replicas[1]).await];
    let of = |name| told.each_ref().map(|scrape| scrape.sum(name, LOCK));
    assert_eq!(of("leader_election_master_status").iter().sum::<f64>(), 1.0);
    assert_eq!(of("leader_election_slowpath_total"), [0.0, 0.0]);
    let [one, other] = of("kubeops_leader_term_seconds");
    assert!((99.0..102.0).contains(&one.max(other)) && one.min(other) == 0.0, "{one} {other}");
    // A third of the renew deadline, and the way.
    assert!(of("kubeops_lease_seconds_since_change").iter().all(|age| *age <= 4.0), "{told:?}");
    assert_eq!(
        told.each_ref().map(|it| it.sum("controller_leadership_transitions_total", &[])).iter().sum::<f64>(),
        1.0
    );
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_elector_hangs_says_that_it_leads_no_longer_than_it_does() {
    let cluster = cluster().await;
    let leader = replica(&cluster, "a").await;
    until("a leads", async || leads(&leader).await).await;
    leader.hang_elector();
    tokio::time::sleep(Duration::from_secs(11)).await;
    let told = scrape(&leader).await;
    assert_eq!(told.sum("leader_election_master_status", LOCK), 0.0);
    assert_eq!(told.sum("kubeops_leader_term_seconds", LOCK), 0.0);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert!(scrape(&leader).await.sum("kubeops_lease_seconds_since_change", LOCK) > 100.0);
}

#[tokio::test(start_paused = true)]
async fn what_waits_and_what_is_worked_on_is_measured_at_each_scrape() {
    let cluster = cluster().await;
    for name in ["one", "two", "three"] {
        put(&cluster, name, "{ seconds: 40 }").await;
    }
    let one_at_a_time = ("KubeOps:MaxParallelReconciliations", "1");
    let running = operator().start_replica_on(&cluster, "a", &[one_at_a_time]).await;
    until("one is worked on", async || scrape(&running).await.sum("controller_runtime_active_workers", PAGES) == 1.0)
        .await;
    let first = scrape(&running).await.sum("workqueue_longest_running_processor_seconds", PAGES);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let told = scrape(&running).await;
    assert_eq!(told.sum("workqueue_longest_running_processor_seconds", PAGES).round(), (first + 10.0).round());
    assert_eq!(told.sum("workqueue_unfinished_work_seconds", PAGES).round(), (first + 10.0).round());
    assert_eq!(told.sum("workqueue_depth", PAGES), 2.0);
    assert_eq!(told.sum("controller_runtime_max_concurrent_reconciles", PAGES), 1.0);
    // Each a second time, because its ConfigMap is new.
    tokio::time::sleep(Duration::from_secs(400)).await;
    let told = scrape(&running).await;
    for gauge in ["workqueue_longest_running_processor_seconds", "workqueue_unfinished_work_seconds", "workqueue_depth"]
    {
        assert_eq!(told.sum(gauge, PAGES), 0.0, "{gauge}");
    }
    assert!(told.sum("workqueue_work_duration_seconds_sum", PAGES) >= 240.0);
    // The last of them waited for the two before it.
    assert!(told.sum("workqueue_queue_duration_seconds_sum", PAGES) >= 40.0 + 80.0);
}

#[tokio::test(start_paused = true)]
async fn failures_count_as_errors_and_retries() {
    let cluster = cluster().await;
    put(&cluster, "bad", "{ fails: true }").await;
    let running = replica(&cluster, "a").await;
    until("it was tried five times", async || scrape(&running).await.sum("workqueue_retries_total", PAGES) >= 4.0)
        .await;
    let told = scrape(&running).await;
    let errors = told.sum("controller_runtime_reconcile_errors_total", PAGES);
    assert_eq!(told.sum("controller_runtime_reconcile_total", &[("controller", "pages"), ("result", "error")]), errors);
    assert_eq!(told.sum("controller_runtime_reconcile_total", PAGES), errors);
    assert_eq!(told.sum("workqueue_retries_total", PAGES), errors);
    assert_eq!(told.sum("controller_runtime_reconcile_time_seconds_count", PAGES), errors);
}

#[tokio::test(start_paused = true)]
async fn requests_count_by_what_became_of_them() {
    let cluster = cluster().await;
    let running = replica(&cluster, "a").await;
    until("it leads", async || leads(&running).await).await;
    let requests = async |code: &str, method: &str| {
        let labels = [("code", code), ("method", method), ("host", "cluster")];
        scrape(&running).await.sum("rest_client_requests_total", &labels)
    };
    // The Lease: once to take it, and then to keep it.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let before = requests("200", "PUT").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let per_minute = requests("200", "PUT").await - before;
    assert!((15.0..=20.0).contains(&per_minute), "{per_minute}");
    cluster.faults("a").cut();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(requests("<error>", "PUT").await >= 1.0);
}

#[tokio::test(start_paused = true)]
async fn more_objects_are_no_more_series() {
    let cluster = cluster().await;
    let running = replica(&cluster, "a").await;
    put(&cluster, "first", "{}").await;
    written(&cluster, "first").await;
    put(&cluster, "bad", "{ fails: true }").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let before = scrape(&running).await;
    for number in 0..50 {
        put(&cluster, &format!("page-{number}"), if number % 2 == 0 { "{}" } else { "{ fails: true }" }).await;
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    let after = scrape(&running).await;
    assert_eq!(after.sum("kubeops_cache_objects", &[("kind", "Page")]), 52.0);
    assert_eq!(after.series(), before.series());
}

#[tokio::test(start_paused = true)]
async fn an_object_counts_as_added_when_it_is_due_and_not_when_that_is_planned() {
    let cluster = cluster().await;
    put(&cluster, "one", "{}").await;
    let hourly = [("KubeOps:ResyncPeriod", "1h")];
    let running = operator().start_replica_on(&cluster, "a", &hourly).await;
    written(&cluster, "one").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let first = scrape(&running).await.sum("workqueue_adds_total", PAGES);
    tokio::time::sleep(Duration::from_secs(3600 * 2 / 3)).await;
    assert_eq!(scrape(&running).await.sum("workqueue_adds_total", PAGES), first, "it comes again after 54 minutes");
    tokio::time::sleep(Duration::from_secs(3600 / 2)).await;
    assert_eq!(scrape(&running).await.sum("workqueue_adds_total", PAGES), first + 1.0);
}
