//! Server-side apply, as operators use it.

#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "steps that tests share")]

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Resource};
use kubeops_testkit::Cluster;
use serde_json::{Value, json};

use crate::given::{config_map, config_maps, refused};

fn applied_by(manager: &str) -> PatchParams {
    PatchParams::apply(manager)
}

fn owned(owner: &ConfigMap, kind: &str, api_version: &str, more: Value) -> Value {
    let owner = serde_json::to_value(owner.controller_owner_ref(&())).unwrap();
    let mut object =
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "page", "ownerReferences": [owner]}});
    json_patch::merge(&mut object, &more);
    object
}

fn data(value: Value) -> Patch<Value> {
    Patch::Apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": value}))
}

async fn in_default<K>(cluster: &Cluster) -> Api<K>
where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
{
    Api::namespaced(cluster.client("a"), "default")
}

#[tokio::test(start_paused = true)]
async fn children_are_applied_once_and_the_same_again_changes_nothing() {
    let cluster = Cluster::start().await;
    let params = applied_by("operator").force();
    let owner = config_maps(&cluster).create(&PostParams::default(), &config_map("owner", json!({}))).await.unwrap();
    let config_map = owned(&owner, "ConfigMap", "v1", json!({"data": {"index.html": "hello"}}));
    let deployment = owned(
        &owner,
        "Deployment",
        "apps/v1",
        json!({"spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "page"}},
            "template": {"metadata": {"labels": {"app": "page"}}, "spec": {"containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}]}},
        }}),
    );
    let service =
        owned(&owner, "Service", "v1", json!({"spec": {"selector": {"app": "page"}, "ports": [{"port": 80}]}}));

    let config_maps: Api<ConfigMap> = in_default(&cluster).await;
    let first = config_maps.patch("page", &params, &Patch::Apply(&config_map)).await.unwrap();
    assert_eq!(config_maps.patch("page", &params, &Patch::Apply(&config_map)).await.unwrap(), first);
    assert_eq!(first.metadata.owner_references.as_ref().unwrap()[0].uid, owner.metadata.uid.unwrap());

    let deployments: Api<Deployment> = in_default(&cluster).await;
    let first = deployments.patch("page", &params, &Patch::Apply(&deployment)).await.unwrap();
    assert_eq!(first.metadata.generation, Some(1));
    assert_eq!(deployments.patch("page", &params, &Patch::Apply(&deployment)).await.unwrap(), first);

    let services: Api<Service> = in_default(&cluster).await;
    let first = services.patch("page", &params, &Patch::Apply(&service)).await.unwrap();
    assert_eq!(services.patch("page", &params, &Patch::Apply(&service)).await.unwrap(), first);
}

#[tokio::test(start_paused = true)]
async fn force_brings_back_what_others_changed_and_leaves_what_they_added() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let params = applied_by("operator").force();
    api.patch("x", &params, &data(json!({"key": "1"}))).await.unwrap();
    let edit = PatchParams { field_manager: Some("kubectl-edit".into()), ..PatchParams::default() };
    api.patch("x", &edit, &Patch::Merge(json!({"data": {"key": "2", "other": "3"}}))).await.unwrap();

    let without_force = api.patch("x", &applied_by("operator"), &data(json!({"key": "1"}))).await;
    let message = "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using v1: .data.key";
    assert_eq!(refused(without_force), (409, message.to_owned()));
    let forced = api.patch("x", &params, &data(json!({"key": "1"}))).await.unwrap();
    assert_eq!(serde_json::to_value(forced.data).unwrap(), json!({"key": "1", "other": "3"}));
}

