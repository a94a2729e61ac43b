//! The scale subresource: replicas of whatever has some.

use serde_json::{Value, json};

use super::things::{self, DEPLOYMENTS, X as THING, container, deployment};
use super::with;
use crate::ask::Ask;
use crate::case::cases;
use crate::session::Session;

cases!("scale":
    a_deployment_is_scaled,
    a_stateful_set_is_scaled,
    a_custom_object_is_scaled,
    a_custom_object_is_scaled_too_far,
    a_scale_is_patched_in_every_way,
    a_scale_is_applied,
    an_apply_of_replicas_that_another_owns,
    a_scale_of_an_old_version_is_refused,
    a_scale_of_another_name_or_kind_is_refused,
    a_scale_that_makes_no_sense_is_refused,
    a_scale_of_what_is_not_there,
    a_scale_that_changes_nothing_keeps_the_version,
    a_dry_run_scales_nothing,
    a_custom_object_without_replicas_has_no_scale,
    a_kind_without_scale,
);

const X: &str = "/apis/apps/v1/namespaces/$ns/deployments/x";
const SCALE: &str = "/apis/apps/v1/namespaces/$ns/deployments/x/scale";

async fn one(s: &mut Session) {
    s.post(DEPLOYMENTS, deployment("x", &[container("a")])).await;
}

fn scale_to(replicas: impl Into<Value>) -> Value {
    json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "x", "namespace": "$ns"},
        "spec": {"replicas": replicas.into()},
    })
}

async fn a_deployment_is_scaled(s: &mut Session) {
    one(s).await;
    s.merge(format!("{X}/status"), json!({"status": {"replicas": 1}})).await;
    let scale = s.get(SCALE).await;
    s.put(SCALE, with(scale.body, "/spec/replicas", 3)).await;
    s.put(SCALE, scale_to(0)).await;
    s.get(X).await;
}

async fn a_stateful_set_is_scaled(s: &mut Session) {
    const SETS: &str = "/apis/apps/v1/namespaces/$ns/statefulsets";
    let mut set = deployment("x", &[container("a")]);
    set["kind"] = "StatefulSet".into();
    let template = set["spec"]["template"].clone();
    set["spec"] = json!({
        "replicas": 1, "revisionHistoryLimit": 10, "serviceName": "x", "template": template, "podManagementPolicy": "OrderedReady",
        "selector": {"matchLabels": {"app": "x"}, "matchExpressions": [{"key": "app", "operator": "In", "values": ["y", "x"]}]},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    });
    s.post(SETS, set).await;
    s.get(format!("{SETS}/x/scale")).await;
    s.merge(format!("{SETS}/x/scale"), json!({"spec": {"replicas": 4}})).await;
    s.get(format!("{SETS}/x")).await;
}

async fn things_with_scale(s: &mut Session) {
    let mut crd = things::crd();
    crd["spec"]["versions"][0]["subresources"]["scale"] = json!({
        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector",
    });
    s.install(crd).await;
}

async fn a_custom_object_is_scaled(s: &mut Session) {
    s.compares_managers = true;
    things_with_scale(s).await;
    s.post(things::ALL, things::thing("x")).await;
    let scale = s.get(format!("{THING}/scale")).await;
    s.put(format!("{THING}/scale"), with(scale.body, "/spec/replicas", 3)).await;
    s.apply(format!("{THING}/scale?fieldManager=a&force=true"), scale_to(5)).await;
    s.get(THING).await;
    s.merge(format!("{THING}/scale"), json!({"spec": {"replicas": -1}})).await;
    s.merge(format!("{THING}/scale"), json!({"spec": {"replicas": null}})).await;
}

async fn a_custom_object_is_scaled_too_far(s: &mut Session) {
    let scale = json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
    let crd = with(things::crd(), "/spec/versions/0/subresources/scale", scale);
    s.install(with(crd, "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/replicas/maximum", 5))
        .await;
    s.post(things::ALL, things::thing("x")).await;
    s.merge(format!("{THING}/scale"), json!({"spec": {"replicas": 6}})).await;
    s.merge(format!("{THING}/scale"), json!({"spec": {"replicas": 5}})).await;
    s.get(format!("{THING}/scale")).await;
}

