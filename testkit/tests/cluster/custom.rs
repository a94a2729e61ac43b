//! Kinds that are registered at run time, as kube-derive describes them.

#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "steps that tests share")]

use futures::TryStreamExt;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{
    Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::core::ApiResource;
use kube::runtime::wait::{await_condition, conditions};
use kube::{CustomResource, CustomResourceExt, KubeSchema};
use kubeops_testkit::Cluster;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::given::{refused, thing, with_things};

/// As the guestbook of the samples has it.
#[derive(CustomResource, KubeSchema, Clone, Debug, Serialize, Deserialize)]
#[kube(
    group = "guestbook.example.com",
    version = "v1",
    kind = "Guestbook",
    namespaced,
    status = "GuestbookStatus",
    shortname = "gb",
    validation = Rule::new("self.metadata.name.size() <= 63").message("the name must fit a Service")
)]
#[serde(rename_all = "camelCase")]
struct GuestbookSpec {
    #[schemars(length(min = 1, max = 120))]
    title: String,
    #[serde(default)]
    message: String,
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 10))]
    replicas: i32,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct GuestbookStatus {
    observed_generation: Option<i64>,
    #[serde(default)]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    conditions: Vec<Condition>,
}

const fn one() -> i32 {
    1
}

fn crds(cluster: &Cluster) -> Api<CustomResourceDefinition> {
    Api::all(cluster.client("admin"))
}

async fn with_guestbooks(cluster: &Cluster) -> Api<DynamicObject> {
    cluster.leave_rules_unevaluated();
    crds(cluster).create(&PostParams::default(), &Guestbook::crd()).await.unwrap();
    Api::namespaced_with(cluster.client("a"), "default", &ApiResource::erase::<Guestbook>(&()))
}

fn guestbook(spec: Value) -> DynamicObject {
    let whole =
        json!({"apiVersion": "guestbook.example.com/v1", "kind": "Guestbook", "metadata": {"name": "g"}, "spec": spec});
    serde_json::from_value(whole).unwrap()
}

fn anyone() -> PostParams {
    PostParams::default()
}

