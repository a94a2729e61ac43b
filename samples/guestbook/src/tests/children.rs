//! What a guestbook is made of, and that it is repaired.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use super::Scene;

const SAMPLE: &str = include_str!("../../samples/guestbook.yaml");

#[tokio::test(start_paused = true)]
async fn a_guestbook_gets_its_page_deployment_and_service() {
    let scene = Scene::start().await;
    let _replica = scene.replica("replica-a").await;
    scene.cluster.apply(SAMPLE).await;
    let book = scene.settled("hello").await;
    assert_eq!(book.status.as_ref().unwrap().observed_generation, book.metadata.generation);
    let page = scene.api::<ConfigMap>().get("hello").await.unwrap();
    assert!(page.data.as_ref().unwrap()["index.html"].contains("Hello"));
    let deployment = scene.api::<Deployment>().get("hello").await.unwrap();
    let service = scene.api::<Service>().get("hello").await.unwrap();
    for owners in [page.owner_references(), deployment.owner_references(), service.owner_references()] {
        let [owner] = owners else { panic!("one owner: {owners:?}") };
        assert_eq!((owner.controller, Some(&owner.uid)), (Some(true), book.metadata.uid.as_ref()));
    }
}

#[tokio::test(start_paused = true)]
async fn children_that_somebody_changes_or_deletes_are_repaired() {
    let scene = Scene::start().await;
    let _replica = scene.replica("replica-a").await;
    scene.create("book").await;
    scene.settled("book").await;

    let (pages, deployments) = (scene.api::<ConfigMap>(), scene.api::<Deployment>());
    let vandalism = Patch::Merge(json!({ "data": { "index.html": "gone" } }));
    pages.patch("book", &PatchParams::default(), &vandalism).await.unwrap();
    let vandalism = Patch::Merge(json!({ "spec": { "replicas": 7 } }));
    deployments.patch("book", &PatchParams::default(), &vandalism).await.unwrap();
    scene.cluster.until("book", |page: &ConfigMap| page.data.as_ref().unwrap()["index.html"].contains("Guests")).await;
    scene.cluster.until("book", |one: &Deployment| one.spec.as_ref().unwrap().replicas == Some(1)).await;

    let before = pages.get("book").await.unwrap().uid();
    pages.delete("book", &DeleteParams::default()).await.unwrap();
    scene.cluster.until("book", |page: &ConfigMap| page.uid() != before).await;
    scene.api::<Service>().delete("book", &DeleteParams::default()).await.unwrap();
    scene.cluster.until("book", |_: &Service| true).await;
}
