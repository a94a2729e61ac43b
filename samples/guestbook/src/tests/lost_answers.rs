//! A renewal of the lock is committed, and the leader never hears of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kubeops_testkit::AuditEvent;
use kubeops_testkit::cluster::Fault;

use super::scene::PAUSE;
use super::{A_MINUTE, A_SECOND, LEASE, RENEW_DEADLINE, Scene, held_by};

fn is_renewal(request: &AuditEvent) -> bool {
    request.resource == "leases" && request.verb == "update"
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_answer_is_lost_costs_neither_the_term_nor_any_time() {
    let scene = Scene::start().await;
    let (_replicas, names, traffic) = scene.busy().await;
    let before = scene.lock(held_by("replica-a")).await.spec.unwrap();
    let struck = scene.cluster.now();
    scene.faults("replica-a").when(is_renewal, Some(3), Fault::LoseAnswer);
    tokio::time::sleep(A_MINUTE).await;
    drop(traffic);
    let after = scene.lock(held_by("replica-a")).await.spec.unwrap();
    assert_eq!((after.lease_transitions, after.acquire_time), (before.lease_transitions, before.acquire_time));
    let ledger = scene.ledger().since(struck);
    let work = ledger.of("replica-a").writes();
    let pauses = work.events().windows(2).map(|pair| pair[1].received.duration_since(pair[0].received));
    let longest = pauses.max().unwrap();
    assert!(longest.unsigned_abs() <= PAUSE, "no work for {longest:?}");
    assert_eq!(ledger.of("replica-b").len(), 0, "{:#?}", ledger.of("replica-b").lines());
    scene.all_settled(&names).await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_cut_off_after_the_commit_of_a_renewal_writes_nothing_beside_the_next_one() {
    for watches_go_on in [true, false] {
        let scene = Scene::start().await;
        let ((_cut_off, other), names, _traffic) = scene.busy().await;
        let transitions = scene.lock(held_by("replica-a")).await.spec.unwrap().lease_transitions.unwrap();
        let (cut, cuts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let is_cut = cut.clone();
        let faults = scene.faults("replica-a");
        // In this order: the renewal that cuts the leader off is not cut off itself.
        faults.when(move |_| is_cut.load(Ordering::SeqCst), None, Fault::LoseRequest);
        faults.when(
            move |request| {
                is_renewal(request) && !cuts.swap(true, Ordering::SeqCst) && {
                    cut.store(true, Ordering::SeqCst);
                    true
                }
            },
            Some(1),
            Fault::LoseAnswer,
        );
        if !watches_go_on {
            faults.silence_watches();
        }
        let lease = scene.lock(held_by("replica-b")).await;
        scene.reconciled_by("replica-b", "book-0").await;

        assert_eq!(lease.spec.unwrap().lease_transitions, Some(transitions + 1), "one term followed the other");
        let ledger = scene.ledger();
        let committed = ledger.lock_writes().of("replica-a").last().unwrap().received;
        let asked = ledger.of("replica-a").writes().last().unwrap().received;
        assert!(
            asked.duration_since(committed) <= RENEW_DEADLINE,
            "it went on until {asked}, last renewal {committed}"
        );
        let taken = ledger.lock_writes().of("replica-b").first().unwrap().received;
        let waited = taken.duration_since(committed);
        assert!((LEASE..=LEASE + A_SECOND).contains(&waited), "replica-b waited for {waited:?}");

        faults.mend();
        tokio::time::sleep(A_MINUTE).await;
        scene.reconciled_by("replica-b", "book-0").await;
        scene.assert_leads_again(other, &names).await;
    }
}
