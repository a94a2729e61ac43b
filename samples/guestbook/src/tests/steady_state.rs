//! Three replicas, many guestbooks: one does the work, the others watch.

use std::time::Duration;

use kubeops_testkit::AuditEvent;

use super::{Scene, by};

const GUESTBOOKS: usize = 300;
const COUNTED: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn one_replica_reconciles_three_hundred_guestbooks_and_the_others_only_watch() {
    let scene = Scene::start().await;
    let _leader = scene.leader("replica-a").await;
    let names = scene.create_many(GUESTBOOKS).await;
    assert!(scene.all_settled(&names).await.iter().all(by("replica-a")));
    let _standbys = [scene.replica("replica-b").await, scene.replica("replica-c").await];

    // What the last reconciles left to do.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let begun = scene.cluster.now();
    tokio::time::sleep(COUNTED).await;
    let (ledger, all) = (scene.ledger().since(begun), scene.ledger());
    let leader = ledger.of("replica-a");
    let renewals = leader.such(|event| event.verb == "update" && event.resource == "leases");
    assert_eq!(leader.len(), renewals.len(), "{:#?}", leader.lines());
    // Every third of the renew deadline of 10 s.
    assert!((17..=19).contains(&renewals.len()), "{} renewals", renewals.len());
    for standby in ["replica-b", "replica-c"] {
        assert_eq!(ledger.of(standby).len(), 0, "a standby asked: {:#?}", ledger.of(standby).lines());
        let running = all.of(standby).such(|event| event.verb == "watch" && event.completed.is_none());
        assert!(running.len() >= 5, "its kind, what it owns and the lock are watched: {:#?}", running.lines());
        assert_eq!(all.of(standby).such(AuditEvent::is_write).len(), 0);
    }
    all.assert_only_holders_write();
}
