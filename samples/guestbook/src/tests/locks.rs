//! The lock: where it is, and what becomes of it in the hands of others.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use kubeops_testkit::cluster::Fault;
use serde_json::{Value, json};

use super::ledger::Ledger;
use super::{LOCK, Scene, by, held_by};
use crate::operator;

/// Shorter than the replicas' own lease.
const FOREIGN_SECONDS: i64 = 5;

/// What somebody else writes into the lock.
fn foreign() -> Value {
    json!({ "metadata": { "name": LOCK }, "spec": { "holderIdentity": "somebody-else", "leaseDurationSeconds": FOREIGN_SECONDS } })
}

/// When `replica-a` wrote the lock again that was another's `since` then: when that one had run out, and nothing else before.
fn assert_left_alone(scene: &Scene, (mark, since): (usize, Timestamp)) {
    let ledger = scene.ledger_from(mark).of("replica-a");
    let taken = ledger.lock_writes().first().unwrap().clone();
    let waited = taken.received.duration_since(since).as_secs();
    assert!((FOREIGN_SECONDS..=FOREIGN_SECONDS + 1).contains(&waited), "taken over after {waited} s");
    let before = ledger.events().iter().take_while(|event| **event != taken).cloned();
    let work = Ledger::new(before.collect()).writes().since(since + SignedDuration::from_millis(100));
    assert_eq!(work.len(), 0, "written while another held the lock: {:#?}", work.lines());
}

#[tokio::test(start_paused = true)]
async fn a_foreign_holder_is_given_way_at_once_and_left_alone_until_it_has_run_out() {
    let scene = Scene::start().await;
    let _replica = scene.leader("replica-a").await;
    let names = scene.create_many(3).await;
    scene.all_settled(&names).await;
    let _traffic = scene.traffic(&names);
    let transitions = scene.lock(held_by("replica-a")).await.spec.unwrap().lease_transitions.unwrap();

    scene.api::<Lease>().patch(LOCK, &PatchParams::default(), &Patch::Merge(foreign())).await.unwrap();
    let written = (scene.mark(), scene.cluster.now());
    let retaken = scene.lock(held_by("replica-a")).await;
    assert_left_alone(&scene, written);
    assert_eq!(retaken.spec.unwrap().lease_transitions, Some(transitions + 1));
    scene.reconciled_by("replica-a", "book-0").await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lock_ends_the_term_and_one_replica_leads_again_within_a_second() {
    let scene = Scene::start().await;
    let _replicas = scene.two_replicas().await;
    let names = scene.create_many(3).await;
    scene.all_settled(&names).await;
    let before = scene.lock(held_by("replica-a")).await.uid();
    scene.api::<Lease>().delete(LOCK, &DeleteParams::default()).await.unwrap();
    let deleted = scene.cluster.now();
    let held = |lease: &Lease| held_by("replica-a")(lease) || held_by("replica-b")(lease);
    let again = scene.lock(|lease| held(lease) && lease.uid() != before).await;
    assert!(scene.cluster.now().duration_since(deleted) < SignedDuration::from_secs(1));
    let leader = if held_by("replica-a")(&again) { "replica-a" } else { "replica-b" };
    scene.reconciled_by(leader, "book-0").await;
    scene.ledger().assert_only_holders_write();
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_somebody_else_made_anew_is_respected() {
    let scene = Scene::start().await;
    let _replica = scene.leader("replica-a").await;
    scene.create("book").await;
    scene.settled("book").await;
    // So slow that it surely comes too late.
    let slow = Fault::Latency(Duration::from_millis(500));
    scene.faults("replica-a").when(|request| request.resource == "leases" && request.is_write(), None, slow);
    let locks = scene.api::<Lease>();
    locks.delete(LOCK, &DeleteParams::default()).await.unwrap();
    let foreign: Lease = serde_json::from_value(foreign()).unwrap();
    let made = locks.create(&PostParams::default(), &foreign).await.unwrap();
    let written = (scene.mark(), scene.cluster.now());
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.faults("replica-a").mend();
    let taken = scene.lock(held_by("replica-a")).await;
    assert_eq!(taken.uid(), made.uid(), "taken over, not deleted");
    assert_left_alone(&scene, written);
    scene.reconciled_by("replica-a", "book").await;
}

#[tokio::test(start_paused = true)]
async fn settings_say_where_the_lock_is() {
    let scene = Scene::start().await;
    let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": "locks" } })).unwrap();
    Api::all(scene.cluster.client("admin")).create(&PostParams::default(), &namespace).await.unwrap();
    let settings = [("KubeOps:LeaderElectionId", "other"), ("KubeOps:LeaderElectionNamespace", "locks")];
    let _replica = operator().start_replica_on(&scene.cluster, "replica-a", &settings).await;
    scene.create("book").await;
    scene.settled("book").await;
    let lease = Api::<Lease>::namespaced(scene.cluster.client("admin"), "locks").get("other").await.unwrap();
    // No uid was given, so a random one tells this process from the ones before.
    let holder = lease.spec.unwrap().holder_identity.unwrap();
    assert!(holder.strip_prefix("replica-a_").is_some_and(|random| random.len() >= 32), "{holder}");
}

#[tokio::test(start_paused = true)]
async fn without_election_a_replica_reconciles_and_no_lease_exists() {
    let scene = Scene::start().await;
    let alone = [("KubeOps:EnableLeaderElection", "false")];
    let _replica = operator().start_replica_on(&scene.cluster, "replica-a", &alone).await;
    let names = scene.create_many(3).await;
    assert!(scene.all_settled(&names).await.iter().all(by("replica-a")));
    assert_eq!(scene.api::<Lease>().list(&ListParams::default()).await.unwrap().items.len(), 0);
    assert_eq!(scene.ledger().such(|event| event.resource == "leases" && event.user == "replica-a").len(), 0);
}
