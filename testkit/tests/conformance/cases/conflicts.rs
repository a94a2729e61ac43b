//! Writes that come too late, or name the wrong object.

use serde_json::json;

use super::{CONFIG_MAPS, config_map, with};
use crate::case::cases;
use crate::session::Session;

cases!("conflicts":
    a_create_under_a_taken_name_is_refused,
    an_update_of_an_old_version_is_refused,
    an_update_without_version_wins,
    an_update_for_another_uid_is_refused,
    an_update_of_an_unreadable_version_is_refused,
    a_merge_patch_with_an_old_version_is_refused,
    a_json_patch_that_tests_an_old_version_is_refused,
    a_lease_is_taken_by_one_of_two,
    a_lease_that_is_gone_is_not_renewed,
);

async fn a_create_under_a_taken_name_is_refused(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.post(CONFIG_MAPS, config_map("x")).await;
}

async fn an_update_of_an_old_version_is_refused(s: &mut Session) {
    let old = s.post(CONFIG_MAPS, config_map("x")).await;
    let x = format!("{CONFIG_MAPS}/x");
    s.put(&x, with(old.body.clone(), "/data/key", "2")).await;
    s.put(&x, with(old.body.clone(), "/data/key", "3")).await;
    s.get(&x).await;
    s.delete(&x).await;
    s.put(&x, old.body).await;
}

async fn an_update_without_version_wins(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.put(format!("{CONFIG_MAPS}/x"), with(config_map("x"), "/data/key", "2")).await;
}

async fn an_update_for_another_uid_is_refused(s: &mut Session) {
    let old = s.post(CONFIG_MAPS, config_map("x")).await;
    let x = format!("{CONFIG_MAPS}/x");
    s.delete(&x).await;
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.put(&x, with(with(config_map("x"), "/metadata/uid", old.uid()), "/data/key", "2")).await;
    s.put(&x, with(old.body, "/data/key", "2")).await;
}

async fn an_update_of_an_unreadable_version_is_refused(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    let x = format!("{CONFIG_MAPS}/x");
    s.put(&x, with(config_map("x"), "/metadata/resourceVersion", "abc")).await;
    s.put(&x, with(config_map("x"), "/metadata/resourceVersion", "0")).await;
    s.put(&x, with(config_map("x"), "/metadata/resourceVersion", "99999999")).await;
}

async fn a_merge_patch_with_an_old_version_is_refused(s: &mut Session) {
    let old = s.post(CONFIG_MAPS, config_map("x")).await;
    let x = format!("{CONFIG_MAPS}/x");
    s.merge(&x, json!({"data": {"key": "2"}})).await;
    s.merge(&x, json!({"metadata": {"resourceVersion": old.version()}, "data": {"key": "3"}})).await;
}

async fn a_json_patch_that_tests_an_old_version_is_refused(s: &mut Session) {
    let old = s.post(CONFIG_MAPS, config_map("x")).await;
    let x = format!("{CONFIG_MAPS}/x");
    let patch = json!([
        {"op": "test", "path": "/metadata/resourceVersion", "value": old.version()},
        {"op": "replace", "path": "/data/key", "value": "2"},
    ]);
    s.json_patch(&x, patch.clone()).await;
    s.json_patch(&x, patch).await;
}

async fn a_lease_is_taken_by_one_of_two(s: &mut Session) {
    const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/$ns/leases";
    let lease = |holder: &str| {
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "leader"},
            "spec": {
                "holderIdentity": holder, "leaseDurationSeconds": 15, "leaseTransitions": 0,
                "acquireTime": "2025-01-01T00:00:00.000000Z", "renewTime": "2025-01-01T00:00:00.000000Z",
            },
        })
    };
    let free = s.post(LEASES, lease("")).await;
    let take = |holder: &str| with(lease(holder), "/metadata/resourceVersion", free.version());
    s.put(format!("{LEASES}/leader"), take("a")).await;
    s.put(format!("{LEASES}/leader"), take("b")).await;
    s.get(format!("{LEASES}/leader")).await;
}

async fn a_lease_that_is_gone_is_not_renewed(s: &mut Session) {
    const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/$ns/leases";
    let x = format!("{LEASES}/x");
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "x"}, "spec": {"holderIdentity": "one"}});
    let old = s.post(LEASES, lease.clone()).await;
    s.delete(&x).await;
    s.put(&x, old.body.clone()).await;
    s.put(&x, with(lease.clone(), "/metadata/resourceVersion", old.version())).await;
    s.put(&x, with(lease, "/metadata/uid", old.uid())).await;
    s.get(&x).await;
}
