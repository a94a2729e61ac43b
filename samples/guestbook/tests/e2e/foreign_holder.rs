//! Somebody else writes a holder into the lock of a replica that leads.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use crate::harness::{A_SECOND, Cluster, LOCK, PATIENCE, Traffic, say};

/// What kubectl writes: a lease much shorter than the replicas' own, so that its end can be waited for.
const FOREIGN_SECONDS: u64 = 5;

/// "At once" is the delay of a watch; the deadline of the replica's term would be up to 10 s.
const AT_ONCE: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_foreign_holder_is_given_way_at_once_and_left_alone_until_it_has_run_out() {
    let cluster = Cluster::start().await;
    let names = cluster.guestbooks.create_many("book", 5).await;
    let history = cluster.history();
    let mut replicas = cluster.start_leading(&history, &[cluster.replica("replica-a").default_lease()]).await;
    cluster.guestbooks.wait_all_settled(5).await;
    let _traffic = Traffic::start(&cluster.guestbooks, &names, Duration::from_millis(20));
    let own = history.wait_leader("replica-a").await;
    let transitions = history.last_lease().transitions;

    let mark = history.mark();
    let record = json!({ "spec": { "holderIdentity": "somebody-else", "leaseDurationSeconds": FOREIGN_SECONDS } });
    cluster.kubectl(&["patch", "lease", LOCK, "--type=merge", "--patch", &record.to_string()]).await;
    history.first_lease("kubectl's record", mark, |lease| lease.is_held_by_other_than(&own)).await;
    replicas[0].wait_says_it_leads(false, A_SECOND).await;
    let (ready, body) = replicas[0].health("/readyz").await.expect("ask the probe");
    assert_eq!(ready, 200, "it stands by: {body}");

    replicas[0].wait_says_it_leads(true, PATIENCE).await;
    let retaken = history.first_lease("taken over", mark, |lease| lease.holder.as_deref() == Some(&own)).await;
    assert_eq!(retaken.transitions, transitions + 1);
    cluster.guestbooks.prove_reconciling("book-0", "after the foreign holder").await;
    replicas[0].assert_running();

    let ledger = cluster.ledger();
    let foreign = ledger.lock_writes().such(|write| write.verb == "patch");
    let foreign = foreign.first().expect("kubectl's write");
    let answered = foreign.completed.expect("kubectl was answered");
    let stops = SignedDuration::try_from(AT_ONCE).expect("short");
    let takes = ledger.lock_writes().of("replica-a").since(answered);
    let takes = takes.first().expect("the replica took over").received;
    let waited = takes.duration_since(foreign.received);
    say(format!("a record of {FOREIGN_SECONDS} s by kubectl was left alone for {waited:.3?}"));
    let lease = SignedDuration::from_secs(FOREIGN_SECONDS as i64);
    assert!(waited >= lease, "overwritten before it had run out");
    assert!(waited <= lease + SignedDuration::from_secs(1), "taken over late");

    let between = ledger.of("replica-a").between(answered + stops, takes).writes();
    assert_eq!(between.len(), 0, "written while another held the lock: {:#?}", between.lines());
}
