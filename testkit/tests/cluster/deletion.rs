//! How objects go, and what goes with them.

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy};
use kube::{Api, Resource};
use kubeops_testkit::Cluster;
use serde_json::json;

use crate::given::{config_map, config_maps, refused, thing, things, with_things};

async fn names(api: &Api<ConfigMap>) -> Vec<String> {
    let list = api.list(&ListParams::default()).await.unwrap();
    list.into_iter().filter_map(|object| object.metadata.name).collect()
}

fn owned_by(owner: &ConfigMap, name: &str) -> ConfigMap {
    let mut reference = serde_json::to_value(owner.owner_ref(&()).unwrap()).unwrap();
    reference["blockOwnerDeletion"] = true.into();
    config_map(name, json!({"metadata": {"ownerReferences": [reference]}}))
}

#[tokio::test(start_paused = true)]
async fn finalizers_keep_an_object_until_the_last_is_gone() {
    let cluster = Cluster::start().await;
    let api = with_things(&cluster).await;
    let finalizers = json!({"metadata": {"finalizers": ["example.com/a"]}});
    api.create(&PostParams::default(), &thing("t", finalizers)).await.unwrap();
    let terminating = api.delete("t", &DeleteParams::default()).await.unwrap().left().unwrap();
    assert_eq!(terminating.metadata.generation, Some(2), "deletion counts as a change of what is wished");
    assert!(terminating.metadata.deletion_timestamp.is_some());

    let again = api.delete("t", &DeleteParams::default()).await.unwrap().left().unwrap();
    assert_eq!(again.metadata, terminating.metadata);

    let more = Patch::Merge(json!({"metadata": {"finalizers": ["example.com/a", "example.com/b"]}}));
    let (code, message) = refused(api.patch("t", &PatchParams::default(), &more).await);
    assert_eq!(code, 422);
    assert!(message.contains("no new finalizers can be added if the object is being deleted"), "{message}");

    let none = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    api.patch("t", &PatchParams::default(), &none).await.unwrap();
    assert!(api.get_opt("t").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn preconditions_guard_against_deleting_another() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let created = api.create(&PostParams::default(), &config_map("x", json!({}))).await.unwrap();
    let only = |uid: &str| {
        let preconditions = Preconditions { uid: Some(uid.to_owned()), ..Preconditions::default() };
        DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() }
    };
    assert_eq!(refused(api.delete("x", &only("another")).await).0, 409);
    api.delete("x", &only(&created.metadata.uid.unwrap())).await.unwrap();
    assert!(names(&api).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_belongs_to_a_deleted_object_goes_too() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let owner = api.create(&PostParams::default(), &config_map("owner", json!({}))).await.unwrap();
    let child = api.create(&PostParams::default(), &owned_by(&owner, "child")).await.unwrap();
    api.create(&PostParams::default(), &owned_by(&child, "grandchild")).await.unwrap();
    api.delete("owner", &DeleteParams::background()).await.unwrap();
    assert!(names(&api).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn orphans_stay_without_their_owner() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let owner = api.create(&PostParams::default(), &config_map("owner", json!({}))).await.unwrap();
    api.create(&PostParams::default(), &owned_by(&owner, "child")).await.unwrap();
    let orphan = DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() };
    api.delete("owner", &orphan).await.unwrap();
    assert_eq!(names(&api).await, ["child"]);
    assert!(api.get("child").await.unwrap().metadata.owner_references.is_none());
}

#[tokio::test(start_paused = true)]
async fn in_the_foreground_an_owner_waits_for_what_blocks_it() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let owner = api.create(&PostParams::default(), &config_map("owner", json!({}))).await.unwrap();
    let mut child = owned_by(&owner, "child");
    child.metadata.finalizers = Some(vec!["example.com/a".to_owned()]);
    api.create(&PostParams::default(), &child).await.unwrap();
    api.delete("owner", &DeleteParams::foreground()).await.unwrap();
    let waiting = api.get("owner").await.unwrap();
    assert_eq!(waiting.metadata.finalizers.unwrap(), ["foregroundDeletion"]);
    assert!(api.get("child").await.unwrap().metadata.deletion_timestamp.is_some());

    let none = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    api.patch("child", &PatchParams::default(), &none).await.unwrap();
    assert!(names(&api).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_object_whose_owner_never_was_goes() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let mut owner = config_map("owner", json!({}));
    owner.metadata.uid = Some("11111111-1111-4111-8111-111111111111".to_owned());
    api.create(&PostParams::default(), &owned_by(&owner, "child")).await.unwrap();
    assert!(names(&api).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_namespace_takes_along_what_is_in_it() {
    let cluster = Cluster::start().await;
    let namespaces: Api<Namespace> = Api::all(cluster.client("a"));
    let namespace = serde_json::from_value(json!({"metadata": {"name": "n"}})).unwrap();
    namespaces.create(&PostParams::default(), &namespace).await.unwrap();
    let inside: Api<ConfigMap> = Api::namespaced(cluster.client("a"), "n");
    let kept = json!({"metadata": {"finalizers": ["example.com/a"]}});
    inside.create(&PostParams::default(), &config_map("kept", kept)).await.unwrap();
    inside.create(&PostParams::default(), &config_map("x", json!({}))).await.unwrap();

    namespaces.delete("n", &DeleteParams::default()).await.unwrap();
    assert_eq!(names(&inside).await, ["kept"]);
    let phase = namespaces.get("n").await.unwrap().status.unwrap().phase;
    assert_eq!(phase.as_deref(), Some("Terminating"));
    let (code, message) = refused(inside.create(&PostParams::default(), &config_map("y", json!({}))).await);
    assert_eq!(code, 403, "{message}");

    let none = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    inside.patch("kept", &PatchParams::default(), &none).await.unwrap();
    assert!(namespaces.get_opt("n").await.unwrap().is_none());
    assert_eq!(refused(namespaces.delete("default", &DeleteParams::default()).await).0, 403);
}

#[tokio::test(start_paused = true)]
async fn a_crd_takes_along_its_objects() {
    let cluster = Cluster::start().await;
    let api = with_things(&cluster).await;
    api.create(&PostParams::default(), &thing("t", json!({}))).await.unwrap();
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com";
    let delete = http::Request::delete(path).body(Vec::new()).unwrap();
    cluster.client("a").request::<serde_json::Value>(delete).await.unwrap();
    assert_eq!(refused(things(&cluster).list(&ListParams::default()).await).0, 404);
    with_things(&cluster).await;
    assert!(things(&cluster).list(&ListParams::default()).await.unwrap().items.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_collection_is_deleted_by_selector() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    for (name, label) in [("x", "1"), ("y", "2"), ("z", "1")] {
        let labels = json!({"metadata": {"labels": {"l": label}}});
        api.create(&PostParams::default(), &config_map(name, labels)).await.unwrap();
    }
    api.delete_collection(&DeleteParams::default(), &ListParams::default().labels("l=1")).await.unwrap();
    assert_eq!(names(&api).await, ["y"]);
}
