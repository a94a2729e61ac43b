//! Server-side apply.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::site::{Site, refused};

fn page(data: Value) -> Patch<Value> {
    Patch::Apply(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "page" }, "data": data }))
}

fn data(map: ConfigMap) -> Value {
    json!(map.data)
}

pub(crate) async fn two_managers_share_an_object_and_quarrel_about_a_field(site: Site) {
    let maps: Api<ConfigMap> = site.api();
    let (one, other) = (PatchParams::apply("one"), PatchParams::apply("other"));
    maps.patch("page", &one, &page(json!({ "title": "one's" }))).await.unwrap();
    let shared = maps.patch("page", &other, &page(json!({ "text": "other's" }))).await.unwrap();
    assert_eq!(data(shared.clone()), json!({ "title": "one's", "text": "other's" }));
    let managers: Vec<_> = shared.metadata.managed_fields.unwrap().into_iter().filter_map(|by| by.manager).collect();
    assert_eq!(managers, ["one", "other"]);

    let taken = page(json!({ "title": "other's", "text": "other's" }));
    assert_eq!(refused(maps.patch("page", &other, &taken).await), (409, "Conflict".to_owned()));
    let forced = maps.patch("page", &other.clone().force(), &taken).await.unwrap();
    assert_eq!(data(forced), json!({ "title": "other's", "text": "other's" }));
}

pub(crate) async fn what_a_manager_no_longer_applies_goes(site: Site) {
    let maps: Api<ConfigMap> = site.api();
    let (one, other) = (PatchParams::apply("one"), PatchParams::apply("other"));
    let first = maps.patch("page", &one, &page(json!({ "title": "x", "text": "y" }))).await.unwrap();
    let again = maps.patch("page", &one, &page(json!({ "title": "x", "text": "y" }))).await.unwrap();
    assert_eq!(again.metadata.resource_version, first.metadata.resource_version, "nothing changed");
    maps.patch("page", &other, &page(json!({ "text": "y" }))).await.unwrap();
    let shared = maps.patch("page", &one, &page(json!({}))).await.unwrap();
    assert_eq!(data(shared), json!({ "text": "y" }), "the other still wants it");
    let none = maps.patch("page", &other, &page(json!({}))).await.unwrap();
    assert_eq!(data(none), Value::Null);
}
