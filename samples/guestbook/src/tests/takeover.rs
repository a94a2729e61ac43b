//! One leader goes, another comes.

use std::time::Duration;

use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;
use kubeops_testkit::AuditEvent;

use super::{A_SECOND, LEASE, LOCK, Scene, held_by};

#[tokio::test(start_paused = true)]
async fn a_stopped_leader_hands_over_within_a_second_to_and_fro() {
    let scene = Scene::start().await;
    let (mut leader, mut standby) = scene.two_replicas().await;
    let names = scene.create_many(5).await;
    scene.all_settled(&names).await;
    let traffic = scene.traffic(&names);
    for (from, to) in [("replica-a", "replica-b"), ("replica-b", "replica-a")].repeat(3) {
        scene.reconciled_by(from, "book-0").await;
        leader.stop().await.unwrap();
        let ended = scene.cluster.now();
        scene.reconciled_by(to, "book-0").await;
        let ledger = scene.ledger();
        let of_old = ledger.of(from).between(jiff::Timestamp::MIN, ended);
        let release = of_old.lock_writes().last().unwrap().received;
        let late = of_old.writes().such(|write| write.completed.is_none_or(|done| done > release));
        assert_eq!(late.len(), 0, "work outlived the release: {:#?}", late.lines());
        let first = ledger.of(to).since(release).writes().first().unwrap().received;
        assert!(first.duration_since(release) < A_SECOND, "{from} to {to}");
        (leader, standby) = (standby, scene.replica(from).await);
    }
    drop((traffic, standby));
    scene.all_settled(&names).await;
    scene.ledger().assert_only_holders_write();
}

#[tokio::test(start_paused = true)]
async fn a_stopped_standby_leaves_the_leader_alone() {
    let scene = Scene::start().await;
    let (_leader, standby) = scene.two_replicas().await;
    let before = scene.lock(held_by("replica-a")).await.spec.unwrap().lease_transitions;
    standby.stop().await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(scene.lock(held_by("replica-a")).await.spec.unwrap().lease_transitions, before);
    assert_eq!(scene.ledger().of("replica-b").such(AuditEvent::is_write).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_killed_leader_is_replaced_when_its_lease_has_run_out_and_within_a_second_after() {
    let scene = Scene::start().await;
    let (mut leader, mut standby) = scene.two_replicas().await;
    scene.create("book").await;
    scene.settled("book").await;
    for (old, new) in [("replica-a", "replica-b"), ("replica-b", "replica-a"), ("replica-a", "replica-b")] {
        // Not right after the takeover: renewals, not the acquisition, are what others go by.
        tokio::time::sleep(Duration::from_secs(20)).await;
        drop(leader);
        scene.reconciled_by(new, "book").await;
        let writes = scene.ledger().lock_writes();
        let renewed = writes.of(old).last().unwrap().received;
        let taken = writes.of(new).since(renewed).first().unwrap().received;
        let waited = taken.duration_since(renewed);
        assert!((LEASE..=LEASE + A_SECOND).contains(&waited), "{new} took over after {waited:?}");
        (leader, standby) = (standby, scene.replica(old).await);
    }
    drop(standby);
    scene.ledger().assert_only_holders_write();
}

#[tokio::test(start_paused = true)]
async fn a_change_of_leader_is_told_by_events_on_the_lock() {
    let scene = Scene::start().await;
    let (leader, _standby) = scene.two_replicas().await;
    leader.stop().await.unwrap();
    scene.lock(held_by("replica-b")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let of_lock = ListParams::default().fields(&format!("involvedObject.kind=Lease,involvedObject.name={LOCK}"));
    let events = scene.api::<Event>().list(&of_lock).await.unwrap().items;
    assert!(events.iter().all(|event| event.reason.as_deref() == Some("LeaderElection")), "{events:#?}");
    let mut told: Vec<_> = events.into_iter().filter_map(|event| event.message).collect();
    told.sort();
    let expected = ["replica-a became leader", "replica-a stopped leading", "replica-b became leader"];
    let fits = |(told, expected): (&String, &str)| {
        let (name, what) = expected.split_once(' ').unwrap();
        told.starts_with(&format!("{name}_")) && told.ends_with(what)
    };
    assert!(told.len() == expected.len() && told.iter().zip(expected).all(fits), "{told:#?}");
}
