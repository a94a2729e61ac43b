//! What the schema of the kind lets in, and what becomes of an object that is let in and is no Guestbook.

use kube::CustomResourceExt;
use kube::api::PostParams;
use serde_json::{Value, json};

use super::Scene;
use crate::guestbook::Guestbook;

fn misfit(spec: &Value) -> String {
    let metadata = json!({ "name": "misfit" });
    json!({ "apiVersion": "guestbook.example.com/v1", "kind": "Guestbook", "metadata": metadata, "spec": spec })
        .to_string()
}

#[tokio::test(start_paused = true)]
async fn a_guestbook_that_could_not_be_shown_is_refused_and_what_it_does_not_say_is_filled_in() {
    let scene = Scene::start().await;
    let mut book: Guestbook = serde_json::from_str(&misfit(&json!({ "title": "" }))).unwrap();
    let error = scene.books.create(&PostParams::default(), &book).await.unwrap_err().to_string();
    assert!(error.contains("spec.title"), "{error}");
    book.spec.title = "Titled".to_owned();
    let created = scene.books.create(&PostParams::default(), &book).await.unwrap();
    assert_eq!((created.spec.replicas, created.spec.message.as_str()), (1, ""));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_does_not_deserialize_holds_up_no_other_and_is_reconciled_once_it_does() {
    let scene = Scene::start_bare().await;
    let mut loose = json!(Guestbook::crd());
    loose["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] =
        json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    scene.cluster.apply(&loose.to_string()).await;
    scene.cluster.apply(&misfit(&json!({ "title": "Bad", "replicas": "many" }))).await;
    let _replica = scene.leader("replica-a").await;
    scene.create("good").await;
    scene.settled("good").await;
    scene.reconciled_by("replica-a", "good").await;
    scene.cluster.apply(&misfit(&json!({ "title": "Repaired", "replicas": 2, "message": "" }))).await;
    scene.settled("misfit").await;
}

#[tokio::test(start_paused = true)]
async fn a_missing_crd_is_waited_for_without_standing_for_the_lock() {
    let scene = Scene::start_bare().await;
    let _replica = scene.replica("replica-a").await;
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let ledger = scene.ledger().of("replica-a");
    assert_eq!(ledger.such(kubeops_testkit::AuditEvent::is_write).len(), 0, "{:#?}", ledger.lines());
    scene.cluster.install::<Guestbook>().await;
    scene.create("book").await;
    scene.settled("book").await;
}
