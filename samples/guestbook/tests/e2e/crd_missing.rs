//! The CRD is not there yet: waited for, said once, unready.

use std::time::Duration;

use kubeops_testkit::AuditEvent;

use crate::harness::{Cluster, PATIENCE, eventually, reconciled_by, replica_of};

/// What a line about it must name.
const MISSING: [&str; 2] = ["guestbook.example.com", "CustomResourceDefinition"];

/// Long enough for several tries.
const WAITING: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_missing_crd_is_waited_for_and_said_once() {
    let cluster = Cluster::start_bare().await;
    let mut replica = cluster.replica("replica-a").start();
    let body = replica.wait_health("/readyz", 503).await;
    assert!(body.to_lowercase().contains("guestbook"), "it says what is missing: {body}");
    eventually("the log names the CRD", PATIENCE, async || match replica.log_lines(&MISSING).len() {
        0 => Err("not yet".to_owned()),
        _ => Ok(()),
    })
    .await;
    tokio::time::sleep(WAITING).await;
    let lines = replica.log_lines(&[" WARN "]).into_iter().chain(replica.log_lines(&[" ERROR "]));
    let lines: Vec<String> = lines.filter(|line| line.contains("Guestbook")).collect();
    assert_eq!(lines.len(), 1, "one clear line: {lines:#?}");
    replica.wait_health("/livez", 200).await;
    replica.wait_health("/readyz", 503).await;
    let writes = cluster.ledger().of("replica-a").such(AuditEvent::is_write);
    assert_eq!(writes.len(), 0, "it does not stand while its CRD is missing: {:#?}", writes.lines());

    cluster.install().await;
    replica.wait_ready().await;
    cluster.guestbooks.create_many("book", 1).await;
    let guestbook = cluster.guestbooks.wait_settled("book-0").await;
    assert_eq!(reconciled_by(&guestbook).map(replica_of), Some("replica-a"));
    replica.assert_running();
}
