//! What a test does with a cluster.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kubeops_testkit::Cluster;
use serde_json::json;

use crate::given::{config_map, config_maps};

const YAML: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template: { metadata: { labels: { app: web } } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: page }
data: { title: Hello }
";

#[tokio::test(start_paused = true)]
async fn yaml_is_applied_and_made_ready() {
    let cluster = Cluster::start().await;
    cluster.apply(YAML).await;
    cluster.ready::<Deployment>("web").await;
    let ready = |web: &Deployment| web.status.as_ref().is_some_and(|status| status.ready_replicas == Some(2));
    let web: Deployment = cluster.until("web", ready).await;
    assert_eq!(web.status.unwrap().observed_generation, Some(1));
    let page: ConfigMap = cluster.until("page", |_: &ConfigMap| true).await;
    assert_eq!(page.data.unwrap()["title"], "Hello");
}

#[tokio::test(start_paused = true)]
async fn an_object_is_waited_for_that_comes_later() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let later = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        api.create(&PostParams::default(), &config_map("x", json!({}))).await
    });
    let found: ConfigMap = cluster.until("x", |object: &ConfigMap| object.data.is_some()).await;
    assert_eq!(found, later.await.unwrap().unwrap());
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "ConfigMap x is not as wished after 600s; last: {")]
async fn an_object_that_does_not_come_to_be_so_is_shown() {
    let cluster = Cluster::start().await;
    config_maps(&cluster).create(&PostParams::default(), &config_map("x", json!({}))).await.unwrap();
    cluster.until("x", |object: &ConfigMap| object.data.is_none()).await;
}
