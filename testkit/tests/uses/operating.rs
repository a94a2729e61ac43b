//! What operators do that use kube-rs alone.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::events::v1::Event as Told;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::controller::Action;
use kube::runtime::events::{Event, EventType, Recorder};
use kube::runtime::finalizer::{Event as Finalizer, finalizer};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{Controller, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;

use crate::machine::{Machine, machine};
use crate::site::{Site, config_map};

const FINALIZER: &str = "uses.example.com/cleanup";

pub(crate) async fn a_finalizer_runs_before_an_object_goes(site: Site) {
    let machines = site.machines().await;
    machines.create(&PostParams::default(), &machine("loom")).await.unwrap();
    let visit = async || {
        let loom = Arc::new(machines.get("loom").await.unwrap());
        let mut told = "added";
        let done = finalizer(&machines, FINALIZER, loom, |event| {
            told = match event {
                Finalizer::Apply(_) => "applied",
                Finalizer::Cleanup(_) => "cleaned up",
            };
            async { Ok::<_, kube::Error>(Action::await_change()) }
        });
        done.await.unwrap();
        told
    };
    assert_eq!(visit().await, "added", "first of all, so that nothing is left behind");
    assert_eq!(machines.get("loom").await.unwrap().finalizers(), [FINALIZER]);
    assert_eq!(visit().await, "applied");
    machines.delete("loom", &DeleteParams::default()).await.unwrap();
    assert!(machines.get("loom").await.unwrap().metadata.deletion_timestamp.is_some());
    assert_eq!(visit().await, "cleaned up");
    assert!(machines.get_opt("loom").await.unwrap().is_none());
}

/// Keeps a page for each machine.
async fn reconcile(machine: Arc<Machine>, client: Arc<Client>) -> kube::Result<Action> {
    let namespace = machine.namespace().unwrap_or_default();
    let mut page = config_map(&machine.name_any(), &machine.spec.label);
    page.owner_references_mut().extend(machine.controller_owner_ref(&()));
    let (maps, apply) = (Api::<ConfigMap>::namespaced((*client).clone(), &namespace), PatchParams::apply("machines"));
    maps.patch(&machine.name_any(), &apply.clone().force(), &Patch::Apply(page)).await?;
    let status =
        json!({ "apiVersion": "uses.example.com/v1", "kind": "Machine", "status": { "turning": machine.spec.wheels } });
    let machines: Api<Machine> = Api::namespaced((*client).clone(), &namespace);
    machines.patch_status(&machine.name_any(), &apply.force(), &Patch::Apply(status)).await?;
    Ok(Action::await_change())
}

pub(crate) async fn a_controller_makes_and_repairs_what_its_objects_own(site: Site) {
    let (machines, maps) = (site.machines().await, site.api::<ConfigMap>());
    let controller = Controller::new(machines.clone(), watcher::Config::default())
        .owns(maps.clone(), watcher::Config::default())
        .run(reconcile, |_, _, _| Action::requeue(Duration::from_millis(100)), Arc::new(site.client.clone()));
    let running = tokio::spawn(controller.for_each(async |_| {}));

    machines.create(&PostParams::default(), &machine("loom")).await.unwrap();
    let turns =
        |count| move |loom: Option<&Machine>| loom.and_then(|loom| Some(loom.status.as_ref()?.turning)) == Some(count);
    await_condition(machines.clone(), "loom", turns(4)).await.unwrap();
    let says = |text: &'static str| {
        move |page: Option<&ConfigMap>| page.and_then(|page| page.data.as_ref()).is_some_and(|data| data["key"] == text)
    };
    await_condition(maps.clone(), "loom", says("the loom")).await.unwrap();
    let vandalism = Patch::Merge(json!({ "data": { "key": "mine" } }));
    maps.patch("loom", &PatchParams::default(), &vandalism).await.unwrap();
    await_condition(maps.clone(), "loom", says("the loom")).await.unwrap();
    maps.delete("loom", &DeleteParams::default()).await.unwrap();
    await_condition(maps.clone(), "loom", says("the loom")).await.unwrap();
    let wheels = Patch::Merge(json!({ "spec": { "wheels": 6 } }));
    machines.patch("loom", &PatchParams::default(), &wheels).await.unwrap();
    await_condition(machines.clone(), "loom", turns(6)).await.unwrap();

    let uid = maps.get("loom").await.unwrap().uid().unwrap();
    machines.delete("loom", &DeleteParams::default()).await.unwrap();
    await_condition(maps, "loom", conditions::is_deleted(&uid)).await.unwrap();
    running.abort();
}

pub(crate) async fn an_event_is_recorded(site: Site) {
    let machines = site.machines().await;
    let loom = machines.create(&PostParams::default(), &machine("loom")).await.unwrap();
    let recorder = Recorder::new(site.client.clone(), "uses".into());
    let started = Event {
        type_: EventType::Normal,
        reason: "Started".to_owned(),
        note: Some("it turns".to_owned()),
        action: "Start".to_owned(),
        secondary: None,
    };
    // Twice the same is a series, one object.
    for _ in 0..2 {
        recorder.publish(&started, &loom.object_ref(&())).await.unwrap();
    }
    let events = site.api::<Told>().list(&ListParams::default()).await.unwrap().items;
    let [event] = events.as_slice() else { panic!("{} events: {events:#?}", events.len()) };
    assert_eq!((event.reason.as_deref(), event.note.as_deref()), (Some("Started"), Some("it turns")));
    assert_eq!(event.regarding.as_ref().and_then(|object| object.uid.as_ref()), loom.uid().as_ref());
    assert_eq!(event.series.as_ref().map(|series| series.count), Some(2));
}
