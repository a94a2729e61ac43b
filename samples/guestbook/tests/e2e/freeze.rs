//! SIGSTOP and SIGCONT: a leader that was away for longer than its lease must not go on as if nothing had been.

use std::time::Duration;

use jiff::Timestamp;

use crate::harness::{Cluster, LEASE, Ledger, PATIENCE, Replica, Traffic, eventually, reconciled_by, replica_of, say};

const GUESTBOOKS: usize = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// After the thaw, for whatever the old term might still try.
const WATCHED: Duration = Duration::from_secs(2);

/// A write that was handed to the socket right before the freeze goes out right after the thaw.
const ON_ITS_WAY: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_thawed_leader_writes_nothing_stands_by_and_leads_again() {
    let cluster = Cluster::start().await;
    let names = cluster.guestbooks.create_many("book", GUESTBOOKS).await;
    let history = cluster.history();
    let recipes = ["replica-a", "replica-b"].map(|name| cluster.replica(name));
    let mut replicas = cluster.start_leading(&history, &recipes).await;
    cluster.guestbooks.wait_all_settled(GUESTBOOKS).await;
    let traffic = Traffic::start(&cluster.guestbooks, &names, PAUSE);
    let frozen = history.wait_leader("replica-a").await;
    history.first_status_by(&frozen, history.mark()).await;

    let mark = history.mark();
    let pid = replicas[0].pid();
    let frozen_at = replicas[0].freeze();
    let next = history.first_lease("another holds the lock", mark, |lease| lease.is_held_by_other_than(&frozen)).await;
    let next = next.holder.expect("it is held");
    let first_of_next = history.first_status_by(&next, mark).await;
    // Longer than a lease whoever counts, and with the other one at work.
    tokio::time::sleep((LEASE * 2).saturating_sub(frozen_at.elapsed())).await;
    let thawed = Timestamp::now();
    replicas[0].resume();

    replicas[0].wait_says_it_leads(false, PATIENCE).await;
    replicas[0].wait_ready().await;
    tokio::time::sleep(WATCHED).await;
    drop(traffic);
    replicas[0].assert_running();
    assert_eq!(replicas[0].pid(), pid, "it stands by without a restart");
    assert_eq!(history.holder().as_ref(), Some(&next), "the new leader goes on");
    let undone = history.taken_by_after(&frozen, first_of_next.at);
    check_late_writes(&cluster.ledger(), replica_of(&frozen), replica_of(&next), thawed);
    // A status of the old term would name the frozen identity; an excused write that was on its way may be a status.
    assert!(undone.len() <= 1, "statuses of the old term over those of the new one: {undone:#?}");

    leads_again(&cluster, &mut replicas, &frozen).await;
}

/// Writes of the old term that the server received after the first of the new holder: none, but for one on its way at the freeze.
fn check_late_writes(ledger: &Ledger, old: &str, new: &str, thawed: Timestamp) {
    let taken_over = ledger.lock_writes().of(new).first().expect("the new holder took the lock").received;
    let first_of_new = ledger.of(new).since(taken_over).writes().first().expect("the new holder wrote").received;
    let late = ledger.of(old).since(first_of_new).writes();
    say(format!("writes of the old term received after the new holder's first: {} {:#?}", late.len(), late.lines()));
    let excused = late.between(thawed, thawed + ON_ITS_WAY);
    assert_eq!(late.len(), excused.len(), "begun after the thaw: {:#?}", late.lines());
    assert!(excused.len() <= 1, "at most one request was on its way at the freeze: {:#?}", excused.lines());

    let of_the_lock = ledger.lock_writes().of(old).since(taken_over);
    assert_eq!(of_the_lock.len(), 0, "it wrote the lock of another: {:#?}", of_the_lock.lines());
}

/// The other one gone, the thawed process leads a new term.
async fn leads_again(cluster: &Cluster, replicas: &mut [Replica], identity: &str) {
    assert_eq!(replicas[1].stop().await, 0);
    replicas[0].wait_says_it_leads(true, PATIENCE).await;
    cluster.guestbooks.prove_reconciling("book-0", "after the thaw").await;
    eventually("the thawed process reconciles", PATIENCE, async || {
        let guestbook = cluster.guestbooks.get("book-0").await;
        let by = reconciled_by(&guestbook);
        if by == Some(identity) { Ok(()) } else { Err(format!("{by:?}")) }
    })
    .await;
    replicas[0].assert_running();
}
