//! What the probes say of a leader and of a standby.

use std::time::Duration;

use crate::harness::{Cluster, PATIENCE, eventually, replica_of};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_standby_is_as_ready_as_the_leader() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let recipes = ["replica-a", "replica-b"].map(|name| cluster.replica(name));
    let replicas = cluster.start_leading(&history, &recipes).await;

    for replica in &replicas {
        for path in ["/healthz", "/livez", "/readyz", "/startupz"] {
            let body = replica.wait_health(path, 200).await;
            assert_eq!(body.trim(), "ok", "{path} of {}", replica.name());
        }
    }
    replicas[0].wait_health("/readyz/leading", 200).await;
    replicas[1].wait_health("/readyz/leading", 503).await;
    let verbose = replicas[1].wait_health("/readyz?verbose", 200).await;
    assert!(verbose.contains(&history.holder().expect("held")), "the leader's identity is shown: {verbose}");
    assert_eq!(replicas[1].says_it_leads().await, Ok(false));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn ready_when_leading_makes_only_the_standby_unready() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let recipes = ["replica-a", "replica-b"].map(|name| cluster.replica(name).set("KubeOps__ReadyWhen", "Leading"));
    let leader = recipes[0].start();
    history.wait_leader("replica-a").await;
    leader.wait_ready().await;
    let standby = recipes[1].start();
    standby.wait_health("/startupz", 200).await;

    let body = standby.wait_health("/readyz", 503).await;
    assert!(body.contains("leading"), "it says which check failed: {body}");
    // Unready for standing by, not for caches on their way: everything else is well.
    standby.wait_health("/readyz?exclude=leading", 200).await;
    standby.wait_health("/healthz", 200).await;
    standby.wait_health("/livez", 200).await;

    drop(leader);
    assert_eq!(replica_of(&history.wait_leader("replica-b").await), "replica-b");
    standby.wait_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_second_signal_ends_a_replica_at_once() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let mut replicas = cluster.start_leading(&history, &[cluster.replica("replica-a").default_lease()]).await;
    // The release has nobody to answer it, so that a clean stop takes its time.
    cluster.plane.stop_api_server().await;
    let first = replicas[0].terminate();
    eventually("the first signal has arrived", PATIENCE, async || match replicas[0].health("/readyz").await {
        Ok((200, _)) => Err("still ready".to_owned()),
        _ => Ok(()),
    })
    .await;
    if replicas[0].is_running() {
        replicas[0].terminate();
        assert_eq!(replicas[0].ended().await, 143, "ended by the second signal");
        assert!(first.elapsed() < Duration::from_secs(25), "at once, not by the shutdown timeout");
    }
}
