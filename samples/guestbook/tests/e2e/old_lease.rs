//! A cluster that was scaled to nothing: its lock names a holder that has been gone for long.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;

use crate::harness::{Cluster, LOCK, NAMESPACE, say, write_old_lock};

/// A third of the lease, on a machine that has other things to do.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(5);
const LEASE: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_lock_that_is_long_out_of_date_is_taken_at_the_start() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    write_old_lock(&leases, LOCK, LEASE).await;

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
    let waited = takes("replica-a").await;
    say(format!("a start against a lock that is hours old: led after {waited:.3?}, lease {LEASE:?}"));
    assert!(waited < AT_ONCE, "{waited:?}");
    // Of a lock that was just written nobody thinks so.
    let waited = takes("replica-b").await;
    let lease = SignedDuration::try_from(LEASE).expect("a short lease");
    assert!(waited >= lease - AT_ONCE, "{waited:?}");
}