#[tokio::test(start_paused = true)]
async fn watches_of_a_kind_end_with_its_registration() {
    let cluster = Cluster::start().await;
    let things = with_things(&cluster).await;
    things.create(&PostParams::default(), &thing("a", json!({}))).await.unwrap();
    let watch = things.watch(&WatchParams::default(), "0").await.unwrap();
    let crds: Api<CustomResourceDefinition> = Api::all(cluster.client("a"));
    crds.delete("things.example.com", &DeleteParams::default()).await.unwrap();
    let told: Vec<_> = watch.try_collect().await.unwrap();
    assert!(matches!(told[..], [WatchEvent::Added(_), WatchEvent::Deleted(_)]), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_crd_is_established_and_its_kind_is_served() {
    let cluster = Cluster::start().await;
    let guestbooks = with_guestbooks(&cluster).await;
    let name = Guestbook::crd_name();
    await_condition(crds(&cluster), name, conditions::is_crd_established()).await.unwrap();
    assert_eq!(guestbooks.list(&ListParams::default()).await.unwrap().items, []);
    let status = crds(&cluster).get(name).await.unwrap().status.unwrap();
    assert_eq!(status.stored_versions, Some(vec!["v1".to_owned()]));
    assert_eq!(status.accepted_names.unwrap().singular.as_deref(), Some("guestbook"));
}

#[tokio::test(start_paused = true)]
async fn rules_that_nobody_evaluates_are_refused_by_name() {
    let cluster = Cluster::start().await;
    let (code, message) = refused(crds(&cluster).create(&anyone(), &Guestbook::crd()).await);
    assert_eq!(code, 501);
    assert!(message.contains("self.metadata.name.size() <= 63"), "{message}");
    assert!(crds(&cluster).get_opt(Guestbook::crd_name()).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn custom_resources_are_filled_in_and_held_to_their_schema() {
    let cluster = Cluster::start().await;
    let api = with_guestbooks(&cluster).await;
    let created = api.create(&anyone(), &guestbook(json!({"title": "Hello", "odd": 1}))).await.unwrap();
    assert_eq!(created.data["spec"], json!({"title": "Hello", "message": "", "replicas": 1}));

    api.delete("g", &DeleteParams::default()).await.unwrap();
    let invalid = api.create(&anyone(), &guestbook(json!({"title": "", "replicas": 11}))).await;
    let message = "Guestbook.guestbook.example.com \"g\" is invalid: [spec.replicas: Invalid value: 11: spec.replicas in body should be less \
                   than or equal to 10, spec.title: Invalid value: \"\": spec.title in body should be at least 1 chars long]";
    assert_eq!(refused(invalid), (422, message.to_owned()));
    let missing = api.create(&anyone(), &guestbook(json!({}))).await;
    let message = "Guestbook.guestbook.example.com \"g\" is invalid: spec.title: Required value";
    assert_eq!(refused(missing), (422, message.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn defaults_belong_to_nobody_who_applies() {
    let cluster = Cluster::start().await;
    let api = with_guestbooks(&cluster).await;
    let params = PatchParams::apply("operator");
    let applied = api.patch("g", &params, &Patch::Apply(guestbook(json!({"title": "Hello"})))).await.unwrap();
    assert_eq!(applied.data["spec"]["replicas"], 1);
    let noted = serde_json::to_value(applied.metadata.managed_fields.clone().unwrap()).unwrap();
    assert_eq!(noted[0]["fieldsV1"], json!({"f:spec": {"f:title": {}}}));
    let again = api.patch("g", &params, &Patch::Apply(guestbook(json!({"title": "Hello"})))).await.unwrap();
    assert_eq!(again, applied);
    let typo = api.patch("g", &params, &Patch::Apply(guestbook(json!({"title": "Hello", "odd": 1})))).await;
    let message = "failed to create typed patch object (/g; guestbook.example.com/v1, Kind=Guestbook): .spec.odd: field not declared in schema";
    assert_eq!(refused(typo), (500, message.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn conditions_of_two_managers_stand_side_by_side() {
    let cluster = Cluster::start().await;
    let api = with_guestbooks(&cluster).await;
    api.create(&anyone(), &guestbook(json!({"title": "Hello"}))).await.unwrap();
    for kind in ["Ready", "Synced"] {
        let condition = json!({"type": kind, "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"});
        let mut status = guestbook(json!({"title": "Hello"}));
        status.data = json!({"status": {"conditions": [condition]}});
        api.patch_status("g", &PatchParams::apply(kind), &Patch::Apply(status)).await.unwrap();
    }
    let live = api.get_status("g").await.unwrap();
    let kinds: Vec<&Value> = live.data["status"]["conditions"].as_array().unwrap().iter().map(|c| &c["type"]).collect();
    assert_eq!(kinds, ["Ready", "Synced"]);
    assert_eq!(live.metadata.generation, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_status_is_held_to_the_schema_too() {
    let cluster = Cluster::start().await;
    let api = with_guestbooks(&cluster).await;
    api.create(&anyone(), &guestbook(json!({"title": "Hello"}))).await.unwrap();
    let patch = Patch::Merge(json!({"status": {"conditions": [{"type": "Ready"}]}}));
    let (code, message) = refused(api.patch_status("g", &PatchParams::default(), &patch).await);
    assert_eq!(code, 422);
    assert!(message.contains("status.conditions[0].lastTransitionTime: Required value"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn with_its_crd_a_kind_and_its_objects_are_gone() {
    let cluster = Cluster::start().await;
    let api = with_guestbooks(&cluster).await;
    api.create(&anyone(), &guestbook(json!({"title": "Hello"}))).await.unwrap();
    crds(&cluster).delete(Guestbook::crd_name(), &DeleteParams::default()).await.unwrap();
    assert_eq!(refused(api.get("g").await).0, 404);
    assert!(crds(&cluster).get_opt(Guestbook::crd_name()).await.unwrap().is_none());
    crds(&cluster).create(&anyone(), &Guestbook::crd()).await.unwrap();
    assert_eq!(api.list(&ListParams::default()).await.unwrap().items, []);
}

#[tokio::test(start_paused = true)]
async fn a_crd_can_be_applied_again_and_grow_a_version() {
    let cluster = Cluster::start().await;
    cluster.leave_rules_unevaluated();
    let api = crds(&cluster);
    let params = PatchParams::apply("installer").force();
    let name = Guestbook::crd_name();
    api.patch(name, &params, &Patch::Apply(Guestbook::crd())).await.unwrap();
    let first = api.get(name).await.unwrap();
    api.patch(name, &params, &Patch::Apply(Guestbook::crd())).await.unwrap();
    assert_eq!(api.get(name).await.unwrap().metadata.resource_version, first.metadata.resource_version);

    let mut grown = Guestbook::crd();
    let mut next = grown.spec.versions[0].clone();
    next.name = "v2".to_owned();
    grown.spec.versions[0].storage = false;
    grown.spec.versions.push(next);
    let grown = api.patch(name, &params, &Patch::Apply(grown)).await.unwrap();
    assert_eq!(grown.status.unwrap().stored_versions.unwrap(), ["v1", "v2"]);
    assert_eq!(grown.metadata.generation, Some(2));
}
