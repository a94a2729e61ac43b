//! JSON patch, merge patch and strategic merge patch.

use serde_json::json;

use super::{CONFIG_MAPS, config_map, with};
use crate::ask::Ask;
use crate::case::cases;
use crate::session::Session;

cases!("patches":
    a_merge_patch_sets_and_removes,
    a_merge_patch_that_changes_nothing_keeps_the_version,
    a_merge_patch_of_what_is_not_there,
    a_merge_patch_of_a_name,
    a_merge_patch_that_is_no_object,
    a_merge_patch_replaces_lists,
    a_dry_run_patches_nothing,
    a_json_patch_adds_replaces_moves_and_removes,
    a_json_patch_whose_test_fails,
    a_json_patch_that_tests_for_nothing,
    a_json_patch_to_a_place_that_is_not_there,
    a_json_patch_that_is_none,
    a_json_patch_escapes_slashes,
    a_json_patch_that_changes_nothing_keeps_the_version,
    a_patch_in_an_unknown_format,
    a_patch_that_makes_an_object_invalid,
    patches_of_status_and_of_the_whole,
    a_merge_patch_of_null,
    a_json_patch_of_lists,
    a_json_patch_of_the_whole,
    a_json_patch_with_what_no_operation_has,
    numbers_of_built_in_kinds,
);

const X: &str = "/api/v1/namespaces/$ns/configmaps/x";

async fn a_merge_patch_sets_and_removes(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.merge(X, json!({"data": {"key": null, "other": "2"}, "metadata": {"labels": {"a": "b"}}})).await;
    s.merge(X, json!({"data": null})).await;
}

async fn a_merge_patch_that_changes_nothing_keeps_the_version(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.merge(X, json!({"data": {"key": "1", "absent": null}})).await;
    s.merge(X, json!({})).await;
}

async fn a_merge_patch_of_what_is_not_there(s: &mut Session) {
    s.merge(X, json!({"data": {"key": "1"}})).await;
}

async fn a_merge_patch_of_a_name(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.merge(X, json!({"metadata": {"name": "y"}})).await;
    s.merge(X, json!({"metadata": {"namespace": "default"}})).await;
    s.merge(X, json!({"metadata": {"uid": "11111111-1111-4111-8111-111111111111"}})).await;
    s.merge(X, json!({"kind": "Secret"})).await;
}

async fn a_merge_patch_that_is_no_object(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    for patch in ["[]", "5", "{", ""] {
        s.ask(Ask::new("PATCH", X).text("application/merge-patch+json", patch)).await;
    }
}

async fn a_merge_patch_replaces_lists(s: &mut Session) {
    let finalizers = json!(["example.com/a", "example.com/b"]);
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/finalizers", finalizers)).await;
    s.merge(X, json!({"metadata": {"finalizers": ["example.com/c"]}})).await;
    s.merge(X, json!({"metadata": {"finalizers": []}})).await;
}

async fn a_dry_run_patches_nothing(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.merge(format!("{X}?dryRun=All"), json!({"data": {"key": "2"}})).await;
    s.get(X).await;
}

async fn a_json_patch_adds_replaces_moves_and_removes(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.json_patch(X, json!([{"op": "add", "path": "/data/other", "value": "2"}])).await;
    s.json_patch(X, json!([{"op": "replace", "path": "/data/key", "value": "3"}])).await;
    s.json_patch(X, json!([{"op": "move", "from": "/data/key", "path": "/data/moved"}])).await;
    s.json_patch(X, json!([{"op": "copy", "from": "/data/moved", "path": "/data/copied"}])).await;
    s.json_patch(X, json!([{"op": "remove", "path": "/data/moved"}])).await;
    s.json_patch(X, json!([{"op": "add", "path": "/metadata/labels", "value": {}}])).await;
}

async fn a_json_patch_that_tests_for_nothing(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    for path in ["/metadata/finalizers", "/data/key", "/data/absent", "/absent/deeper", "/metadata/labels/a"] {
        s.json_patch(X, json!([{"op": "test", "path": path, "value": null}])).await;
    }
}

async fn a_json_patch_whose_test_fails(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    let patch = |value: &str| {
        json!([
            {"op": "test", "path": "/data/key", "value": value},
            {"op": "add", "path": "/data/other", "value": "2"},
        ])
    };
    s.json_patch(X, patch("2")).await;
    s.json_patch(X, patch("1")).await;
    s.json_patch(X, json!([{"op": "test", "path": "/data/absent", "value": "2"}])).await;
}

