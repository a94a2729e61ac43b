//! SIGTERM to the leader: its work ends, it gives the lock back, it exits with 0, and another goes on at once.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use kubeops_testkit::AuditEvent;

use crate::harness::{A_SECOND, Cluster, Replica, Traffic, replica_of, say};

const HANDOVERS: usize = 20;
const GUESTBOOKS: usize = 20;

/// A leader is always busy: one change each of these pauses.
const PAUSE: Duration = Duration::from_millis(20);

/// How long the parts of the handovers took. All of it as a watch of the test's own saw it, so that each includes its delay.
#[derive(Debug, Default)]
struct Timings {
    /// From the signal to the release in the lock: the running reconciles end.
    signal_to_release: Vec<Duration>,
    /// From the release to the lock's next holder.
    release_to_holder: Vec<Duration>,
    /// From the release to the first status that the new leader wrote: the end of its first reconcile.
    release_to_status: Vec<Duration>,
    /// From the release to the first write of any kind that the server received from the new leader, by the audit log.
    release_to_write: Vec<Duration>,
}

/// One handover, for what the audit log must say of it.
#[derive(Debug)]
struct Handover {
    from: String,
    to: String,
    signalled: Timestamp,
    released: Timestamp,
    ended: Timestamp,
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

    let mut timings = Timings::default();
    let mut handovers = Vec::new();
    for _ in 0..HANDOVERS {
        let old = history.wait_holder("somebody leads", |_| true).await;
        let index = replicas.iter().position(|replica| replica.name() == replica_of(&old)).expect("one of ours leads");
        // Work must be under way: this leader has written a status.
        history.first_status_by(&old, history.mark()).await;

        let mark = history.mark();
        let signalled = Timestamp::now();
        let signal = replicas[index].terminate();
        let code = replicas[index].ended().await;
        let ended = Timestamp::now();
        assert_eq!(code, 0, "{old} was stopped");

        let release = history.first_lease("the lock is released", mark, |lease| !lease.is_held()).await;
        assert!(!release.gone, "released, not deleted");
        let next = history.first_lease("another holds the lock", mark, |lease| lease.is_held_by_other_than(&old)).await;
        let new = next.holder.expect("it is held");
        let first = history.first_status_by(&new, mark).await;
        timings.signal_to_release.push(release.at - signal);
        timings.release_to_holder.push(next.at.saturating_duration_since(release.at));
        timings.release_to_status.push(first.at.saturating_duration_since(release.at));
        let (from, to) = (replica_of(&old).to_owned(), replica_of(&new).to_owned());
        handovers.push(Handover { from, to, signalled, released: release.wall, ended });

        replicas[index] = recipes[index].start();
        replicas[index].wait_ready().await;
    }
    drop(traffic);
    cluster.guestbooks.wait_all_settled(GUESTBOOKS).await;
    replicas.iter_mut().for_each(Replica::assert_running);

    check_ledger(&cluster, &handovers, &mut timings);
    report("SIGTERM to release", &mut timings.signal_to_release);
    report("release to new holder", &mut timings.release_to_holder);
    report("release to the new leader's first write", &mut timings.release_to_write);
    let slowest =
        report("release to the new leader's first status (a whole reconcile)", &mut timings.release_to_status);
    assert!(slowest < A_SECOND, "the first reconcile of a new leader follows within a second");
}

/// What only the server can tell: the release came after the last answer to the work, and nobody wrote without the lock.
fn check_ledger(cluster: &Cluster, handovers: &[Handover], timings: &mut Timings) {
    let ledger = cluster.ledger();
    ledger.assert_only_holders_write();
    for Handover { from, to, signalled, released, ended } in handovers {
        let of_old = ledger.of(from).between(Timestamp::MIN, *ended);
        let release = of_old.lock_writes().last().expect("it released the lock").received;
        let after_release = of_old.writes().such(|write| write.completed.is_none_or(|done| done > release));
        assert_eq!(after_release.len(), 0, "work outlived the release of {from}: {:#?}", after_release.lines());

        let first = ledger.of(to).since(*signalled).writes().first().expect("the new leader wrote").received;
        timings.release_to_write.push(Duration::try_from(first.duration_since(*released)).unwrap_or_default());
    }
}

/// Prints the distribution and returns the largest.
fn report(what: &str, times: &mut [Duration]) -> Duration {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    let (min, median, p90, max) = (at(0.0), at(0.5), at(0.9), at(1.0));
    say(format!("{what}, {} handovers: min {min:.1?}, median {median:.1?}, p90 {p90:.1?}, max {max:.1?}", times.len()));
    max
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
