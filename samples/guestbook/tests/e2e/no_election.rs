//! `EnableLeaderElection: false`: this process always leads, and there is no lock.

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::ListParams;

use crate::harness::{Cluster, NAMESPACE, reconciled_by, replica_of};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn without_election_a_replica_reconciles_and_no_lease_exists() {
    let cluster = Cluster::start().await;
    let mut replica = cluster.replica("replica-a").set("KubeOps__EnableLeaderElection", "false").start();
    replica.wait_ready().await;
    cluster.guestbooks.create_many("book", 3).await;
    for guestbook in cluster.guestbooks.wait_all_settled(3).await {
        assert_eq!(reconciled_by(&guestbook).map(replica_of), Some("replica-a"));
    }

    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    let leases = leases.list(&ListParams::default()).await.expect("list leases").items;
    assert!(leases.is_empty(), "{leases:#?}");
    let asked = cluster.ledger().of("replica-a").such(|event| event.resource == "leases");
    assert_eq!(asked.len(), 0, "not even a look: {:#?}", asked.lines());

    let (leading, body) = replica.health("/readyz/leading").await.expect("ask the probe");
    assert_eq!(leading, 200, "it leads: {body}");
    assert_eq!(replica.stop().await, 0);
}
