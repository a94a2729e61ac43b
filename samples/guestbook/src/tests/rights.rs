//! Rights that are missing, and granted later.

use kubeops_testkit::AuditEvent;
use kubeops_testkit::cluster::Fault;

use super::{A_MINUTE, Scene};

const FORBIDDEN: Fault = Fault::Refuse { code: 403, retry_after: None };

impl Scene {
    fn forbid(&self, what: impl Fn(&AuditEvent) -> bool + Send + Sync + 'static) {
        self.faults("replica-a").when(what, None, FORBIDDEN);
    }

    /// Grants all rights again, after which everything is as it should be.
    async fn grant(&self) {
        self.faults("replica-a").mend();
        self.settled("book").await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_watch_or_to_lock_nothing_is_reconciled_until_it_is_granted() {
    for resource in ["services", "leases"] {
        let scene = Scene::start().await;
        scene.forbid(move |request| request.resource == resource);
        scene.create("book").await;
        let _replica = scene.replica("replica-a").await;
        tokio::time::sleep(A_MINUTE).await;
        let writes = scene.ledger().of("replica-a").writes();
        assert_eq!(writes.len(), 0, "without {resource}: {:#?}", writes.lines());
        scene.grant().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_without_a_right_shows_in_the_status_and_is_retried_until_it_is_granted() {
    let scene = Scene::start().await;
    scene.forbid(|request| request.resource == "configmaps" && request.is_write());
    let _replica = scene.leader("replica-a").await;
    scene.create("book").await;
    tokio::time::sleep(A_MINUTE).await;
    let tries = scene.ledger().of("replica-a").such(|event| event.resource == "configmaps" && event.is_write());
    assert!((4..30).contains(&tries.len()), "{} tries in a minute", tries.len());
    let status = scene.books.get("book").await.unwrap().status.unwrap();
    assert_eq!(status.conditions[0].status, "False");
    assert!(status.conditions[0].message.contains("ConfigMap"), "{}", status.conditions[0].message);
    scene.grant().await;
}
