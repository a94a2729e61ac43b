//! The guestbook on a cluster in memory: what it does, in milliseconds and without a cluster.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::await_condition;
use kube::runtime::wait::conditions::is_deleted;
use kubeops::operator::RunningOperator;
use kubeops_testkit::Cluster;
use serde_json::json;

use crate::guestbook::Guestbook;
use crate::operator;

const LOCK: &str = "guestbook-leader";
const SAMPLE: &str = include_str!("../samples/guestbook.yaml");

async fn cluster() -> Cluster {
    let cluster = Cluster::start().await;
    cluster.install::<Guestbook>().await;
    cluster
}

async fn replica(cluster: &Cluster, name: &str) -> RunningOperator {
    operator().start_replica_on(cluster, name, &[]).await
}

fn is_ready(guestbook: &Guestbook) -> bool {
    let conditions = guestbook.status.iter().flat_map(|status| &status.conditions);
    let mut ready = conditions.filter(|condition| condition.type_ == "Ready" && condition.status == "True");
    ready.next().is_some()
}

fn is_reconciled_by(guestbook: &Guestbook, name: &str) -> bool {
    let leader = guestbook.status.as_ref().and_then(|status| status.reconciled_by.as_deref());
    leader.is_some_and(|leader| leader.starts_with(&format!("{name}_")))
}

fn is_held_by(lease: &Lease, name: &str) -> bool {
    let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
    holder.is_some_and(|holder| holder.starts_with(&format!("{name}_")))
}

#[tokio::test(start_paused = true)]
async fn a_guestbook_gets_its_page_deployment_and_service() {
    let cluster = cluster().await;
    let _operator = operator().start_on(&cluster).await;
    cluster.apply(SAMPLE).await;
    let guestbook = cluster.until("hello", is_ready).await;
    assert_eq!(guestbook.status.as_ref().unwrap().observed_generation, guestbook.metadata.generation);
    let page: ConfigMap = cluster.until("hello", |page: &ConfigMap| page.data.is_some()).await;
    assert!(page.data.unwrap()["index.html"].contains("Hello"));
    let owner = &page.metadata.owner_references.unwrap()[0];
    assert_eq!((owner.controller, Some(&owner.uid)), (Some(true), guestbook.metadata.uid.as_ref()));
    cluster.until("hello", |_: &Deployment| true).await;
    cluster.until("hello", |_: &Service| true).await;
}

#[tokio::test(start_paused = true)]
async fn children_that_somebody_changes_or_deletes_are_repaired() {
    let cluster = cluster().await;
    let _operator = operator().start_on(&cluster).await;
    cluster.apply(SAMPLE).await;
    cluster.until("hello", is_ready).await;

    let pages: Api<ConfigMap> = Api::default_namespaced(cluster.client("somebody"));
    let vandalism = json!({ "data": { "index.html": "gone" } });
    pages.patch("hello", &PatchParams::default(), &Patch::Merge(&vandalism)).await.unwrap();
    cluster.until("hello", |page: &ConfigMap| page.data.as_ref().unwrap()["index.html"].contains("Hello")).await;

    let before = cluster.until("hello", |_: &ConfigMap| true).await.metadata.uid;
    pages.delete("hello", &DeleteParams::default()).await.unwrap();
    cluster.until("hello", |page: &ConfigMap| page.metadata.uid != before).await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_guestbook_leaves_its_title_in_the_archive() {
    let cluster = cluster().await;
    let _operator = operator().start_on(&cluster).await;
    cluster.apply(SAMPLE).await;
    let uid = cluster.until("hello", is_ready).await.metadata.uid.unwrap();
    let guestbooks: Api<Guestbook> = Api::default_namespaced(cluster.client("somebody"));
    guestbooks.delete("hello", &DeleteParams::default()).await.unwrap();
    await_condition(guestbooks, "hello", is_deleted(&uid)).await.unwrap();
    let archive = cluster.until("guestbook-archive", |_: &ConfigMap| true).await;
    assert_eq!(archive.data.unwrap()["hello"], "Hello");
}

#[tokio::test(start_paused = true)]
async fn a_standby_takes_over_from_a_leader_that_stops_and_writes_nothing_before() {
    let cluster = cluster().await;
    let leader = replica(&cluster, "replica-a").await;
    cluster.until(LOCK, |lease: &Lease| is_held_by(lease, "replica-a")).await;
    let _standby = replica(&cluster, "replica-b").await;
    cluster.apply(SAMPLE).await;
    cluster.until("hello", is_ready).await;
    assert!(cluster.requests().iter().all(|request| request.user != "replica-b" || !request.is_write()));

    leader.stop().await.unwrap();
    cluster.until("hello", |guestbook: &Guestbook| is_reconciled_by(guestbook, "replica-b")).await;
}

#[tokio::test(start_paused = true)]
async fn a_standby_takes_over_from_a_leader_that_is_killed() {
    let cluster = cluster().await;
    let leader = replica(&cluster, "replica-a").await;
    cluster.until(LOCK, |lease: &Lease| is_held_by(lease, "replica-a")).await;
    let _standby = replica(&cluster, "replica-b").await;
    cluster.apply(SAMPLE).await;
    cluster.until("hello", |guestbook: &Guestbook| is_reconciled_by(guestbook, "replica-a")).await;
    drop(leader);
    cluster.until("hello", |guestbook: &Guestbook| is_reconciled_by(guestbook, "replica-b")).await;
}

#[tokio::test(start_paused = true)]
async fn a_guestbook_that_could_not_be_shown_is_refused_by_its_schema() {
    let cluster = cluster().await;
    let guestbooks: Api<Guestbook> = Api::default_namespaced(cluster.client("somebody"));
    let mut untitled: Guestbook = serde_json::from_value(json!({
        "apiVersion": "guestbook.example.com/v1", "kind": "Guestbook",
        "metadata": { "name": "untitled" }, "spec": { "title": "" },
    }))
    .unwrap();
    let error = guestbooks.create(&PostParams::default(), &untitled).await.unwrap_err().to_string();
    assert!(error.contains("spec.title"), "{error}");
    untitled.spec.title = "Titled".to_owned();
    let created = guestbooks.create(&PostParams::default(), &untitled).await.unwrap();
    assert_eq!((created.spec.replicas, created.spec.message.as_str()), (1, ""));
}
