//! What a write changes, and what it must not.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use kubeops_testkit::Cluster;
use serde_json::json;

use crate::given::{config_map, config_maps, refused, thing, with_things};

#[tokio::test(start_paused = true)]
async fn a_write_that_changes_nothing_keeps_its_version() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let created = api.create(&PostParams::default(), &config_map("x", json!({}))).await.unwrap();
    let replaced = api.replace("x", &PostParams::default(), &created).await.unwrap();
    let patch = Patch::Merge(json!({"data": {"key": "1"}}));
    let patched = api.patch("x", &PatchParams::default(), &patch).await.unwrap();
    assert_eq!(replaced.metadata.resource_version, created.metadata.resource_version);
    assert_eq!(patched.metadata.resource_version, created.metadata.resource_version);
}

#[tokio::test(start_paused = true)]
async fn what_only_the_server_says_cannot_be_set() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let forged = json!({"metadata": {
        "uid": "mine", "creationTimestamp": "2000-01-01T00:00:00Z", "deletionTimestamp": "2000-01-01T00:00:00Z",
    }});
    let created = api.create(&PostParams::default(), &config_map("x", forged)).await.unwrap();
    assert_ne!(created.metadata.uid.as_deref(), Some("mine"));
    assert!(created.metadata.deletion_timestamp.is_none());
    let uid = Patch::Merge(json!({"metadata": {"uid": "mine"}}));
    assert_eq!(refused(api.patch("x", &PatchParams::default(), &uid).await).0, 422);
    let time = Patch::Merge(json!({"metadata": {"deletionTimestamp": "2000-01-01T00:00:00Z"}}));
    assert_eq!(refused(api.patch("x", &PatchParams::default(), &time).await).0, 422);
    assert_eq!(api.get("x").await.unwrap().metadata, created.metadata);
}

#[tokio::test(start_paused = true)]
async fn status_and_spec_are_written_apart() {
    let cluster = Cluster::start().await;
    let api = with_things(&cluster).await;
    let created = api.create(&PostParams::default(), &thing("t", json!({"status": {"forged": 1}}))).await.unwrap();
    assert!(created.data.get("status").is_none());

    let both = Patch::Merge(json!({"spec": {"a": 2}, "status": {"n": 1}}));
    let spec = api.patch("t", &PatchParams::default(), &both).await.unwrap();
    assert_eq!((&spec.data["spec"], spec.data.get("status")), (&json!({"a": 2}), None));
    assert_eq!(spec.metadata.generation, Some(2));

    let both = Patch::Merge(json!({"spec": {"a": 3}, "status": {"n": 1}, "metadata": {"labels": {"l": "1"}}}));
    let status = api.patch_status("t", &PatchParams::default(), &both).await.unwrap();
    assert_eq!((&status.data["spec"], &status.data["status"]), (&json!({"a": 2}), &json!({"n": 1})));
    assert_eq!((status.metadata.generation, status.metadata.labels), (Some(2), None));
}

#[tokio::test(start_paused = true)]
async fn labels_do_not_count_as_a_generation() {
    let cluster = Cluster::start().await;
    let api = with_things(&cluster).await;
    api.create(&PostParams::default(), &thing("t", json!({}))).await.unwrap();
    let labels = Patch::Merge(json!({"metadata": {"labels": {"l": "1"}}}));
    let labelled = api.patch("t", &PatchParams::default(), &labels).await.unwrap();
    assert_eq!(labelled.metadata.generation, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_custom_resource_is_updated_only_by_version() {
    let cluster = Cluster::start().await;
    let api = with_things(&cluster).await;
    api.create(&PostParams::default(), &thing("t", json!({}))).await.unwrap();
    let (code, message) = refused(api.replace("t", &PostParams::default(), &thing("t", json!({}))).await);
    assert_eq!(code, 422);
    let expected = "things.example.com \"t\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update";
    assert_eq!(message, expected);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_changes_nothing() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let named = config_map("x", json!({"metadata": {"name": null, "generateName": "x-"}}));
    let tried = api.create(&dry, &named).await.unwrap();
    assert!(tried.metadata.name.unwrap().starts_with("x-") && tried.metadata.resource_version.is_none());
    assert!(api.list(&Default::default()).await.unwrap().items.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_generated_name_is_the_prefix_and_five_letters() {
    let cluster = Cluster::start().await;
    let named = config_map("x", json!({"metadata": {"name": null, "generateName": "web-"}}));
    let created = config_maps(&cluster).create(&PostParams::default(), &named).await.unwrap();
    let name = created.metadata.name.unwrap();
    assert!(name.starts_with("web-") && name.len() == "web-".len() + 5, "{name}");
}

#[tokio::test(start_paused = true)]
async fn a_json_patch_whose_test_fails_is_refused() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    api.create(&PostParams::default(), &config_map("x", json!({}))).await.unwrap();
    let patch = |value: &str| {
        let operations = json!([{"op": "test", "path": "/data/key", "value": value}, {"op": "replace", "path": "/data/key", "value": "2"}]);
        Patch::<ConfigMap>::Json(serde_json::from_value(operations).unwrap())
    };
    let refusal = refused(api.patch("x", &PatchParams::default(), &patch("9")).await);
    assert_eq!(refusal, (422, "the server rejected our request due to an error in our request".to_owned()));
    let patched = api.patch("x", &PatchParams::default(), &patch("1")).await.unwrap();
    assert_eq!(patched.data.unwrap()["key"], "2");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_created_where_there_is_no_namespace() {
    let cluster = Cluster::start().await;
    let api: Api<ConfigMap> = Api::namespaced(cluster.client("a"), "nowhere");
    let refusal = refused(api.create(&PostParams::default(), &config_map("x", json!({}))).await);
    assert_eq!(refusal, (404, "namespaces \"nowhere\" not found".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn scale_writes_the_replicas() {
    let cluster = Cluster::start().await;
    let api: Api<Deployment> = Api::namespaced(cluster.client("a"), "default");
    let deployment =
        json!({"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {}}});
    api.create(&PostParams::default(), &serde_json::from_value(deployment).unwrap()).await.unwrap();
    let patch = Patch::Merge(json!({"spec": {"replicas": 3}}));
    let scale = api.patch_scale("d", &PatchParams::default(), &patch).await.unwrap();
    assert_eq!(scale.status.unwrap().selector.as_deref(), Some("a=b"));
    let deployment = api.get("d").await.unwrap();
    assert_eq!((deployment.spec.unwrap().replicas, deployment.metadata.generation), (Some(3), Some(2)));
}

#[tokio::test(start_paused = true)]
async fn what_no_type_knows_is_dropped_or_refused() {
    let cluster = Cluster::start().await;
    let client = cluster.client("a");
    let body = r#"{"metadata":{"name":"x"},"data":{"a":"b"},"bogus":1}"#;
    let post = |query: &str| {
        let uri = format!("/api/v1/namespaces/default/configmaps{query}");
        http::Request::post(uri).body(body.as_bytes().to_vec()).unwrap()
    };
    let refusal = refused(client.request::<ConfigMap>(post("?fieldValidation=Strict")).await);
    let expected =
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"bogus\"";
    assert_eq!(refusal, (400, expected.to_owned()));
    let created: serde_json::Value = client.request(post("")).await.unwrap();
    assert!(created.get("bogus").is_none() && created["data"]["a"] == "b");
}