async fn a_scale_is_patched_in_every_way(s: &mut Session) {
    s.compares_managers = true;
    one(s).await;
    s.merge(SCALE, json!({"spec": {"replicas": 2}})).await;
    s.json_patch(SCALE, json!([{"op": "replace", "path": "/spec/replicas", "value": 3}])).await;
    s.ask(Ask::new("PATCH", SCALE).text("application/strategic-merge-patch+json", r#"{"spec":{"replicas":4}}"#)).await;
    s.merge(SCALE, json!({"metadata": {"labels": {"a": "b"}}})).await;
    s.get(X).await;
}

async fn a_scale_is_applied(s: &mut Session) {
    s.compares_managers = true;
    one(s).await;
    s.apply(format!("{SCALE}?fieldManager=a&force=true"), scale_to(3)).await;
    s.get(X).await;
    s.apply(format!("{SCALE}?fieldManager=a"), scale_to(3)).await;
    s.apply(format!("{SCALE}?fieldManager=a"), scale_to(4)).await;
    s.get(X).await;
}

async fn an_apply_of_replicas_that_another_owns(s: &mut Session) {
    s.compares_managers = true;
    s.apply(format!("{X}?fieldManager=maker"), deployment("x", &[container("a")])).await;
    s.apply(format!("{SCALE}?fieldManager=a"), scale_to(3)).await;
    s.apply(format!("{SCALE}?fieldManager=a&force=true"), scale_to(3)).await;
    s.apply(format!("{X}?fieldManager=maker"), deployment("x", &[container("a")])).await;
    s.get(X).await;
}

async fn a_scale_of_an_old_version_is_refused(s: &mut Session) {
    one(s).await;
    let old = s.get(SCALE).await;
    s.put(SCALE, scale_to(2)).await;
    s.put(SCALE, with(old.body, "/spec/replicas", 3)).await;
    s.put(SCALE, with(scale_to(3), "/metadata/uid", "11111111-1111-4111-8111-111111111111")).await;
}

async fn a_scale_of_another_name_or_kind_is_refused(s: &mut Session) {
    one(s).await;
    s.put(SCALE, with(scale_to(2), "/metadata/name", "y")).await;
    s.put(SCALE, with(scale_to(2), "/metadata/namespace", "default")).await;
    s.put(SCALE, with(scale_to(2), "/kind", "Deployment")).await;
    s.put(SCALE, with(scale_to(2), "/apiVersion", "apps/v1")).await;
    s.apply(format!("{SCALE}?fieldManager=a"), with(scale_to(2), "/kind", "Deployment")).await;
    s.apply(format!("{SCALE}?fieldManager=a"), with(scale_to(2), "/metadata/name", "y")).await;
}

async fn a_scale_that_makes_no_sense_is_refused(s: &mut Session) {
    one(s).await;
    s.put(SCALE, scale_to(-1)).await;
    s.put(SCALE, scale_to("many")).await;
    s.merge(SCALE, json!({"spec": {"replicas": -1}})).await;
    s.merge(SCALE, json!({"spec": {"replicas": "many"}})).await;
    s.ask(Ask::new("POST", SCALE).json(&scale_to(2))).await;
    s.delete(SCALE).await;
}

async fn a_scale_of_what_is_not_there(s: &mut Session) {
    s.get(SCALE).await;
    s.put(SCALE, scale_to(2)).await;
    s.merge(SCALE, json!({"spec": {"replicas": 2}})).await;
    s.apply(format!("{SCALE}?fieldManager=a"), scale_to(2)).await;
}

async fn a_scale_that_changes_nothing_keeps_the_version(s: &mut Session) {
    s.compares_managers = true;
    one(s).await;
    s.put(SCALE, scale_to(1)).await;
    s.merge(SCALE, json!({"spec": {"replicas": 1}})).await;
    s.get(X).await;
}

async fn a_dry_run_scales_nothing(s: &mut Session) {
    one(s).await;
    s.put(format!("{SCALE}?dryRun=All"), scale_to(2)).await;
    s.merge(format!("{SCALE}?dryRun=All"), json!({"spec": {"replicas": 2}})).await;
    s.get(SCALE).await;
}

async fn a_custom_object_without_replicas_has_no_scale(s: &mut Session) {
    things_with_scale(s).await;
    let mut bare = things::thing("x");
    bare["spec"] = json!({});
    s.post(things::ALL, bare).await;
    s.get(format!("{THING}/scale")).await;
    s.merge(format!("{THING}/scale"), json!({"spec": {"replicas": 2}})).await;
    s.put(format!("{THING}/scale"), scale_to(2)).await;
    s.get(THING).await;
}

async fn a_kind_without_scale(s: &mut Session) {
    s.install(things::crd()).await;
    s.post(things::ALL, things::thing("x")).await;
    s.get(format!("{THING}/scale")).await;
    s.get("/api/v1/namespaces/$ns/configmaps/x/scale").await;
}
