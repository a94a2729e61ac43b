//! What the tests start from.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kubeops_testkit::Cluster;
use serde_json::{Value, json};

pub(crate) fn config_maps(cluster: &Cluster) -> Api<ConfigMap> {
    Api::namespaced(cluster.client("a"), "default")
}

pub(crate) fn config_map(name: &str, more: Value) -> ConfigMap {
    let mut value = json!({"metadata": {"name": name}, "data": {"key": "1"}});
    json_patch::merge(&mut value, &more);
    serde_json::from_value(value).unwrap()
}

/// The API of a kind that nothing in this program has a type for.
pub(crate) fn things(cluster: &Cluster) -> Api<DynamicObject> {
    let gvk = GroupVersionKind::gvk("example.com", "v1", "Thing");
    Api::namespaced_with(cluster.client("a"), "default", &ApiResource::from_gvk_with_plural(&gvk, "things"))
}

pub(crate) fn thing(name: &str, more: Value) -> DynamicObject {
    let mut value =
        json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": name}, "spec": {"a": 1}});
    json_patch::merge(&mut value, &more);
    serde_json::from_value(value).unwrap()
}

/// Registers Things, which have a status of their own.
pub(crate) async fn with_things(cluster: &Cluster) -> Api<DynamicObject> {
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing", "singular": "thing", "listKind": "ThingList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": open, "status": open}}},
            }],
        },
    });
    let crds: Api<DynamicObject> = Api::all_with(
        cluster.client("a"),
        &ApiResource::from_gvk(&GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition")),
    );
    crds.create(&PostParams::default(), &serde_json::from_value(crd).unwrap()).await.unwrap();
    things(cluster)
}

/// The code and the message of an error that the API gave.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, kube::Error>) -> (u16, String) {
    match result.unwrap_err() {
        kube::Error::Api(status) => (status.code, status.message),
        other => panic!("the API should have refused it: {other:?}"),
    }
}
