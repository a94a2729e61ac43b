//! SIGKILL to the leader: nobody is told, so the lease must run out first.

use jiff::{SignedDuration, Timestamp};

use crate::harness::{A_SECOND, Cluster, LEASE, Ledger, replica_of, say};

const KILLS: usize = 3;
const GUESTBOOKS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_killed_leader_is_replaced_when_its_lease_has_run_out_and_within_a_second_after() {
    let cluster = Cluster::start_alone().await;
    cluster.guestbooks.create_many("book", GUESTBOOKS).await;
    let history = cluster.history();
    let recipes = ["replica-a", "replica-b"].map(|name| cluster.replica(name));
    let mut replicas = cluster.start_leading(&history, &recipes).await;
    cluster.guestbooks.wait_all_settled(GUESTBOOKS).await;

    for _ in 0..KILLS {
        let old = history.wait_holder("somebody leads", |_| true).await;
        let index = replicas.iter().position(|replica| replica.name() == replica_of(&old)).expect("one of ours leads");
        // Not right after the takeover: renewals, not the acquisition, are what others go by.
        let mark = history.mark();
        history.first_lease("a renewal", mark, |lease| lease.holder.as_deref() == Some(&old)).await;

        let mark = history.mark();
        replicas[index].kill();
        assert_eq!(replicas[index].ended().await, 137);
        let killed = Timestamp::now();
        let next = history.first_lease("another holds the lock", mark, |lease| lease.is_held_by_other_than(&old)).await;
        assert_eq!(next.duration, LEASE, "the lease is the one that was set");
        let new = next.holder.expect("it is held");
        let first = history.first_status_by(&new, mark).await;

        let ledger = cluster.ledger();
        let (renewed, taken) = last_renewal_and_takeover(&ledger, replica_of(&old), replica_of(&new), killed);
        let waited = taken.duration_since(renewed);
        say(format!("{new} took over {waited:.3?} after the last renewal of {old}, lease {LEASE:?}"));
        let lease = SignedDuration::try_from(LEASE).expect("a short lease");
        // The server's clock for both: others cannot have seen the renewal before the server received it.
        assert!(waited >= lease, "taken over before the lease ran out: after {waited:?}");
        let second = SignedDuration::try_from(A_SECOND).expect("a second");
        assert!(waited <= lease + second, "taken over late: {waited:?} after the last renewal");
        let reconciled = first.at.saturating_duration_since(next.at);
        assert!(reconciled < A_SECOND, "the first reconcile came {reconciled:?} after the takeover");

        replicas[index] = recipes[index].start();
        replicas[index].wait_ready().await;
    }
    cluster.ledger().assert_only_holders_write();
}

/// When the server received the last write of the lock by `old` and the first one that followed by `new`.
fn last_renewal_and_takeover(ledger: &Ledger, old: &str, new: &str, killed: Timestamp) -> (Timestamp, Timestamp) {
    let writes = ledger.lock_writes();
    let renewed = writes.of(old).between(Timestamp::MIN, killed).last().expect("it renewed").received;
    let taken = writes.of(new).since(killed).first().expect("it took the lock over").received;
    (renewed, taken)
}
