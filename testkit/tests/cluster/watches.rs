//! Watches, and reads at versions.

use std::pin::pin;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use kubeops_testkit::Cluster;
use serde_json::json;

use crate::given::{config_map, config_maps, refused};

fn told(event: &WatchEvent<ConfigMap>) -> String {
    let name = |object: &ConfigMap| object.metadata.name.clone().unwrap();
    match event {
        WatchEvent::Added(object) => format!("added {}", name(object)),
        WatchEvent::Modified(object) => format!("modified {}", name(object)),
        WatchEvent::Deleted(object) => format!("deleted {}", name(object)),
        WatchEvent::Bookmark(_) => "bookmark".to_owned(),
        WatchEvent::Error(status) => format!("error {} {}", status.code, status.reason),
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_leaves_the_selector_is_deleted_there() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let events = api.watch(&WatchParams::default().labels("l=1"), "0").await.unwrap();
    api.create(&PostParams::default(), &config_map("other", json!({}))).await.unwrap();
    api.create(&PostParams::default(), &config_map("x", json!({"metadata": {"labels": {"l": "1"}}}))).await.unwrap();
    for label in ["2", "3", "1"] {
        let patch = Patch::Merge(json!({"metadata": {"labels": {"l": label}}}));
        api.patch("x", &PatchParams::default(), &patch).await.unwrap();
    }
    let events: Vec<_> = events.take(3).try_collect().await.unwrap();
    assert_eq!(events.iter().map(told).collect::<Vec<_>>(), ["added x", "deleted x", "added x"]);
    let WatchEvent::Deleted(last) = &events[1] else { panic!("no deletion") };
    assert_eq!(last.metadata.labels.as_ref().unwrap()["l"], "1", "as it was when it could be seen");
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_each_minute_and_the_watch_ends_in_time() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let params = WatchParams::default().timeout(130);
    let events: Vec<_> = api.watch(&params, "0").await.unwrap().try_collect().await.unwrap();
    assert_eq!(events.iter().map(told).collect::<Vec<_>>(), ["bookmark", "bookmark"]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_compacted_is_an_error_inside_the_stream() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let early = api.create(&PostParams::default(), &config_map("x", json!({}))).await.unwrap();
    let early = early.metadata.resource_version.unwrap();
    api.create(&PostParams::default(), &config_map("y", json!({}))).await.unwrap();
    let mut running = pin!(api.watch(&WatchParams::default(), &early).await.unwrap());
    assert_eq!(told(&running.next().await.unwrap().unwrap()), "added y");
    cluster.compact();

    let events: Vec<_> = api.watch(&WatchParams::default(), &early).await.unwrap().try_collect().await.unwrap();
    assert_eq!(events.iter().map(told).collect::<Vec<_>>(), ["error 410 Expired"]);
    let exactly = ListParams::default().at(&early).matching(kube::api::VersionMatch::Exact);
    assert_eq!(refused(api.list(&exactly).await).0, 410);

    api.delete("x", &DeleteParams::default()).await.unwrap();
    assert_eq!(told(&running.next().await.unwrap().unwrap()), "deleted x", "who missed nothing goes on");
}

#[tokio::test(start_paused = true)]
async fn the_initial_events_end_with_a_bookmark() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    api.create(&PostParams::default(), &config_map("x", json!({}))).await.unwrap();
    let streaming = watcher(api.clone(), watcher::Config::default().streaming_lists());
    let mut objects = pin!(streaming.default_backoff().applied_objects());
    assert_eq!(objects.next().await.unwrap().unwrap().metadata.name.as_deref(), Some("x"));
    api.create(&PostParams::default(), &config_map("y", json!({}))).await.unwrap();
    assert_eq!(objects.next().await.unwrap().unwrap().metadata.name.as_deref(), Some("y"));
}

#[tokio::test(start_paused = true)]
async fn pages_are_all_of_the_version_of_the_first() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    for name in ["a", "b", "c", "d"] {
        api.create(&PostParams::default(), &config_map(name, json!({}))).await.unwrap();
    }
    let first = api.list(&ListParams::default().limit(3)).await.unwrap();
    assert_eq!((first.items.len(), first.metadata.remaining_item_count), (3, Some(1)));
    api.delete("d", &DeleteParams::default()).await.unwrap();
    api.create(&PostParams::default(), &config_map("e", json!({}))).await.unwrap();
    let token = first.metadata.continue_.unwrap();
    let second = api.list(&ListParams::default().limit(3).continue_token(&token)).await.unwrap();
    let names: Vec<_> = second.items.into_iter().filter_map(|object| object.metadata.name).collect();
    assert_eq!(names, ["d"]);
    assert_eq!(second.metadata.resource_version, first.metadata.resource_version);
}

#[tokio::test(start_paused = true)]
async fn reads_at_versions_are_of_that_version_or_refused() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let early = api.create(&PostParams::default(), &config_map("x", json!({}))).await.unwrap();
    api.create(&PostParams::default(), &config_map("y", json!({}))).await.unwrap();
    let exactly = ListParams::default().at(&early.metadata.resource_version.unwrap());
    let exactly = exactly.matching(kube::api::VersionMatch::Exact);
    assert_eq!(api.list(&exactly).await.unwrap().items.len(), 1);
    assert_eq!(api.list(&ListParams::default().at("0")).await.unwrap().items.len(), 2);
    assert_eq!(refused(api.list(&ListParams::default().at("999999")).await).0, 504);
}

#[tokio::test(start_paused = true)]
async fn a_field_that_cannot_be_selected_by_is_refused() {
    let cluster = Cluster::start().await;
    let refusal = refused(config_maps(&cluster).list(&ListParams::default().fields("data.key=1")).await);
    let expected = "\"data.key\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"";
    assert_eq!(refusal, (400, expected.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_watch_waits_without_asking_anything_of_time() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let mut events = pin!(api.watch(&WatchParams::default().disable_bookmarks(), "0").await.unwrap());
    let nothing = tokio::time::timeout(Duration::from_secs(100), events.next()).await;
    assert!(nothing.is_err());
}
