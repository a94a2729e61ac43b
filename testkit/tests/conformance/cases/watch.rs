//! Watches: what they start with, what they tell, and how they end.

use serde_json::json;

use super::{CONFIG_MAPS, config_map, with};
use crate::case::cases;
use crate::session::Session;

cases!("watch":
    a_watch_from_a_version_tells_what_came_after,
    a_watch_from_nowhere_starts_with_what_is_there,
    a_watch_from_version_zero_starts_with_what_is_there,
    a_write_that_changes_nothing_is_no_event,
    a_deleted_object_is_told_in_its_last_state_under_a_new_version,
    a_watch_of_one_object_by_its_name,
    a_watch_of_all_namespaces,
    an_object_that_leaves_a_label_selector_is_deleted,
    an_object_that_enters_a_label_selector_is_added,
    initial_events_end_with_a_bookmark,
    initial_events_from_a_version_end_with_a_bookmark,
    initial_events_without_their_version_match_are_refused,
    a_watch_from_an_unreadable_version_is_refused,
    a_watch_from_the_beginning_of_time,
    a_watch_ends_when_its_time_is_over,
    a_watch_of_an_unknown_resource_is_refused,
    a_watch_by_the_old_path,
);

const X: &str = "/api/v1/namespaces/$ns/configmaps/x";

async fn a_watch_from_a_version_tells_what_came_after(s: &mut Session) {
    let made = s.post(CONFIG_MAPS, config_map("x")).await;
    let mut watch = s.watch(format!("{CONFIG_MAPS}?watch=true&resourceVersion={}", made.version())).await;
    s.put(X, with(config_map("x"), "/data/key", "2")).await;
    s.post(CONFIG_MAPS, config_map("y")).await;
    s.delete(X).await;
    s.post(CONFIG_MAPS, config_map("end")).await;
    s.events_until(&mut watch, "end").await;
}

async fn a_watch_from_nowhere_starts_with_what_is_there(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("b")).await;
    s.post(CONFIG_MAPS, config_map("a")).await;
    let mut watch = s.watch(format!("{CONFIG_MAPS}?watch=true")).await;
    s.event(&mut watch).await;
    s.event(&mut watch).await;
    s.post(CONFIG_MAPS, config_map("end")).await;
    s.events_until(&mut watch, "end").await;
}

async fn a_watch_from_version_zero_starts_with_what_is_there(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("b")).await;
    s.post(CONFIG_MAPS, config_map("a")).await;
    // The real server's cache may lag behind: what a read at this version gives, it has.
    let last = s.post(CONFIG_MAPS, config_map("c")).await;
    s.get(format!("{CONFIG_MAPS}?resourceVersion={}&resourceVersionMatch=NotOlderThan", last.version())).await;
    let mut watch = s.watch(format!("{CONFIG_MAPS}?watch=1&resourceVersion=0")).await;
    for _ in 0..3 {
        s.event(&mut watch).await;
    }
    s.delete(format!("{CONFIG_MAPS}/a")).await;
    s.events_until(&mut watch, "a").await;
}

async fn a_write_that_changes_nothing_is_no_event(s: &mut Session) {
    let made = s.post(CONFIG_MAPS, config_map("x")).await;
    let mut watch = s.watch(format!("{CONFIG_MAPS}?watch=true&resourceVersion={}", made.version())).await;
    s.put(X, config_map("x")).await;
    s.put(X, made.body).await;
    s.post(CONFIG_MAPS, config_map("end")).await;
    s.events_until(&mut watch, "end").await;
}

async fn a_deleted_object_is_told_in_its_last_state_under_a_new_version(s: &mut Session) {
    let made = s.post(CONFIG_MAPS, config_map("x")).await;
    s.delete(X).await;
    let again = s.post(CONFIG_MAPS, config_map("x")).await;
    let mut watch = s.watch(format!("{CONFIG_MAPS}?watch=true&resourceVersion={}", made.version())).await;
    s.event(&mut watch).await;
    s.event(&mut watch).await;
    s.delete_with(X, json!({"preconditions": {"uid": again.uid()}})).await;
    s.event(&mut watch).await;
}

async fn a_watch_of_one_object_by_its_name(s: &mut Session) {
    let mut watch = s.watch(format!("{CONFIG_MAPS}?watch=true&fieldSelector=metadata.name%3Dx")).await;
    s.post(CONFIG_MAPS, config_map("y")).await;
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.delete(format!("{CONFIG_MAPS}/y")).await;
    s.delete(X).await;
    s.event(&mut watch).await;
    s.event(&mut watch).await;
}

