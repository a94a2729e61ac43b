//! What the world sees of a change of leader: Events on the Lease as client-go writes them, and metrics on every replica.

use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::ListParams;

use crate::harness::{Cluster, LOCK, NAMESPACE, PATIENCE, eventually};

/// The texts of the Events on the lock, in the order of their time.
async fn told(events: &Api<Event>) -> Vec<String> {
    let of_the_lock = ListParams::default().fields(&format!("involvedObject.kind=Lease,involvedObject.name={LOCK}"));
    let mut events = events.list(&of_the_lock).await.expect("list the Events of the lock").items;
    events.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    for event in &events {
        assert_eq!(event.reason.as_deref(), Some("LeaderElection"));
        assert_eq!(event.type_.as_deref(), Some("Normal"));
    }
    events.into_iter().filter_map(|event| event.message).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_change_of_leader_is_told_by_events_and_metrics() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let recipes = ["replica-a", "replica-b"].map(|name| cluster.replica(name));
    let mut replicas = cluster.start_leading(&history, &recipes).await;
    let status = "leader_election_master_status";
    assert_eq!(replicas[0].metric(status, &[LOCK]).await.expect("the leader's metrics"), 1.0);
    assert_eq!(replicas[1].metric(status, &[LOCK]).await.expect("the standby's metrics"), 0.0);

    assert_eq!(replicas[0].stop().await, 0);
    history.wait_leader("replica-b").await;
    replicas[1].wait_says_it_leads(true, PATIENCE).await;
    let transitions = replicas[1].metric("controller_leadership_transitions_total", &[]).await.expect("transitions");
    assert_eq!(transitions, 1.0);

    let events: Api<Event> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    let expected = ["replica-a became leader", "replica-a stopped leading", "replica-b became leader"];
    eventually("the Events tell who led", PATIENCE, async || {
        let told = told(&events).await;
        let matches = |expected: &str| {
            let (name, what) = expected.split_once(' ').unwrap_or_default();
            told.iter().any(|text| text.starts_with(&format!("{name}_")) && text.ends_with(what))
        };
        if expected.into_iter().all(matches) && told.len() == expected.len() {
            Ok(())
        } else {
            Err(format!("{told:#?}"))
        }
    })
    .await;
}
