//! Deletion that waits for finalizers.

use serde_json::json;

use super::{CONFIG_MAPS, config_map, things, with};
use crate::case::cases;
use crate::session::Session;

cases!("finalizers":
    a_delete_waits_for_the_finalizer,
    the_last_finalizer_taken_out_by_an_update_ends_it,
    the_last_finalizer_taken_out_by_a_merge_patch_ends_it,
    the_last_finalizer_taken_out_by_a_json_patch_ends_it,
    one_of_two_finalizers_taken_out,
    a_terminating_object_takes_no_new_finalizers,
    a_terminating_object_is_not_created_again,
    a_second_delete_changes_nothing,
    a_terminating_object_may_still_change,
    finalizers_that_are_no_names,
    a_watch_tells_of_a_terminating_object,
    a_terminating_custom_object_is_of_a_new_generation,
    a_dry_run_of_a_delete_with_finalizer,
    a_collection_with_finalizers_terminates,
    a_grace_period_of_what_needs_none,
);

const X: &str = "/api/v1/namespaces/$ns/configmaps/x";

async fn held_by(s: &mut Session, finalizers: &[&str]) {
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/finalizers", json!(finalizers))).await;
}

async fn a_delete_waits_for_the_finalizer(s: &mut Session) {
    held_by(s, &["example.com/a"]).await;
    s.delete(X).await;
    s.get(X).await;
    s.get(CONFIG_MAPS).await;
}

async fn the_last_finalizer_taken_out_by_an_update_ends_it(s: &mut Session) {
    held_by(s, &["example.com/a"]).await;
    let mut held = s.delete(X).await.body;
    held["metadata"]["finalizers"] = json!([]);
    s.put(X, held).await;
    s.get(X).await;
}

async fn the_last_finalizer_taken_out_by_a_merge_patch_ends_it(s: &mut Session) {
    held_by(s, &["example.com/a"]).await;
    s.delete(X).await;
    s.merge(X, json!({"metadata": {"finalizers": null}})).await;
    s.get(X).await;
}

async fn the_last_finalizer_taken_out_by_a_json_patch_ends_it(s: &mut Session) {
    held_by(s, &["example.com/a"]).await;
    s.delete(X).await;
    let patch = json!([
        {"op": "test", "path": "/metadata/finalizers/0", "value": "example.com/a"},
        {"op": "remove", "path": "/metadata/finalizers/0"},
    ]);
    s.json_patch(X, patch).await;
    s.get(X).await;
}

async fn one_of_two_finalizers_taken_out(s: &mut Session) {
    held_by(s, &["example.com/a", "example.com/b"]).await;
    s.delete(X).await;
    s.merge(X, json!({"metadata": {"finalizers": ["example.com/b"]}})).await;
    s.merge(X, json!({"metadata": {"finalizers": ["example.com/a"]}})).await;
}

async fn a_terminating_object_takes_no_new_finalizers(s: &mut Session) {
    held_by(s, &["example.com/a"]).await;
    s.delete(X).await;
    s.merge(X, json!({"metadata": {"finalizers": ["example.com/a", "example.com/b"]}})).await;
}

async fn a_terminating_object_is_not_created_again(s: &mut Session) {
    held_by(s, &["example.com/a"]).await;
    s.delete(X).await;
    s.post(CONFIG_MAPS, config_map("x")).await;
}

async fn a_second_delete_changes_nothing(s: &mut Session) {
    held_by(s, &["example.com/a"]).await;
    s.delete(X).await;
    s.delete(X).await;
    s.delete_with(X, json!({"gracePeriodSeconds": 0})).await;
    s.delete_with(X, json!({"propagationPolicy": "Background"})).await;
}

async fn a_terminating_object_may_still_change(s: &mut Session) {
    held_by(s, &["example.com/a"]).await;
    s.delete(X).await;
    s.merge(X, json!({"data": {"key": "2"}})).await;
    s.merge(X, json!({"metadata": {"deletionTimestamp": null}})).await;
}

async fn finalizers_that_are_no_names(s: &mut Session) {
    for finalizer in ["Not A Name", "plain", "example.com/", "a/b/c", ""] {
        s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/finalizers", json!([finalizer]))).await;
    }
}

async fn a_watch_tells_of_a_terminating_object(s: &mut Session) {
    let mut watch = s.watch(format!("{CONFIG_MAPS}?watch=true")).await;
    held_by(s, &["example.com/a"]).await;
    s.delete(X).await;
    s.merge(X, json!({"metadata": {"finalizers": null}})).await;
    for _ in 0..3 {
        s.event(&mut watch).await;
    }
}

async fn a_terminating_custom_object_is_of_a_new_generation(s: &mut Session) {
    s.install(things::crd()).await;
    s.post(things::ALL, with(things::thing("x"), "/metadata/finalizers", json!(["example.com/a"]))).await;
    let x = format!("{}/x", things::ALL);
    s.delete(&x).await;
    s.delete(&x).await;
    s.merge(&x, json!({"metadata": {"finalizers": null}})).await;
    s.get(&x).await;
}

async fn a_dry_run_of_a_delete_with_finalizer(s: &mut Session) {
    held_by(s, &["example.com/a"]).await;
    s.delete(format!("{X}?dryRun=All")).await;
    s.get(X).await;
}

async fn a_collection_with_finalizers_terminates(s: &mut Session) {
    held_by(s, &["example.com/a"]).await;
    s.post(CONFIG_MAPS, config_map("y")).await;
    s.delete(CONFIG_MAPS).await;
    s.get(CONFIG_MAPS).await;
}

async fn a_grace_period_of_what_needs_none(s: &mut Session) {
    held_by(s, &["example.com/a"]).await;
    s.delete_with(X, json!({"gracePeriodSeconds": 30})).await;
    s.delete_with(X, json!({"gracePeriodSeconds": -1})).await;
}