async fn a_watch_of_all_namespaces(s: &mut Session) {
    let selector = "labelSelector=case%3D$ns";
    let mut watch = s.watch(format!("/api/v1/configmaps?watch=true&{selector}")).await;
    let labels = json!({"case": "$ns"});
    s.post("/api/v1/namespaces", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "$ns2"}})).await;
    s.post("/api/v1/namespaces/$ns2/configmaps", with(config_map("x"), "/metadata/labels", labels.clone())).await;
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/labels", labels)).await;
    s.event(&mut watch).await;
    s.event(&mut watch).await;
}

async fn an_object_that_leaves_a_label_selector_is_deleted(s: &mut Session) {
    let green = with(config_map("x"), "/metadata/labels", json!({"colour": "green"}));
    let made = s.post(CONFIG_MAPS, green.clone()).await;
    let query = format!("watch=true&labelSelector=colour%3Dgreen&resourceVersion={}", made.version());
    let mut watch = s.watch(format!("{CONFIG_MAPS}?{query}")).await;
    s.put(X, with(green.clone(), "/metadata/labels/colour", "red")).await;
    s.event(&mut watch).await;
    // Red ones change and go unseen.
    s.put(X, with(with(green, "/metadata/labels/colour", "red"), "/data/key", "2")).await;
    s.delete(X).await;
    s.post(CONFIG_MAPS, with(config_map("end"), "/metadata/labels", json!({"colour": "green"}))).await;
    s.events_until(&mut watch, "end").await;
}

async fn an_object_that_enters_a_label_selector_is_added(s: &mut Session) {
    let made = s.post(CONFIG_MAPS, config_map("x")).await;
    let query = format!("watch=true&labelSelector=colour%3Dgreen&resourceVersion={}", made.version());
    let mut watch = s.watch(format!("{CONFIG_MAPS}?{query}")).await;
    let green = with(config_map("x"), "/metadata/labels", json!({"colour": "green"}));
    s.put(X, green.clone()).await;
    s.event(&mut watch).await;
    s.put(X, with(green, "/data/key", "2")).await;
    s.event(&mut watch).await;
    s.delete(X).await;
    s.event(&mut watch).await;
}

async fn initial_events_end_with_a_bookmark(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("b")).await;
    s.post(CONFIG_MAPS, config_map("a")).await;
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = s.watch(format!("{CONFIG_MAPS}?{query}")).await;
    for _ in 0..3 {
        s.event(&mut watch).await;
    }
    s.post(CONFIG_MAPS, config_map("end")).await;
    s.events_until(&mut watch, "end").await;
}

async fn initial_events_from_a_version_end_with_a_bookmark(s: &mut Session) {
    let made = s.post(CONFIG_MAPS, config_map("a")).await;
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = s.watch(format!("{CONFIG_MAPS}?{query}&resourceVersion={}", made.version())).await;
    s.event(&mut watch).await;
    s.event(&mut watch).await;
    let query = "watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = s.watch(format!("{CONFIG_MAPS}?{query}&resourceVersion={}", made.version())).await;
    s.post(CONFIG_MAPS, config_map("end")).await;
    s.events_until(&mut watch, "end").await;
}

async fn initial_events_without_their_version_match_are_refused(s: &mut Session) {
    s.get(format!("{CONFIG_MAPS}?watch=true&sendInitialEvents=true")).await;
    s.get(format!("{CONFIG_MAPS}?watch=true&sendInitialEvents=true&resourceVersionMatch=Exact")).await;
    s.get(format!("{CONFIG_MAPS}?watch=true&resourceVersionMatch=NotOlderThan")).await;
    s.get(format!("{CONFIG_MAPS}?sendInitialEvents=true")).await;
}

async fn a_watch_from_an_unreadable_version_is_refused(s: &mut Session) {
    s.get(format!("{CONFIG_MAPS}?watch=true&resourceVersion=abc")).await;
    s.get(format!("{CONFIG_MAPS}?watch=maybe&timeoutSeconds=abc")).await;
}

async fn a_watch_from_the_beginning_of_time(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    let mut watch = s.watch(format!("{CONFIG_MAPS}?watch=true&resourceVersion=1")).await;
    s.event(&mut watch).await;
}

async fn a_watch_ends_when_its_time_is_over(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    let mut watch = s.watch(format!("{CONFIG_MAPS}?watch=true&timeoutSeconds=1")).await;
    s.event(&mut watch).await;
    s.end_of(&mut watch).await;
}

async fn a_watch_of_an_unknown_resource_is_refused(s: &mut Session) {
    s.get("/api/v1/namespaces/$ns/gadgets?watch=true").await;
    s.get("/api/v1/componentstatuses?watch=true").await;
}

async fn a_watch_by_the_old_path(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    let mut watch = s.watch("/api/v1/watch/namespaces/$ns/configmaps").await;
    s.event(&mut watch).await;
    let mut watch = s.watch("/api/v1/watch/namespaces/$ns/configmaps/x").await;
    s.event(&mut watch).await;
}