#[tokio::test(start_paused = true)]
async fn who_creates_and_updates_is_noted_with_the_time_of_the_server() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let params = PostParams { field_manager: Some("me".into()), ..PostParams::default() };
    let mut created = api.create(&params, &config_map("x", json!({}))).await.unwrap();
    let noted = serde_json::to_value(created.metadata.managed_fields.as_ref().unwrap()).unwrap();
    let now = cluster.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let fields = json!({"f:data": {".": {}, "f:key": {}}});
    let expected = json!([{"manager": "me", "operation": "Update", "apiVersion": "v1", "time": now, "fieldsType": "FieldsV1", "fieldsV1": fields}]);
    assert_eq!(noted, expected);

    let data = created.data.get_or_insert_default();
    data.insert("other".to_owned(), "2".to_owned());
    let updated =
        api.replace("x", &PostParams { field_manager: Some("you".into()), ..params }, &created).await.unwrap();
    let managers: Vec<_> =
        updated.metadata.managed_fields.unwrap().into_iter().filter_map(|entry| entry.manager).collect();
    assert_eq!(managers, ["me", "you"]);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_shows_conflicts_and_results_and_writes_nothing() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let dry = applied_by("operator").dry_run();
    let shown = api.patch("x", &dry, &data(json!({"key": "1"}))).await.unwrap();
    assert!(shown.metadata.uid.is_some());
    assert!(api.get_opt("x").await.unwrap().is_none());
    api.create(&PostParams::default(), &config_map("x", json!({}))).await.unwrap();
    assert_eq!(refused(api.patch("x", &dry, &data(json!({"key": "2"}))).await).0, 409);
}

#[tokio::test(start_paused = true)]
async fn an_object_other_than_the_one_that_was_meant_is_not_changed() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let with = |metadata: Value| Patch::Apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}));
    let params = applied_by("operator");
    let gone = api.patch("x", &params, &with(json!({"name": "x", "uid": "1"}))).await;
    let message = "Operation cannot be fulfilled on configmaps \"x\": uid mismatch: the provided object specified uid 1, and no existing object was found";
    assert_eq!(refused(gone), (409, message.to_owned()));
    let created = api.patch("x", &params, &with(json!({"name": "x", "resourceVersion": "1"}))).await.unwrap();
    assert_ne!(created.metadata.resource_version.as_deref(), Some("1"));
    let old = api.patch("x", &params, &with(json!({"name": "x", "resourceVersion": "1"}))).await;
    let message = "Operation cannot be fulfilled on configmaps \"x\": the object has been modified; please apply your changes to the latest version and try again";
    assert_eq!(refused(old), (409, message.to_owned()));
    let other = api.patch("x", &params, &with(json!({"name": "x", "uid": "1"}))).await;
    assert_eq!(
        refused(other),
        (422, "ConfigMap \"x\" is invalid: metadata.uid: Invalid value: \"1\": field is immutable".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_applied_is_refused() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let params = applied_by("operator");
    let typo = Patch::Apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "dada": {}}));
    let message = "failed to create typed patch object (/x; /v1, Kind=ConfigMap): .dada: field not declared in schema";
    assert_eq!(refused(api.patch("x", &params, &typo).await), (500, message.to_owned()));
    let other = Patch::Apply(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}));
    assert_eq!(
        refused(api.patch("x", &params, &other).await),
        (400, "invalid object type: /v1, Kind=Secret".to_owned())
    );
    let renamed = Patch::Apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "y"}}));
    let message = "the name of the object (y) does not match the name on the URL (x)";
    assert_eq!(refused(api.patch("x", &params, &renamed).await), (400, message.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_status_is_applied_beside_the_spec() {
    let cluster = Cluster::start().await;
    let api: Api<Deployment> = in_default(&cluster).await;
    let spec = json!({"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "w"}]}}});
    let whole = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec, "status": {"replicas": 7}});
    let created = api.patch("d", &applied_by("operator"), &Patch::Apply(&whole)).await.unwrap();
    assert_eq!(created.status.unwrap_or_default().replicas, None);
    let mut status = whole.clone();
    status["spec"]["replicas"] = 5.into();
    let ready = api.patch_status("d", &applied_by("kubelet"), &Patch::Apply(&status)).await.unwrap();
    assert_eq!((ready.spec.unwrap().replicas, ready.status.unwrap().replicas), (Some(1), Some(7)));
    assert_eq!(ready.metadata.generation, Some(1));
    let noted = ready.metadata.managed_fields.unwrap();
    assert_eq!(noted[0].subresource.as_deref(), Some("status"));
}
