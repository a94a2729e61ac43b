//! The lock is deleted under its holder.

use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use crate::harness::{A_SECOND, Cluster, LOCK, LeaseSeen, NAMESPACE, PATIENCE, Replica, Traffic, say};

/// What somebody else writes: shorter than the replicas' own lease, so that its end can be waited for.
const FOREIGN_SECONDS: i64 = 5;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_deleted_lock_ends_the_term_and_one_replica_leads_again_within_a_second() {
    let cluster = Cluster::start().await;
    let names = cluster.guestbooks.create_many("book", 5).await;
    let history = cluster.history();
    let recipes = ["replica-a", "replica-b"].map(|name| cluster.replica(name).default_lease());
    let mut replicas = cluster.start_leading(&history, &recipes).await;
    cluster.guestbooks.wait_all_settled(5).await;
    let _traffic = Traffic::start(&cluster.guestbooks, &names, Duration::from_millis(20));
    let before = transitions(&replicas).await;

    let mark = history.mark();
    cluster.kubectl(&["delete", "lease", LOCK]).await;
    let gone = history.first_lease("the lock is gone", mark, |lease| lease.gone).await;
    let fits = |lease: &LeaseSeen| lease.is_held() && lease.uid != gone.uid;
    let again = history.first_lease("a new lock is held", mark, fits).await;
    let after = again.at.saturating_duration_since(gone.at);
    say(format!("a deleted lock was held again after {after:.1?}"));
    assert!(after < A_SECOND, "held again after {after:?}");
    let holder = again.holder.expect("it is held");

    history.first_status_by(&holder, mark).await;
    cluster.guestbooks.prove_reconciling("book-0", "after the deletion").await;
    assert!(transitions(&replicas).await > before, "the term ended and another began");
    assert_eq!(history.holder(), Some(holder), "one of them holds it");
    replicas.iter_mut().for_each(Replica::assert_running);
}

/// Terms begun and ended, of all replicas together.
async fn transitions(replicas: &[Replica]) -> f64 {
    let mut sum = 0.0;
    for replica in replicas {
        sum += replica.metric("controller_leadership_transitions_total", &[]).await.expect("the metric");
    }
    sum
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_lock_that_somebody_else_made_anew_is_respected() {
    let cluster = Cluster::start().await;
    cluster.guestbooks.create_many("book", 1).await;
    let history = cluster.history();
    let mut replicas = cluster.start_leading(&history, &[cluster.replica("replica-a").default_lease()]).await;
    cluster.guestbooks.wait_all_settled(1).await;

    // Frozen for some milliseconds, so that it surely comes too late; its term is valid all the time.
    let mark = history.mark();
    replicas[0].freeze();
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    leases.delete(LOCK, &DeleteParams::default()).await.expect("delete the lock");
    let now = jiff::Timestamp::now();
    let foreign = json!({
        "metadata": { "name": LOCK },
        "spec": {
            "holderIdentity": "somebody-else",
            "leaseDurationSeconds": FOREIGN_SECONDS,
            "acquireTime": format!("{now:.6}"),
            "renewTime": format!("{now:.6}"),
        },
    });
    let foreign: Lease = serde_json::from_value(foreign).expect("a lease");
    let foreign = leases.create(&PostParams::default(), &foreign).await.expect("make the lock anew");
    replicas[0].resume();

    replicas[0].wait_says_it_leads(false, A_SECOND).await;
    replicas[0].wait_says_it_leads(true, PATIENCE).await;
    let taken = history
        .first_lease("taken over", mark, |lease| {
            lease.holder.as_deref().is_some_and(|one| one.starts_with("replica-a"))
        })
        .await;
    assert_eq!(Some(taken.uid), foreign.metadata.uid, "taken over, not deleted");
    cluster.guestbooks.prove_reconciling("book-0", "after the foreign lock").await;
    replicas[0].assert_running();

    let ledger = cluster.ledger();
    let writes = ledger.lock_writes();
    let created = writes.such(|write| write.verb == "create" && !write.user.starts_with("replica-"));
    let created = created.first().expect("the test's own write").received;
    let takeover = writes.of("replica-a").since(created).first().expect("the takeover").received;
    let waited = takeover.duration_since(created);
    assert!(waited >= SignedDuration::from_secs(FOREIGN_SECONDS), "overwritten after {waited:?}");
    let between = ledger.of("replica-a").between(created + A_SECOND, takeover).writes();
    assert_eq!(between.len(), 0, "written while another held the lock: {:#?}", between.lines());
}
