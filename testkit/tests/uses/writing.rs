//! Writes of all kinds.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::entry::Entry;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::machine::{Machine, MachineStatus, machine};
use crate::site::{Site, config_map, refused};

pub(crate) async fn an_object_is_created_read_replaced_and_deleted(site: Site) {
    let machines = site.machines().await;
    let plain = PostParams::default();
    let made = machines.create(&plain, &machine("loom")).await.unwrap();
    assert_eq!(refused(machines.create(&plain, &machine("loom")).await), (409, "AlreadyExists".to_owned()));
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    machines.create(&dry, &machine("mill")).await.unwrap();
    assert!(machines.get_opt("mill").await.unwrap().is_none());

    let mut changed = machines.get("loom").await.unwrap();
    assert_eq!(changed, made);
    changed.spec.label = "Jacquard's".to_owned();
    let replaced = machines.replace("loom", &plain, &changed).await.unwrap();
    assert_eq!((replaced.metadata.generation, replaced.uid()), (Some(2), made.uid()));
    // What changes nothing is no new version.
    let again = machines.replace("loom", &plain, &replaced).await.unwrap();
    assert_eq!(again.resource_version(), replaced.resource_version());

    machines.delete("loom", &DeleteParams::default()).await.unwrap();
    assert_eq!(refused(machines.get("loom").await), (404, "NotFound".to_owned()));
}

pub(crate) async fn who_replaces_an_old_version_tries_again(site: Site) {
    let maps: Api<ConfigMap> = site.api();
    let seen = site.config_map("counter", "0").await;
    let increment = |mut map: ConfigMap| {
        let value = map.data.as_mut().unwrap().get_mut("key").unwrap();
        *value = (value.parse::<u32>().unwrap() + 1).to_string();
        map
    };
    maps.replace("counter", &PostParams::default(), &increment(seen.clone())).await.unwrap();
    let late = maps.replace("counter", &PostParams::default(), &increment(seen)).await;
    assert_eq!(refused(late), (409, "Conflict".to_owned()));
    let now = maps.get("counter").await.unwrap();
    let counted = maps.replace("counter", &PostParams::default(), &increment(now)).await.unwrap();
    assert_eq!(counted.data.unwrap()["key"], "2");
}

pub(crate) async fn patches_of_all_kinds_change_what_they_say(site: Site) {
    let deployments: Api<Deployment> = site.api();
    let container = |name: &str| json!({ "name": name, "image": "one" });
    let web = json!({
        "metadata": { "name": "web" },
        "spec": {
            "selector": { "matchLabels": { "app": "web" } },
            "template": { "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [container("web"), container("log")] } },
        },
    });
    deployments.create(&PostParams::default(), &serde_json::from_value(web).unwrap()).await.unwrap();
    let (plain, images) = (PatchParams::default(), |web: Deployment| -> Vec<_> {
        let containers = web.spec.unwrap().template.spec.unwrap().containers;
        containers.into_iter().map(|one| format!("{}: {}", one.name, one.image.unwrap_or_default())).collect()
    });

    let named = json!({ "spec": { "template": { "spec": { "containers": [{ "name": "log", "image": "two" }] } } } });
    let merged_by_name = deployments.patch("web", &plain, &Patch::Strategic(named.clone())).await.unwrap();
    assert_eq!(images(merged_by_name), ["web: one", "log: two"]);
    let patch = json!([
        { "op": "test", "path": "/spec/template/spec/containers/0/name", "value": "web" },
        { "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "three" },
    ]);
    let by_place = Patch::Json::<()>(serde_json::from_value(patch).unwrap());
    assert_eq!(images(deployments.patch("web", &plain, &by_place).await.unwrap()), ["web: three", "log: two"]);
    let replaces_the_list = deployments.patch("web", &plain, &Patch::Merge(named)).await.unwrap();
    assert_eq!(images(replaces_the_list), ["log: two"]);
    let annotation = Patch::Merge(json!({ "metadata": { "annotations": { "note": "x", "gone": null } } }));
    let metadata = deployments.patch_metadata("web", &plain, &annotation).await.unwrap().metadata;
    assert_eq!(json!(metadata.annotations), json!({ "note": "x" }));
}

pub(crate) async fn an_entry_is_inserted_once_and_modified_after(site: Site) {
    let maps: Api<ConfigMap> = site.api();
    for expected in ["first", "second"] {
        let entry = maps.entry("page").await.unwrap();
        assert_eq!(matches!(entry, Entry::Vacant(_)), expected == "first");
        let mut entry = entry
            .and_modify(|map| drop(map.data.get_or_insert_default().insert("key".to_owned(), "second".to_owned())))
            .or_insert(|| config_map("page", "first"));
        entry.commit(&PostParams::default()).await.unwrap();
        assert_eq!(maps.get("page").await.unwrap().data.unwrap()["key"], expected);
    }
}

pub(crate) async fn status_and_spec_are_written_apart(site: Site) {
    let machines = site.machines().await;
    let mut loom = machine("loom");
    loom.status = Some(MachineStatus { turning: 3 });
    let made = machines.create(&PostParams::default(), &loom).await.unwrap();
    assert_eq!(made.status, None, "a create drops it");

    let patch = Patch::Merge(json!({ "status": { "turning": 2 }, "spec": { "wheels": 9 } }));
    let told = machines.patch_status("loom", &PatchParams::default(), &patch).await.unwrap();
    assert_eq!((told.status.as_ref().map(|status| status.turning), told.spec.wheels), (Some(2), 4));
    assert_eq!(told.metadata.generation, made.metadata.generation);

    let mut told = machines.get_status("loom").await.unwrap();
    told.status = Some(MachineStatus { turning: 4 });
    let told = machines.replace_status("loom", &PostParams::default(), &told).await.unwrap();
    let mut other: Machine = told.clone();
    (other.status, other.spec.wheels) = (None, 6);
    let written = machines.replace("loom", &PostParams::default(), &other).await.unwrap();
    assert_eq!((written.status, written.spec.wheels), (Some(MachineStatus { turning: 4 }), 6));
}

pub(crate) async fn the_scale_is_read_and_set(site: Site) {
    let machines = site.machines().await;
    machines.create(&PostParams::default(), &machine("loom")).await.unwrap();
    let status = Patch::Merge(json!({ "status": { "turning": 3 } }));
    machines.patch_status("loom", &PatchParams::default(), &status).await.unwrap();
    let scale = machines.get_scale("loom").await.unwrap();
    assert_eq!((scale.spec.unwrap().replicas, scale.status.unwrap().replicas), (Some(4), 3));
    let six = Patch::Merge(json!({ "spec": { "replicas": 6 } }));
    machines.patch_scale("loom", &PatchParams::default(), &six).await.unwrap();
    let loom = machines.get("loom").await.unwrap();
    assert_eq!((loom.spec.wheels, loom.metadata.generation), (6, Some(2)));
}