async fn a_json_patch_to_a_place_that_is_not_there(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.json_patch(X, json!([{"op": "remove", "path": "/data/absent"}])).await;
    s.json_patch(X, json!([{"op": "replace", "path": "/data/absent", "value": "2"}])).await;
    s.json_patch(X, json!([{"op": "add", "path": "/metadata/labels/a", "value": "b"}])).await;
    s.json_patch(X, json!([{"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/a"}])).await;
}

async fn a_json_patch_that_is_none(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.json_patch(X, json!({"data": {}})).await;
    s.json_patch(X, json!([{"op": "sing", "path": "/data/key"}])).await;
    s.json_patch(X, json!([{"op": "add", "path": "data/key", "value": "2"}])).await;
    s.json_patch(X, json!([])).await;
}

async fn a_json_patch_escapes_slashes(s: &mut Session) {
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/annotations", json!({"example.com/a": "1"}))).await;
    let path = "/metadata/annotations/example.com~1a";
    s.json_patch(X, json!([{"op": "replace", "path": path, "value": "2"}])).await;
}

async fn a_json_patch_that_changes_nothing_keeps_the_version(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.json_patch(X, json!([{"op": "replace", "path": "/data/key", "value": "1"}])).await;
}

async fn a_patch_in_an_unknown_format(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.ask(Ask::new("PATCH", X).text("application/json", "{}")).await;
}

async fn a_patch_that_makes_an_object_invalid(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.merge(X, json!({"metadata": {"labels": {"a": "not a value"}}})).await;
    s.merge(X, json!({"metadata": {"labels": {"a": 5}}})).await;
    s.merge(X, json!({"metadata": {"finalizers": ["no slash and unknown"]}})).await;
}

async fn patches_of_status_and_of_the_whole(s: &mut Session) {
    const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/$ns/leases";
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "x"}, "spec": {}});
    s.post(LEASES, lease).await;
    s.merge(format!("{LEASES}/x"), json!({"spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}})).await;
    s.merge(format!("{LEASES}/x/status"), json!({"spec": {}})).await;
    s.merge(format!("{LEASES}/x"), json!({"spec": {"renewTime": "2025-01-01T00:00:00.000000Z"}})).await;
    s.merge(format!("{LEASES}/x"), json!({"spec": {"renewTime": null}})).await;
}

async fn a_merge_patch_of_null(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.ask(Ask::new("PATCH", X).text("application/merge-patch+json", "null")).await;
    s.merge(X, json!({"metadata": null})).await;
    s.merge(X, json!({"data": {"key": {"a": "b"}}})).await;
}

async fn a_json_patch_of_lists(s: &mut Session) {
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/finalizers", json!(["example.com/a", "example.com/b"]))).await;
    let finalizer = |op: &str, at: &str| json!([{"op": op, "path": format!("/metadata/finalizers/{at}"), "value": "example.com/c"}]);
    for (op, at) in [
        ("add", "0"),
        ("add", "-"),
        ("replace", "1"),
        ("add", "9"),
        ("add", "-1"),
        ("replace", "9"),
        ("remove", "0"),
        ("remove", "9"),
    ] {
        s.json_patch(X, finalizer(op, at)).await;
    }
    s.json_patch(X, json!([{"op": "test", "path": "/metadata/finalizers", "value": []}])).await;
}

async fn a_json_patch_of_the_whole(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.json_patch(X, json!([{"op": "replace", "path": "", "value": {}}])).await;
    s.json_patch(X, json!([{"op": "remove", "path": "/metadata"}])).await;
    s.json_patch(X, json!([{"op": "remove", "path": "/data"}])).await;
    s.json_patch(
        X,
        json!([{"op": "add", "path": "/data", "value": {"a": "b"}}, {"op": "test", "path": "/data/a", "value": "b"}]),
    )
    .await;
}

async fn a_json_patch_with_what_no_operation_has(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.json_patch(X, json!([{"op": "add", "path": "/data/a", "value": "b", "more": 1}])).await;
    s.json_patch(X, json!([{"op": "add", "path": "/data/c"}])).await;
    s.json_patch(X, json!([{"op": "move", "path": "/data/d"}])).await;
    s.json_patch(X, json!([{"path": "/data/e", "value": "f"}])).await;
    s.json_patch(X, json!(["add"])).await;
}

async fn numbers_of_built_in_kinds(s: &mut Session) {
    const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/$ns/leases";
    for number in ["15", "15.0", "1.5", "\"15\"", "null", "true"] {
        let body = format!(
            r#"{{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {{"name": "x"}}, "spec": {{"leaseTransitions": {number}}}}}"#
        );
        s.ask(Ask::new("POST", format!("{LEASES}?dryRun=All")).text("application/json", &body)).await;
    }
}
