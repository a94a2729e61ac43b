//! Objects come, change and go.

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, ListParams, PostParams, WatchEvent, WatchParams};
use kubeops_testkit::Cluster;
use serde_json::json;

fn config_map(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"key": value}})).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_config_map_is_created_changed_and_deleted() {
    let cluster = Cluster::start().await;
    let api: Api<ConfigMap> = Api::namespaced(cluster.client("a"), "default");
    let created = api.create(&PostParams::default(), &config_map("x", "1")).await.unwrap();
    assert!(created.metadata.uid.is_some() && created.metadata.creation_timestamp.is_some());

    let mut changed = api.get("x").await.unwrap();
    changed.data = config_map("x", "2").data;
    let replaced = api.replace("x", &PostParams::default(), &changed).await.unwrap();
    assert_ne!(replaced.metadata.resource_version, created.metadata.resource_version);
    let conflict = api.replace("x", &PostParams::default(), &changed).await.unwrap_err();
    assert!(matches!(conflict, kube::Error::Api(status) if status.is_conflict()));

    assert_eq!(api.list(&ListParams::default()).await.unwrap().items, [replaced]);
    api.delete("x", &DeleteParams::default()).await.unwrap();
    assert!(api.get_opt("x").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_what_happens_after_its_version() {
    let cluster = Cluster::start().await;
    let api: Api<ConfigMap> = Api::namespaced(cluster.client("a"), "default");
    api.create(&PostParams::default(), &config_map("early", "1")).await.unwrap();
    let version = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();

    let events = api.watch(&WatchParams::default(), &version).await.unwrap();
    api.create(&PostParams::default(), &config_map("x", "1")).await.unwrap();
    api.delete("x", &DeleteParams::default()).await.unwrap();
    let events: Vec<WatchEvent<ConfigMap>> = events.take(2).try_collect().await.unwrap();
    assert!(matches!(&events[..], [WatchEvent::Added(a), WatchEvent::Deleted(b)] if a.metadata.uid == b.metadata.uid));
}
