//! Leaders whose API server is slow, or is reached by some connections only.

use kubeops_testkit::AuditEvent;
use kubeops_testkit::cluster::Fault;

use super::*;

/// D, by the defaults.
const DEADLINE: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_long_for_each_write_keeps_its_leader() {
    stays_with(AuditEvent::is_write).await;
}

#[tokio::test(start_paused = true)]
async fn so_does_one_that_takes_long_for_each_read_too() {
    stays_with(|_| true).await;
}

/// Far longer than a call is waited for, but three fit into a term.
async fn stays_with(slow: impl Fn(&AuditEvent) -> bool + Send + Sync + 'static) {
    let site = Site::start().await;
    let mut only = replica(&site, "a");
    let term = only.leads().await;
    site.faults("a").when(slow, None, Fault::Latency(DEADLINE.mul_f64(0.4)));
    // Nor does a watch tell what has landed.
    site.faults("a").when(|request| request.verb == "watch", None, Fault::Hang);
    site.faults("a").end_watches();
    sleep(DEADLINE * 60).await;
    assert!(term.is_valid(), "{:?}", term.end_reason());
    only.way.mend();
    only.stop.cancel();
    only.run.await.unwrap().unwrap();
    assert_eq!(site.holders().await, ["a", ""]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_hangs_costs_no_term_if_the_next_one_works() {
    let site = Site::start().await;
    let mut only = replica(&site, "a");
    let term = only.leads().await;
    for _ in 0..20 {
        site.faults("a").when(AuditEvent::is_write, Some(1), Fault::Hang);
        site.faults("a").when(|request| request.verb == "list", Some(1), Fault::Hang);
        sleep(DEADLINE).await;
        assert!(term.is_valid(), "{:?}", term.end_reason());
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_the_lock_slowly_leads_once_it_is_taken() {
    let site = Site::start().await;
    let mut only = replica(&site, "a");
    site.faults("a").when(AuditEvent::is_write, None, Fault::Latency(DEADLINE.mul_f64(0.4)));
    let start = Instant::now();
    let term = only.leads().await;
    assert!(start.elapsed() < DEADLINE, "{:?}", start.elapsed());
    sleep(HOUR).await;
    assert!(term.is_valid(), "{:?}", term.end_reason());
    assert_eq!(site.holders().await, ["a"]);
}
