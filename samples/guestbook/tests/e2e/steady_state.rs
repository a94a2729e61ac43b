//! Three replicas, many guestbooks: one does the work, the others watch.

use std::time::Duration;

use futures::{StreamExt, stream};
use jiff::Timestamp;

use kubeops_testkit::AuditEvent;

use crate::harness::{Cluster, Ledger, PATIENCE, eventually, reconciled_by, replica_of, say};

const GUESTBOOKS: usize = 300;

/// How long the standbys are counted, and for how long nothing must have happened before.
const COUNTED: Duration = Duration::from_secs(60);
const QUIET: Duration = Duration::from_secs(3);

/// Events are sent when leadership changes, not here; what is left of a leader that has nothing to do.
fn is_renewal_or_watch(ledger: &Ledger) -> bool {
    ledger.events().iter().all(|event| event.verb == "watch" || (event.verb == "update" && event.resource == "leases"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn one_replica_reconciles_three_hundred_guestbooks_and_the_others_only_watch() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let recipes = ["replica-a", "replica-b", "replica-c"].map(|name| cluster.replica(name).default_lease());
    let mut replicas = cluster.start_leading(&history, &recipes).await;
    let leader = history.holder().expect("one holds the lock");

    cluster.guestbooks.create_many("book", GUESTBOOKS).await;
    let all = cluster.guestbooks.wait_all_settled(GUESTBOOKS).await;
    for guestbook in &all {
        assert_eq!(reconciled_by(guestbook), Some(leader.as_str()));
    }
    stream::iter(&all).for_each_concurrent(16, |guestbook| cluster.guestbooks.assert_owns_children(guestbook)).await;
    assert_eq!(history.holder().as_ref(), Some(&leader), "the leader is the one from before");

    let begun = quiet_since(&cluster).await;
    tokio::time::sleep(COUNTED).await;
    let ledger = cluster.ledger();
    let window = ledger.since(begun);
    for replica in &mut replicas {
        replica.assert_running();
        let (status, body) = replica.health("/readyz").await.expect("ask the probe");
        assert_eq!(status, 200, "{} is not ready: {body}", replica.name());

        let requests = window.of(replica.name());
        say(format!(
            "{} in {COUNTED:?} of steady state: {} requests {:?}",
            replica.name(),
            requests.len(),
            requests.summary()
        ));
        if replica.name() == replica_of(&leader) {
            assert!(is_renewal_or_watch(&requests), "{:#?}", requests.lines());
            // 18 a minute by design (every D/3), client-go's 30 at most.
            assert!((12..=30).contains(&requests.lock_writes().len()), "renewals: {}", requests.lock_writes().len());
        } else {
            let running = ledger.of(replica.name()).such(|event| event.verb == "watch" && event.completed.is_none());
            assert!(running.len() >= 5, "its kind, what it owns and the lock are watched: {:#?}", running.lines());
            let other = requests.such(|event| event.verb != "watch");
            assert_eq!(other.len(), 0, "a standby asked: {:#?}", other.lines());
            let writes = ledger.of(replica.name()).such(AuditEvent::is_write);
            assert_eq!(writes.len(), 0, "a standby wrote: {:#?}", writes.lines());
        }
    }
    ledger.assert_only_holders_write();
}

/// Waits until no replica has asked for anything but renewals and watches for a while; since then the state is steady.
async fn quiet_since(cluster: &Cluster) -> Timestamp {
    eventually("the work is done", PATIENCE, async || {
        let now = Timestamp::now();
        let ledger = cluster.ledger().since(now - QUIET).such(|event| event.user.starts_with("replica-"));
        if is_renewal_or_watch(&ledger) { Ok(now) } else { Err(format!("{:?}", ledger.summary())) }
    })
    .await
}
