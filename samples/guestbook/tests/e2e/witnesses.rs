//! The witnesses themselves: what they are there to find, they find.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::harness::{Cluster, LOCK, NAMESPACE};

/// Takes the lock as `user`, as kubectl would.
async fn take_lock(cluster: &Cluster, user: &str) {
    let client = cluster.plane.client_for(user).expect("a client");
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "name": LOCK },
        "spec": { "holderIdentity": format!("{user}_1"), "leaseDurationSeconds": 15 },
    });
    let force = PatchParams::apply(user).force();
    Api::<Lease>::namespaced(client, NAMESPACE).patch(LOCK, &force, &Patch::Apply(lease)).await.expect("take the lock");
}

async fn write_as(cluster: &Cluster, user: &str, name: &str) {
    let client = cluster.plane.client_for(user).expect("a client");
    let map = ConfigMap {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        ..ConfigMap::default()
    };
    Api::namespaced(client, NAMESPACE).create(&PostParams::default(), &map).await.expect("create");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_write_without_the_lock_is_found_in_the_ledger() {
    let cluster = Cluster::start_bare().await;
    take_lock(&cluster, "replica-a").await;
    write_as(&cluster, "replica-a", "held").await;
    take_lock(&cluster, "replica-b").await;
    write_as(&cluster, "replica-b", "taken-over").await;
    cluster.ledger().assert_only_holders_write();

    write_as(&cluster, "replica-a", "late").await;
    write_as(&cluster, "replica-c", "never-held").await;
    let strays: Vec<String> = cluster.ledger().strays().events().iter().map(|event| event.name.clone()).collect();
    assert_eq!(strays, ["late", "never-held"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_history_goes_on_over_a_restart_of_the_api_server() {
    let cluster = Cluster::start_bare().await;
    let history = cluster.history();
    take_lock(&cluster, "replica-a").await;
    assert_eq!(history.wait_leader("replica-a").await, "replica-a_1");

    let mark = history.mark();
    cluster.plane.restart_api_server().await.expect("restart the API server");
    take_lock(&cluster, "replica-b").await;
    let seen = history.first_lease("the next holder", mark, |lease| lease.is_held_by_other_than("replica-a_1")).await;
    assert_eq!(seen.holder.as_deref(), Some("replica-b_1"));

    let mark = history.mark();
    cluster.kubectl(&["delete", "lease", LOCK]).await;
    let gone = history.first_lease("the deletion", mark, |lease| lease.gone).await;
    assert_eq!((gone.holder, &gone.uid), (None, &seen.uid));
    assert_eq!(history.holder(), None);
}
