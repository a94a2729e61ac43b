//! Deletion: the title goes into the archive, once, and only then the object goes.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::DeleteParams;

use super::Scene;

const ARCHIVE: &str = "guestbook-archive";

impl Scene {
    async fn archived(&self, name: &str) -> Option<String> {
        self.api::<ConfigMap>().get_opt(ARCHIVE).await.unwrap()?.data?.remove(name)
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_guestbook_is_finalized_once() {
    let scene = Scene::start().await;
    let _replicas = scene.two_replicas().await;
    let names = scene.create_many(2).await;
    scene.all_settled(&names).await;

    let deleted = scene.mark();
    scene.delete("book-0").await;
    assert_eq!(scene.archived("book-0").await.as_deref(), Some("Guests of book-0"));
    assert_eq!(scene.archived("book-1").await, None, "the other one stays");
    scene.reconciled_by("replica-a", "book-1").await;
    let writes = scene.ledger_from(deleted).writes().such(|write| write.user.starts_with("replica-"));
    assert_eq!(writes.such(|write| write.name == ARCHIVE).taken().len(), 1, "{:#?}", writes.lines());
    let after = writes.such(|write| write.name == "book-0");
    assert_eq!(after.len(), 1, "its finalizer is taken off, nothing else: {:#?}", after.lines());
}

#[tokio::test(start_paused = true)]
async fn a_guestbook_deleted_while_every_replica_is_down_is_finalized_at_the_next_start() {
    let scene = Scene::start().await;
    let replica = scene.leader("replica-a").await;
    scene.create("book").await;
    let book = scene.settled("book").await;
    replica.stop().await.unwrap();

    scene.books.delete("book", &DeleteParams::default()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(scene.books.get("book").await.unwrap().uid(), book.uid(), "the finalizer keeps it");
    assert_eq!(scene.archived("book").await, None, "nobody is there to finalize it");
    let _replica = scene.replica("replica-a").await;
    scene.gone(&book).await;
    assert_eq!(scene.archived("book").await.as_deref(), Some("Guests of book"));
}

#[tokio::test(start_paused = true)]
async fn a_name_used_again_after_a_deletion_is_a_new_guestbook() {
    let scene = Scene::start().await;
    let _replica = scene.replica("replica-a").await;
    scene.create("book").await;
    let first = scene.settled("book").await;
    scene.delete("book").await;
    scene.create("book").await;
    let second = scene.settled("book").await;
    assert_ne!(first.uid(), second.uid());
    let page = scene.api::<ConfigMap>().get("book").await.unwrap();
    assert_eq!(Some(&page.owner_references()[0].uid), second.metadata.uid.as_ref());
}
