//! Kinds that a program brings along.

use kube::api::{DeleteParams, DynamicObject, ListParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::wait::delete::delete_and_finalize;
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::machine::{Machine, machine};
use crate::site::{Site, refused};

pub(crate) async fn a_kind_is_registered_and_waited_for(site: Site) {
    let machines = site.machines().await;
    let made = machines.create(&PostParams::default(), &machine("loom")).await.unwrap();
    assert_eq!((made.spec.label.as_str(), made.metadata.generation), ("the loom", Some(1)));
    // Once more, as at the next start of the program.
    let machines = [machines, site.machines().await];
    assert_eq!(machines[1].list(&ListParams::default()).await.unwrap().items, [made]);
}

pub(crate) async fn what_the_schema_says_is_filled_in_and_enforced(site: Site) {
    let machines = site.machines().await;
    let resource = ApiResource::erase::<Machine>(&());
    let untyped: Api<DynamicObject> = Api::namespaced_with(site.client.clone(), &site.namespace, &resource);
    let bare = DynamicObject::new("bare", &resource).data(json!({ "spec": { "label": "x", "unknown": 1 } }));
    untyped.create(&PostParams::default(), &bare).await.unwrap();
    let bare = untyped.get("bare").await.unwrap();
    assert_eq!(bare.data["spec"], json!({ "label": "x", "wheels": 4 }), "filled in, and pruned");

    let mut wrong = machine("wrong");
    wrong.spec.wheels = 19;
    assert_eq!(refused(machines.create(&PostParams::default(), &wrong).await), (422, "Invalid".to_owned()));
    let mistyped = DynamicObject::new("mistyped", &resource).data(json!({ "spec": { "label": 1 } }));
    assert_eq!(refused(untyped.create(&PostParams::default(), &mistyped).await), (422, "Invalid".to_owned()));
    assert!(machines.get_opt("wrong").await.unwrap().is_none());
}

pub(crate) async fn a_registration_goes_with_its_objects(site: Site) {
    let crd = serde_json::from_value(json!({
        "metadata": { "name": "widgets.going.example.com" },
        "spec": {
            "group": "going.example.com", "scope": "Namespaced", "names": { "plural": "widgets", "kind": "Widget" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": { "type": "object" } } }],
        },
    }));
    let crd = site.crds().create(&PostParams::default(), &crd.unwrap()).await.unwrap();
    let name = crd.name_any();
    await_condition(site.crds(), &name, conditions::is_crd_established()).await.unwrap();
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("going.example.com", "v1", "Widget"));
    let widgets: Api<DynamicObject> = Api::namespaced_with(site.client.clone(), &site.namespace, &resource);
    widgets.create(&PostParams::default(), &DynamicObject::new("a", &resource)).await.unwrap();

    delete_and_finalize(site.crds(), &name, &DeleteParams::default()).await.unwrap();
    assert!(site.crds().get_opt(&name).await.unwrap().is_none());
    assert_eq!(refused(widgets.list(&ListParams::default()).await).0, 404);
}
