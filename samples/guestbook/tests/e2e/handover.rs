//! SIGTERM to the leader: its work ends, it gives the lock back, it exits with 0, and another goes on at once.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use kubeops_testkit::AuditEvent;

use crate::harness::{A_SECOND, Cluster, Ledger, Replica, Times, Traffic, replica_of, say};

const HANDOVERS: usize = 20;
const GUESTBOOKS: usize = 20;

/// A leader is always busy: one change each of these pauses.
const PAUSE: Duration = Duration::from_millis(20);

/// One handover, for what the audit log must say of it.
#[derive(Debug)]
struct Handover {
    from: String,
    to: String,
    signalled: Timestamp,
    ended: Timestamp,
}

/// How long the parts of the handovers took, all by the API server's clock, in its audit log. A write is taken as done when the server had
/// received it or when it had answered it, whichever makes the time longer.
#[derive(Debug, Default)]
struct Timings {
    /// From the signal to the release of the lock: the running reconciles end.
    signal_to_release: Times,
    /// From the release to the next holder's write of the lock.
    release_to_holder: Times,
    /// From the release to the new leader's first write of any kind: its first reconcile is under way.
    release_to_write: Times,
    /// From the release to the answer to its first write of a status: its first reconcile is done.
    release_to_status: Times,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_stopped_leader_hands_over_within_a_second_every_time() {
    let cluster = Cluster::start_alone().await;
    let names = cluster.guestbooks.create_many("book", GUESTBOOKS).await;
    let history = cluster.history();
    let recipes = ["replica-a", "replica-b", "replica-c"].map(|name| cluster.replica(name));
    let mut replicas = cluster.start_leading(&history, &recipes).await;
    cluster.guestbooks.wait_all_settled(GUESTBOOKS).await;
    let traffic = Traffic::start(&cluster.guestbooks, &names, PAUSE);

    let mut handovers = Vec::new();
    for _ in 0..HANDOVERS {
        let old = history.wait_holder("somebody leads", |_| true).await;
        let index = replicas.iter().position(|replica| replica.name() == replica_of(&old)).expect("one of ours leads");
        // Work must be under way: this leader has written a status.
        history.first_status_by(&old, history.mark()).await;

        let mark = history.mark();
        let signalled = Timestamp::now();
        replicas[index].terminate();
        assert_eq!(replicas[index].ended().await, 0, "{old} was stopped");
        let ended = Timestamp::now();

        let release = history.first_lease("the lock is released", mark, |lease| !lease.is_held()).await;
        assert!(!release.gone, "released, not deleted");
        let next = history.first_lease("another holds the lock", mark, |lease| lease.is_held_by_other_than(&old)).await;
        let new = next.holder.expect("it is held");
        history.first_status_by(&new, mark).await;
        let (from, to) = (replica_of(&old).to_owned(), replica_of(&new).to_owned());
        handovers.push(Handover { from, to, signalled, ended });

        replicas[index] = recipes[index].start();
        replicas[index].wait_ready().await;
    }
    drop(traffic);
    cluster.guestbooks.wait_all_settled(GUESTBOOKS).await;
    replicas.iter_mut().for_each(Replica::assert_running);

    let ledger = cluster.ledger();
    ledger.assert_only_holders_write();
    let mut timings = Timings::default();
    handovers.iter().for_each(|handover| check(handover, &ledger, &mut timings));
    say(format!("SIGTERM to release, {}", timings.signal_to_release));
    say(format!("release to the lock's new holder, {}", timings.release_to_holder));
    say(format!("release to the new leader's first write, {}", timings.release_to_write));
    say(format!("release to the new leader's first status, a whole reconcile, {}", timings.release_to_status));
    let slowest = timings.release_to_status.at(1.0);
    assert!(slowest < A_SECOND, "the first reconcile of a new leader follows within a second");
}

/// What only the server can tell: how long it took, and that the release came after the last answer to the work.
fn check(handover: &Handover, ledger: &Ledger, timings: &mut Timings) {
    let Handover { from, to, signalled, ended } = handover;
    let of_old = ledger.of(from).between(Timestamp::MIN, *ended);
    let release = of_old.lock_writes().last().expect("it released the lock").received;
    let after_release = of_old.writes().such(|write| write.completed.is_none_or(|done| done > release));
    assert_eq!(after_release.len(), 0, "work outlived the release of {from}: {:#?}", after_release.lines());

    let of_new = ledger.of(to).since(release);
    let taken = of_new.lock_writes().first().and_then(|write| write.completed).expect("it took the lock");
    let first_write = of_new.writes().first().expect("it wrote").received;
    let statuses = of_new.writes().taken().such(|write| write.subresource == "status");
    let first_status = statuses.first().and_then(|write| write.completed).expect("it wrote a status");
    timings.signal_to_release.push_from(*signalled, release);
    timings.release_to_holder.push_from(release, taken);
    timings.release_to_write.push_from(release, first_write);
    timings.release_to_status.push_from(release, first_status);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_stopped_standby_leaves_the_leader_alone() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let recipes = ["replica-a", "replica-b"].map(|name| cluster.replica(name));
    let mut replicas = cluster.start_leading(&history, &recipes).await;
    let leader = history.holder();

    let mark = history.mark();
    let stopped = Instant::now();
    assert_eq!(replicas[1].stop().await, 0);
    assert!(stopped.elapsed() < Duration::from_secs(5), "nothing to wait for");
    assert!(history.leases_since(mark).iter().all(|lease| lease.holder == leader));
    assert_eq!(cluster.ledger().of("replica-b").such(AuditEvent::is_write).len(), 0);
}
