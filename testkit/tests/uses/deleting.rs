//! Deletions, and what they take along.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams, PostParams, Preconditions};
use kube::runtime::wait::{await_condition, conditions, delete};
use kube::{Api, Resource, ResourceExt};

use crate::machine::machine;
use crate::site::{Site, config_map, refused};

pub(crate) async fn a_deletion_is_waited_for(site: Site) {
    let maps: Api<ConfigMap> = site.api();
    let uid = site.config_map("page", "1").await.uid();
    let of_another = Preconditions { uid: Some("another".to_owned()), resource_version: None };
    let wrong = DeleteParams { preconditions: Some(of_another), ..DeleteParams::default() };
    assert_eq!(refused(maps.delete("page", &wrong).await), (409, "Conflict".to_owned()));
    delete::delete_and_finalize(maps.clone(), "page", &DeleteParams::default()).await.unwrap();
    assert!(maps.get_opt("page").await.unwrap().is_none());
    // Another one of its name is another.
    let next = site.config_map("page", "2").await;
    await_condition(maps, "page", conditions::is_deleted(&uid.unwrap())).await.unwrap();
    assert!(next.uid().is_some());
}

pub(crate) async fn a_collection_is_deleted_by_its_labels(site: Site) {
    let maps: Api<ConfigMap> = site.api();
    for (name, color) in [("a", "red"), ("b", "blue"), ("c", "red")] {
        let mut map = config_map(name, "1");
        map.labels_mut().insert("color".to_owned(), color.to_owned());
        maps.create(&PostParams::default(), &map).await.unwrap();
    }
    let red = ListParams::default().labels("color=red");
    maps.delete_collection(&DeleteParams::default(), &red).await.unwrap();
    let colored = maps.list(&ListParams::default().labels("color")).await.unwrap();
    assert_eq!(colored.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>(), ["b"]);
}

pub(crate) async fn children_know_their_owner(site: Site) {
    let (machines, maps) = (site.machines().await, site.api::<ConfigMap>());
    let loom = machines.create(&PostParams::default(), &machine("loom")).await.unwrap();
    let mut child = config_map("page", "1");
    child.owner_references_mut().push(loom.controller_owner_ref(&()).unwrap());
    let child = maps.create(&PostParams::default(), &child).await.unwrap();
    let [owner] = child.owner_references() else { panic!("one owner") };
    assert_eq!((owner.kind.as_str(), Some(&owner.uid), owner.controller), ("Machine", loom.uid().as_ref(), Some(true)));
    machines.delete("loom", &DeleteParams::background()).await.unwrap();
    await_condition(maps, "page", conditions::is_deleted(&child.uid().unwrap())).await.unwrap();
}
