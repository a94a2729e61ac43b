//! Status and spec are written apart; the generation counts the changes of what is wished.

use serde_json::json;

use super::things::{DEPLOYMENTS, X, container, deployment};
use super::{things, with};
use crate::case::cases;
use crate::session::Session;

cases!("status":
    a_create_drops_the_status,
    an_update_leaves_the_status,
    an_update_of_the_status_leaves_the_spec,
    a_patch_of_the_status,
    a_patch_of_the_whole_leaves_the_status,
    the_status_is_read_as_the_whole_object,
    a_status_of_an_old_version_is_refused,
    a_status_that_changes_nothing_keeps_the_version,
    labels_do_not_raise_the_generation,
    a_status_takes_labels_or_not,
    a_status_that_a_kind_does_not_have,
    scale_reads_and_writes_replicas,
    the_status_of_what_is_not_there,
    a_kind_without_status_subresource_has_it_in_the_object,
    built_in_kinds_keep_status_and_spec_apart,
    conditions_of_a_built_in_kind_are_applied,
);

async fn one(s: &mut Session) -> crate::session::Answer {
    s.install(things::crd()).await;
    s.post(things::ALL, with(things::thing("x"), "/status", json!({"ready": true}))).await
}

async fn a_create_drops_the_status(s: &mut Session) {
    one(s).await;
    s.get(X).await;
}

async fn an_update_leaves_the_status(s: &mut Session) {
    one(s).await;
    s.merge(format!("{X}/status"), json!({"status": {"ready": true}})).await;
    let mut object = s.get(X).await.body;
    object["spec"]["replicas"] = 2.into();
    object["status"]["ready"] = false.into();
    s.put(X, object).await;
    s.get(X).await;
}

async fn an_update_of_the_status_leaves_the_spec(s: &mut Session) {
    let mut object = one(s).await.body;
    object["spec"]["replicas"] = 2.into();
    object["status"] = json!({"ready": true});
    s.put(format!("{X}/status"), object).await;
    s.get(X).await;
}

async fn a_patch_of_the_status(s: &mut Session) {
    one(s).await;
    s.merge(format!("{X}/status"), json!({"status": {"ready": true}, "spec": {"replicas": 5}})).await;
    s.json_patch(format!("{X}/status"), json!([{"op": "replace", "path": "/status/ready", "value": false}])).await;
}

async fn a_patch_of_the_whole_leaves_the_status(s: &mut Session) {
    one(s).await;
    s.merge(X, json!({"status": {"ready": true}})).await;
    s.merge(X, json!({"status": {"ready": true}, "spec": {"replicas": 3}})).await;
}

async fn the_status_is_read_as_the_whole_object(s: &mut Session) {
    one(s).await;
    s.get(format!("{X}/status")).await;
}

async fn a_status_of_an_old_version_is_refused(s: &mut Session) {
    let mut old = one(s).await.body;
    s.merge(X, json!({"spec": {"replicas": 2}})).await;
    old["status"] = json!({"ready": true});
    s.put(format!("{X}/status"), old).await;
}

async fn a_status_that_changes_nothing_keeps_the_version(s: &mut Session) {
    one(s).await;
    s.merge(format!("{X}/status"), json!({"status": {"ready": true}})).await;
    s.merge(format!("{X}/status"), json!({"status": {"ready": true}})).await;
    let whole = s.get(X).await.body;
    s.put(format!("{X}/status"), whole).await;
}

async fn labels_do_not_raise_the_generation(s: &mut Session) {
    one(s).await;
    s.merge(X, json!({"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}})).await;
    s.merge(X, json!({"spec": {"replicas": 2}})).await;
    s.merge(X, json!({"metadata": {"generation": 9}})).await;
}

async fn a_status_takes_labels_or_not(s: &mut Session) {
    one(s).await;
    s.merge(
        format!("{X}/status"),
        json!({"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}, "finalizers": ["example.com/a"]}}),
    )
    .await;
    s.get(X).await;
}

async fn a_status_that_a_kind_does_not_have(s: &mut Session) {
    s.get("/api/v1/namespaces/$ns/configmaps/x/status").await;
    s.merge("/api/v1/namespaces/$ns/configmaps/x/status", json!({})).await;
}

async fn scale_reads_and_writes_replicas(s: &mut Session) {
    let mut crd = things::crd();
    crd["spec"]["versions"][0]["subresources"]["scale"] = json!({
        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector",
    });
    s.install(crd).await;
    s.post(things::ALL, things::thing("x")).await;
    s.merge(format!("{X}/status"), json!({"status": {"replicas": 1, "selector": "app=x"}})).await;
    let scale = s.get(format!("{X}/scale")).await;
    s.put(format!("{X}/scale"), with(scale.body, "/spec/replicas", 3)).await;
    s.merge(format!("{X}/scale"), json!({"spec": {"replicas": 4}})).await;
    s.get(X).await;
}

async fn the_status_of_what_is_not_there(s: &mut Session) {
    s.install(things::crd()).await;
    s.get(format!("{X}/status")).await;
    s.merge(format!("{X}/status"), json!({"status": {"ready": true}})).await;
    s.put(format!("{X}/status"), things::thing("x")).await;
}

async fn a_kind_without_status_subresource_has_it_in_the_object(s: &mut Session) {
    let mut crd = things::crd();
    crd["spec"]["versions"][0]["subresources"] = json!({});
    s.install(crd).await;
    s.post(things::ALL, with(things::thing("x"), "/status", json!({"ready": true}))).await;
    s.merge(X, json!({"status": {"ready": false}})).await;
    s.get(format!("{X}/status")).await;
}

async fn built_in_kinds_keep_status_and_spec_apart(s: &mut Session) {
    let x = format!("{DEPLOYMENTS}/x");
    let ready = json!({"replicas": 1, "readyReplicas": 1});
    s.post(DEPLOYMENTS, with(deployment("x", &[container("a")]), "/status", ready.clone())).await;
    s.merge(format!("{x}/status"), json!({"status": ready, "spec": {"replicas": 5}})).await;
    let mut read = s.get(&x).await.body;
    read["spec"]["replicas"] = 2.into();
    read["status"]["readyReplicas"] = 2.into();
    s.put(&x, read.clone()).await;
    s.put(format!("{x}/status"), read).await;
    s.merge(format!("{x}/status"), json!({"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}})).await;
}

async fn conditions_of_a_built_in_kind_are_applied(s: &mut Session) {
    s.compares_managers = true;
    s.post(DEPLOYMENTS, deployment("x", &[container("a")])).await;
    let condition = |kind: &str| {
        let time = "2025-01-01T00:00:00Z";
        json!({"type": kind, "status": "True", "lastTransitionTime": time, "lastUpdateTime": time, "reason": "R", "message": "M"})
    };
    for (manager, kind) in [("a", "Available"), ("b", "Progressing")] {
        let status = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "status": {"conditions": [condition(kind)]}});
        s.apply(format!("{DEPLOYMENTS}/x/status?fieldManager={manager}"), status).await;
    }
    s.get(format!("{DEPLOYMENTS}/x")).await;
}
