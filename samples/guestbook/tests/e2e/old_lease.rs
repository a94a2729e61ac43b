//! A cluster that was scaled to nothing: its lock names a holder that has been gone for long.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::harness::{Cluster, say};

/// More than the lease and the minute by which clocks may differ.
const LONG: Duration = Duration::from_secs(77);
/// A third of the lease, on a machine that has other things to do.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(5);
const LEASE: SignedDuration = SignedDuration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_lock_that_is_long_out_of_date_is_taken_at_the_start() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let recipe = cluster.replica("replica-a").default_lease();
    let mut replicas = cluster.start_leading(&history, &[recipe]).await;
    replicas[0].kill();
    assert_eq!(replicas[0].ended().await, 137);
    tokio::time::sleep(LONG).await;

    let takes = async |name: &str| {
        let started = Timestamp::now();
        let mut replica = cluster.replica(name).default_lease().start();
        history.wait_leader(name).await;
        replica.kill();
        assert_eq!(replica.ended().await, 137);
        let takeover =
            cluster.ledger().lock_writes().of(name).since(started).first().expect("it took the lock").received;
        takeover.duration_since(started)
    };
    let waited = takes("replica-b").await;
    say(format!("a start against a lock {LONG:?} old: led after {waited:.3?}, lease {LEASE:?}"));
    assert!(waited < AT_ONCE, "{waited:?}");
    // Of a lock that was just written nobody thinks so.
    let waited = takes("replica-c").await;
    assert!(waited >= LEASE - SignedDuration::from_secs(5), "{waited:?}");
}
