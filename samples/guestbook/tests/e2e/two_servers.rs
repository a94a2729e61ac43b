//! Two API servers on one etcd. The leader's stands still for longer than a lease and goes on; the standby's does not.

use std::time::Duration;

use jiff::Timestamp;

use crate::harness::{Cluster, LEASE, Ledger, PATIENCE, Replica, Traffic, eventually, say};

const GUESTBOOKS: usize = 20;
const PAUSE: Duration = Duration::from_millis(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
/// What came to the server while it stood still it takes when it goes on.
const QUEUED: Duration = Duration::from_secs(1);
/// Reconciles that run at a time, with one write each.
const AT_ONCE: usize = 4;
/// After the thaw, for whatever the old term might still try.
const WATCHED: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_leader_whose_api_server_stands_still_ends_its_term_before_another_begins() {
    let cluster = Cluster::start().await;
    let other = cluster.plane.add_api_server().await.expect("a second API server");
    let names = cluster.guestbooks.create_many("book", GUESTBOOKS).await;
    let history = cluster.history();
    let at_the_other = other.kubeconfig_for("replica-a").expect("a kubeconfig");
    let recipes = [
        cluster.replica("replica-a").kubeconfig(&at_the_other).set("KubeOps__MaxParallelReconciliations", "4"),
        cluster.replica("replica-b"),
    ];
    let mut replicas = cluster.start_leading(&history, &recipes).await;
    cluster.guestbooks.wait_all_settled(GUESTBOOKS).await;
    let old = history.wait_leader("replica-a").await;
    let traffic = Traffic::start(&cluster.guestbooks, &names, PAUSE);
    history.first_status_by(&old, history.mark()).await;

    let mark = history.mark();
    other.freeze().await.expect("freeze the leader's API server");
    let frozen = std::time::Instant::now();
    let looks = look_until_taken_over(&replicas).await;
    say(format!(
        "the standby leads {:.1?} after the leader's server stood still; {looks} looks at both",
        frozen.elapsed()
    ));
    history.first_status_by(&history.wait_leader("replica-b").await, mark).await;
    tokio::time::sleep((LEASE * 2).saturating_sub(frozen.elapsed())).await;
    let thawed = Timestamp::now();
    other.resume().await.expect("resume it");

    let watched = tokio::time::Instant::now();
    while watched.elapsed() < WATCHED {
        assert!(!replicas[0].says_it_leads().await.expect("its metrics"), "it leads beside another");
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    drop(traffic);
    replicas[0].wait_ready().await;
    replicas.iter_mut().for_each(Replica::assert_running);
    let both = [cluster.plane.audit(), other.audit()].map(|audit| audit.requests().expect("read an audit log"));
    let strays = Ledger::new(both.concat()).strays();
    say(format!("writes that the server had before it stood still and took afterwards: {:#?}", strays.lines()));
    let later = strays.such(|write| !(thawed..=thawed + QUEUED).contains(&write.received));
    assert_eq!(later.len(), 0, "sent after the term: {:#?}", later.lines());
    assert!(strays.len() <= AT_ONCE, "more than were under way: {:#?}", strays.lines());
    let (stale, written) = history.stale_statuses();
    say(format!("statuses seen written: {written}, of them by one that did not hold the lock: {}", stale.len()));
    assert!(stale.len() <= strays.len(), "{stale:#?}");
    let undone = history.taken_by_after(&old, frozen + LEASE * 2);
    assert!(undone.is_empty(), "over a status of the new leader: {undone:#?}");
}

/// Asks both who leads, again and again, until the second does; never may the first say so before and after the second did.
async fn look_until_taken_over(replicas: &[Replica]) -> usize {
    let mut looks = 0;
    eventually("the standby leads", PATIENCE, async || {
        let says = async |index: usize| replicas[index].says_it_leads().await.expect("its metrics");
        let (before, standby, after) = (says(0).await, says(1).await, says(0).await);
        assert!(!(before && standby && after), "both lead");
        looks += 1;
        if standby { Ok(()) } else { Err(format!("{before}, {standby}")) }
    })
    .await;
    looks
}
