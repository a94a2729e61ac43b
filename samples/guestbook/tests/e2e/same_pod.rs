//! Containers of one pod: one that is started again gets its lock back at once, and two at a time are two candidates.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kubeops::leadership::random_uuid;

use crate::harness::{A_SECOND, Cluster, LOCK, NAMESPACE, PATIENCE, Recipe, eventually, say};

const GUESTBOOKS: usize = 3;
/// Much longer than a restart, and short enough to be waited for.
const LEASE: SignedDuration = SignedDuration::from_secs(8);

/// A container of the pod `replica-a` whose requests are told apart by `user`.
fn container(cluster: &Cluster, user: &str, uid: &str) -> Recipe {
    let recipe = cluster.replica(user).set("KubeOps__Name", "replica-a").set("POD_UID", uid);
    recipe.lease("00:00:08", "00:00:05", "00:00:01")
}

/// Waits until the holder has led for a whole lease: one that dies younger does not get its lock back at once.
async fn wait_grown_up(cluster: &Cluster, identity: &str) {
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    eventually(&format!("{identity} has led for {LEASE:?}"), PATIENCE, async || {
        let lease = leases.get(LOCK).await.map_err(|error| error.to_string())?;
        let spec = lease.spec.filter(|spec| spec.holder_identity.as_deref() == Some(identity));
        let spec = spec.ok_or_else(|| "another holds it".to_owned())?;
        let (acquired, renewed) = (spec.acquire_time.unwrap().0, spec.renew_time.unwrap().0);
        if renewed.duration_since(acquired) >= LEASE { Ok(()) } else { Err(format!("{acquired} {renewed}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_container_that_is_started_again_gets_its_lock_back_at_once_unless_it_died_young() {
    let cluster = Cluster::start_alone().await;
    cluster.guestbooks.create_many("book", GUESTBOOKS).await;
    let history = cluster.history();
    let uid = random_uuid();
    let recipe = container(&cluster, "replica-a", &uid);
    let mut replicas = cluster.start_leading(&history, std::slice::from_ref(&recipe)).await;
    let identity = format!("replica-a_{uid}");
    wait_grown_up(&cluster, &identity).await;

    replicas[0].kill();
    assert_eq!(replicas[0].ended().await, 137);
    let restarted = Timestamp::now();
    let mut second = recipe.start();
    second.wait_says_it_leads(true, PATIENCE).await;
    let taken = cluster.ledger().lock_writes().since(restarted).first().expect("it took the lock").received;
    let waited = taken.duration_since(restarted);
    say(format!("a restarted container had its lock again {waited:.3?} after its start, lease {LEASE:?}"));
    assert!(waited < SignedDuration::try_from(A_SECOND).expect("a second"), "{waited:?}");

    // It dies before it has led for a lease.
    second.kill();
    assert_eq!(second.ended().await, 137);
    let killed = Timestamp::now();
    let third = recipe.start();
    third.wait_says_it_leads(true, PATIENCE).await;
    let ledger = cluster.ledger();
    let renewed = ledger.lock_writes().between(Timestamp::MIN, killed).last().expect("it held the lock").received;
    let taken = ledger.lock_writes().since(killed).first().expect("it took the lock").received;
    assert!(taken.duration_since(renewed) >= LEASE, "{:?}", taken.duration_since(renewed));
    assert_eq!(history.last_lease().holder.as_deref(), Some(identity.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn two_processes_with_one_pod_uid_never_lead_at_once() {
    let cluster = Cluster::start().await;
    cluster.guestbooks.create_many("book", GUESTBOOKS).await;
    let history = cluster.history();
    let uid = random_uuid();
    let (recipe, of_twin) = (container(&cluster, "replica-a", &uid), container(&cluster, "replica-twin", &uid));
    let mut replicas = cluster.start_leading(&history, std::slice::from_ref(&recipe)).await;
    let identity = format!("replica-a_{uid}");
    let twin = of_twin.start();
    twin.wait_ready().await;
    assert_eq!(twin.log_lines(&["another process of this pod stands for the lock"]).len(), 1, "{}", twin.log());
    wait_grown_up(&cluster, &identity).await;
    assert!(!twin.says_it_leads().await.expect("its metrics"));

    // The one with the uid dies, comes back while its lock is held by nobody else, and has it again.
    replicas[0].kill();
    assert_eq!(replicas[0].ended().await, 137);
    let mut again = recipe.start();
    again.wait_says_it_leads(true, PATIENCE).await;
    assert_eq!(history.last_lease().holder.as_deref(), Some(identity.as_str()));

    // It stands still, and the twin takes over under an identity of its own, as any other would.
    again.freeze();
    let next = history.wait_holder("the twin leads", |holder| holder != identity).await;
    assert!(next.starts_with("replica-a_") && !next.contains(&uid), "{next}");
    again.resume();
    twin.wait_says_it_leads(true, PATIENCE).await;
    again.wait_says_it_leads(false, PATIENCE).await;
    cluster.guestbooks.prove_reconciling("book-0", "by the twin").await;
    cluster.ledger().assert_only_holders_write();
}
