//! Programs that know kinds by name only.

use kube::api::{DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::discovery::{self, Discovery, Scope, verbs};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::machine::machine;
use crate::site::Site;

pub(crate) async fn a_kind_is_found_by_its_name_and_used_without_a_type(site: Site) {
    site.machines().await.create(&PostParams::default(), &machine("loom")).await.unwrap();
    let gvk = GroupVersionKind::gvk("uses.example.com", "v1", "Machine");
    let (resource, capabilities) = discovery::pinned_kind(&site.client, &gvk).await.unwrap();
    assert_eq!((resource.plural.as_str(), &capabilities.scope), ("machines", &Scope::Namespaced));
    assert!(
        capabilities.supports_operation(verbs::WATCH)
            && capabilities.subresources.iter().any(|(sub, _)| sub.plural.ends_with("status"))
    );
    let machines: Api<DynamicObject> = Api::namespaced_with(site.client.clone(), &site.namespace, &resource);
    assert_eq!(machines.get("loom").await.unwrap().data["spec"]["wheels"], 4);
}

pub(crate) async fn all_that_is_served_is_found(site: Site) {
    site.machines().await;
    // Another use deletes the kind of that group.
    let discovery = Discovery::new(site.client.clone()).exclude(&["going.example.com"]).run().await.unwrap();
    let mut found: Vec<String> = Vec::new();
    for group in discovery.groups() {
        for (resource, capabilities) in group.recommended_resources() {
            if !capabilities.supports_operation(verbs::LIST) || capabilities.scope != Scope::Namespaced {
                continue;
            }
            let api: Api<DynamicObject> = Api::namespaced_with(site.client.clone(), &site.namespace, &resource);
            let listed = api.list(&ListParams::default().limit(1)).await;
            assert!(listed.is_ok(), "{}: {listed:?}", resource.kind);
            found.push(format!("{}/{}", resource.api_version, resource.kind));
        }
    }
    for kind in ["v1/ConfigMap", "apps/v1/Deployment", "coordination.k8s.io/v1/Lease", "uses.example.com/v1/Machine"] {
        assert!(found.iter().any(|found| found == kind), "no {kind} in {found:?}");
    }
}

pub(crate) async fn yaml_of_any_kinds_is_applied(site: Site) {
    const YAML: &str = "
apiVersion: v1
kind: ConfigMap
metadata: { name: page }
data: { title: Hello }
---
apiVersion: uses.example.com/v1
kind: Machine
metadata: { name: loom }
spec: { label: Jacquard }
";
    let machines = site.machines().await;
    let discovery = Discovery::new(site.client.clone()).run().await.unwrap();
    for _ in ["made", "unchanged"] {
        for document in serde_saphyr::from_multiple::<Value>(YAML).unwrap() {
            let object: DynamicObject = serde_json::from_value(document.clone()).unwrap();
            let gvk = GroupVersionKind::try_from(object.types.as_ref().unwrap()).unwrap();
            let (resource, _) = discovery.resolve_gvk(&gvk).unwrap();
            let api: Api<DynamicObject> = Api::namespaced_with(site.client.clone(), &site.namespace, &resource);
            let applied = api.patch(&object.name_any(), &PatchParams::apply("uses"), &Patch::Apply(&document)).await;
            assert_eq!(applied.unwrap().name_any(), object.name_any());
        }
    }
    let loom = machines.get("loom").await.unwrap();
    assert_eq!((loom.spec.label.as_str(), loom.spec.wheels, loom.metadata.generation), ("Jacquard", 4, Some(1)));
    let page = site.api::<k8s_openapi::api::core::v1::ConfigMap>().get("page").await.unwrap();
    assert_eq!(json!(page.data), json!({ "title": "Hello" }));
}
