//! Which pods kubelet restarts, and which it calls ready.

use std::time::Duration;

use kubeops_testkit::cluster::Fault;
use tokio::time::{Instant, sleep};

use crate::kubelet::Pod;
use crate::pages::{cluster, put, until, written};

/// That of the operator: the settings are those by default.
const LEASE: Duration = Duration::from_secs(15);

/// The one that leads; panics if it is not one alone.
async fn leader(pods: &[Pod]) -> usize {
    let mut leaders = Vec::new();
    for (number, pod) in pods.iter().enumerate() {
        if pod.leads().await {
            leaders.push(number);
        }
    }
    assert_eq!(leaders.len(), 1, "{leaders:?} lead");
    leaders[0]
}

#[tokio::test(start_paused = true)]
async fn in_a_quiet_hour_every_replica_is_ready_one_leads_and_none_is_restarted() {
    let cluster = cluster().await;
    let pods = ["a", "b", "c"].map(|name| Pod::run(&cluster, name));
    sleep(Duration::from_secs(60)).await;
    let first = leader(&pods).await;
    for _minute in 0..60 {
        sleep(Duration::from_secs(60)).await;
        assert_eq!(leader(&pods).await, first);
        assert!(pods.iter().all(Pod::is_ready));
    }
    assert!(pods.iter().all(|pod| pod.restarts().is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_hung_elector_is_restarted_while_the_standbys_go_on_and_one_takes_over() {
    let cluster = cluster().await;
    let pods = ["a", "b", "c"].map(|name| Pod::run(&cluster, name));
    sleep(Duration::from_secs(60)).await;
    let hung = leader(&pods).await;
    pods[hung].container().hang_elector();
    let zero = Instant::now();
    sleep(Duration::from_secs(20)).await;
    let next = leader(&pods).await;
    assert_ne!(next, hung, "the lease ran out, and a standby took it");
    put(&cluster, "one", "{}").await;
    written(&cluster, "one").await;

    until("the hung one is restarted", async || !pods[hung].restarts().is_empty()).await;
    // Three leases without a sign of life, and then as many probes as the manifest says.
    let restart = pods[hung].restarts()[0].clone();
    let (took, probe) = (restart.at - zero, &pods[hung].manifest().liveness);
    let silent = 3 * LEASE;
    let bounds = silent + probe.patience()..=silent + probe.patience() + probe.period;
    assert!(bounds.contains(&took), "{took:?}, not {bounds:?}");
    assert!(restart.clean, "the elector hung, and all else ended within the grace period");
    let complaint = pods[hung].complaint();
    assert!(complaint.starts_with("[-]leader-election failed: the elector has not moved for "), "{complaint}");
    until("it is ready again", async || pods[hung].is_ready()).await;
    sleep(Duration::from_secs(600)).await;
    assert_eq!(leader(&pods).await, next, "it stands by, and takes nothing away");
    let restarts = pods.each_ref().map(|pod| pod.restarts().len());
    assert_eq!((restarts[hung], restarts.iter().sum::<usize>()), (1, 1), "{restarts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_standby_whose_elector_hangs_is_restarted_too_before_it_is_needed() {
    let cluster = cluster().await;
    let pods = ["a", "b"].map(|name| Pod::run(&cluster, name));
    sleep(Duration::from_secs(60)).await;
    let leads = leader(&pods).await;
    let hung = 1 - leads;
    pods[hung].container().hang_elector();
    sleep(Duration::from_secs(600)).await;
    assert_eq!((pods[hung].restarts().len(), pods[leads].restarts().len()), (1, 0));
    assert_eq!(leader(&pods).await, leads);
    assert!(pods[hung].is_ready());
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_for_an_hour_restarts_nobody() {
    let cluster = cluster().await;
    let pods = ["a", "b"].map(|name| Pod::run(&cluster, name));
    sleep(Duration::from_secs(60)).await;
    for name in ["a", "b"] {
        cluster.faults(name).cut();
    }
    sleep(Duration::from_secs(3600)).await;
    for name in ["a", "b"] {
        cluster.faults(name).mend();
    }
    sleep(Duration::from_secs(120)).await;
    leader(&pods).await;
    assert!(pods.iter().all(|pod| pod.restarts().is_empty() && pod.is_ready()));
}

#[tokio::test(start_paused = true)]
async fn one_that_may_not_use_its_lock_never_starts_and_says_why() {
    let cluster = cluster().await;
    let forbidden = Fault::Refuse { code: 403, retry_after: None };
    cluster.faults("a").when(|request| request.resource == "leases", None, forbidden);
    let pod = Pod::run(&cluster, "a");
    let patience = pod.manifest().startup.patience();
    sleep(patience - Duration::from_secs(5)).await;
    assert!(!pod.has_started() && pod.restarts().is_empty());
    assert_eq!(pod.complaint(), "[-]lock failed: the lock has not been read and watched yet\nstartupz check failed\n");
    sleep(Duration::from_secs(10) + pod.manifest().grace).await;
    assert_eq!(pod.restarts().len(), 1, "a rollout with wrong rights stops here");
    cluster.faults("a").mend();
    until("it has started", async || pod.has_started()).await;
}
