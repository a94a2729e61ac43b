//! What the probes say of a leader and of a standby.

use std::time::Duration;

use crate::harness::{A_SECOND, Cluster, Traffic, replica_of};

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
async fn a_draining_replica_is_unready_and_a_second_signal_ends_it_at_once() {
    let cluster = Cluster::start().await;
    let names = cluster.guestbooks.create_many("book", 5).await;
    let history = cluster.history();
    let proxy = cluster.plane.proxy().expect("open a proxy");
    let through_proxy = cluster.plane.kubeconfig_via("replica-a", &proxy).expect("a kubeconfig through the proxy");
    let recipe = cluster.replica("replica-a").kubeconfig(&through_proxy).default_lease();
    let mut replicas = cluster.start_leading(&history, &[recipe]).await;
    let _traffic = Traffic::start(&cluster.guestbooks, &names, Duration::from_millis(5));
    history.first_status_by(&history.wait_leader("replica-a").await, history.mark()).await;

    // Neither the work under way nor the release gets an answer, so that a clean stop takes its time.
    proxy.hang();
    replicas[0].terminate();
    replicas[0].wait_health("/readyz", 503).await;
    replicas[0].wait_health("/livez", 200).await;
    replicas[0].assert_running();
    let second = replicas[0].terminate();
    assert_eq!(replicas[0].ended().await, 143, "ended by the second signal");
    assert!(second.elapsed() < A_SECOND, "at once: {:?}", second.elapsed());
}
