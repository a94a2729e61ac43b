//! Watches, and what is built on them.

use std::pin::pin;

use futures::{Stream, StreamExt, TryStreamExt, future, stream};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::PartialObjectMeta;
use kube::runtime::wait::{Condition, await_condition};
use kube::runtime::{WatchStreamExt, predicates, reflector, watcher};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::machine::{Machine, machine};
use crate::site::{Site, config_map};

const PLAIN: fn() -> watcher::Config = watcher::Config::default;

/// Those of the use; each namespace has one of the server's own, too.
fn of_the_use() -> watcher::Config {
    PLAIN().labels("use=watching")
}

async fn labelled(site: &Site, name: &str, value: &str) -> ConfigMap {
    let mut map = config_map(name, value);
    map.labels_mut().insert("use".to_owned(), "watching".to_owned());
    site.api().create(&PostParams::default(), &map).await.unwrap()
}

async fn names<K: ResourceExt>(stream: impl Stream<Item = watcher::Result<K>>, count: usize) -> Vec<String> {
    stream.map_ok(|object| object.name_any()).take(count).try_collect().await.unwrap()
}

pub(crate) async fn a_watcher_tells_what_is_there_and_what_comes(site: Site) {
    let maps: Api<ConfigMap> = site.api();
    labelled(&site, "a", "1").await;
    let mut events = pin!(watcher(maps.clone(), of_the_use()).default_backoff());
    let mut told = Vec::new();
    while let Some(event) = events.try_next().await.unwrap() {
        match event {
            watcher::Event::Init => told.push("init".to_owned()),
            watcher::Event::InitApply(map) => told.push(format!("there {}", map.name_any())),
            watcher::Event::InitDone => {
                told.push("done".to_owned());
                labelled(&site, "b", "1").await;
                site.config_map("unlabelled", "1").await;
                let patch = Patch::Merge(json!({ "data": { "key": "2" } }));
                maps.patch("a", &PatchParams::default(), &patch).await.unwrap();
                maps.delete("b", &DeleteParams::default()).await.unwrap();
            }
            watcher::Event::Apply(map) => told.push(format!("{}={}", map.name_any(), map.data.unwrap()["key"])),
            watcher::Event::Delete(map) => {
                told.push(format!("gone {}", map.name_any()));
                break;
            }
        }
    }
    assert_eq!(told, ["init", "there a", "done", "b=1", "a=2", "gone b"]);
}

pub(crate) async fn a_reflector_keeps_a_store(site: Site) {
    let maps: Api<ConfigMap> = site.api();
    labelled(&site, "a", "1").await;
    let (reader, writer) = reflector::store();
    let mut touched = pin!(reflector(writer, watcher(maps.clone(), of_the_use())).touched_objects());
    touched.try_next().await.unwrap();
    reader.wait_until_ready().now_or_later(&mut touched).await.unwrap();
    assert_eq!(reader.state().iter().map(|map| map.name_any()).collect::<Vec<_>>(), ["a"]);
    let second = labelled(&site, "b", "2").await;
    touched.try_next().await.unwrap();
    let found = reader.get(&reflector::ObjectRef::from_obj(&second)).unwrap();
    assert_eq!(found.resource_version(), second.resource_version());
    maps.delete("b", &DeleteParams::default()).await.unwrap();
    touched.try_next().await.unwrap();
    assert_eq!(reader.len(), 1);
}

/// Waits for something while a stream is polled, which has nothing to tell meanwhile.
trait NowOrLater: Future + Sized {
    async fn now_or_later<S: Stream + Unpin>(self, stream: &mut S) -> Self::Output {
        match future::select(pin!(self), stream.next()).await {
            future::Either::Left((output, _)) => output,
            future::Either::Right(_) => panic!("the stream told something"),
        }
    }
}

impl<F: Future> NowOrLater for F {}

pub(crate) async fn metadata_alone_is_watched(site: Site) {
    labelled(&site, "a", "1").await;
    let metadata: Api<PartialObjectMeta<ConfigMap>> = Api::namespaced(site.client.clone(), &site.namespace);
    let mut objects = pin!(watcher(metadata, of_the_use()).applied_objects());
    let first = objects.try_next().await.unwrap().unwrap();
    assert_eq!((first.name_any().as_str(), first.labels()["use"].as_str()), ("a", "watching"));
    labelled(&site, "b", "1").await;
    assert_eq!(objects.try_next().await.unwrap().unwrap().name_any(), "b");
}

pub(crate) async fn only_what_a_predicate_lets_through_is_told(site: Site) {
    let machines = site.machines().await;
    machines.create(&PostParams::default(), &machine("loom")).await.unwrap();
    let applied = watcher(machines.clone(), PLAIN()).applied_objects();
    let mut changed = pin!(applied.predicate_filter(predicates::generation, Default::default()));
    assert_eq!(changed.try_next().await.unwrap().unwrap().metadata.generation, Some(1));
    for (patch, status) in [(json!({ "status": { "turning": 1 } }), true), (json!({ "spec": { "wheels": 5 } }), false)]
    {
        let (params, patch) = (PatchParams::default(), Patch::Merge(patch));
        match status {
            true => machines.patch_status("loom", &params, &patch).await.unwrap(),
            false => machines.patch("loom", &params, &patch).await.unwrap(),
        };
    }
    let next: Machine = changed.try_next().await.unwrap().unwrap();
    assert_eq!((next.metadata.generation, next.spec.wheels), (Some(2), 5), "the status alone is not told");
}

pub(crate) async fn watchers_of_several_kinds_are_one_stream(site: Site) {
    let maps = watcher(site.api::<ConfigMap>(), of_the_use()).applied_objects();
    let secrets = watcher(site.api::<Secret>(), PLAIN()).applied_objects();
    let both = stream::select(
        maps.map_ok(|map| format!("ConfigMap {}", map.name_any())).boxed(),
        secrets.map_ok(|secret| format!("Secret {}", secret.name_any())).boxed(),
    );
    labelled(&site, "a", "1").await;
    let secret: Secret = serde_json::from_value(json!({ "metadata": { "name": "b" } })).unwrap();
    site.api().create(&PostParams::default(), &secret).await.unwrap();
    let mut told: Vec<String> = both.take(2).try_collect().await.unwrap();
    told.sort();
    assert_eq!(told, ["ConfigMap a", "Secret b"]);
}

pub(crate) async fn a_condition_is_waited_for(site: Site) {
    let deployments: Api<Deployment> = site.api();
    let web = json!({
        "metadata": { "name": "web" },
        "spec": {
            "replicas": 0, "selector": { "matchLabels": { "app": "web" } },
            "template": { "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [{ "name": "web", "image": "web" }] } },
        },
    });
    let available = |web: Option<&Deployment>| {
        let conditions = web.and_then(|web| web.status.as_ref()?.conditions.as_ref());
        conditions.is_some_and(|all| all.iter().any(|one| one.type_ == "Available" && one.status == "True"))
    };
    let waiting =
        tokio::spawn(await_condition(deployments.clone(), "web", available.and(|_: Option<&Deployment>| true)));
    deployments.create(&PostParams::default(), &serde_json::from_value(web).unwrap()).await.unwrap();
    // Nobody runs it: the test says that it runs.
    let status = Patch::Merge(json!({ "status": { "conditions": [{ "type": "Available", "status": "True" }] } }));
    deployments.patch_status("web", &PatchParams::default(), &status).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().unwrap().name_any(), "web");
}

pub(crate) async fn a_long_list_is_read_in_pages(site: Site) {
    let maps: Api<ConfigMap> = site.api();
    for number in 0..7 {
        labelled(&site, &format!("map-{number}"), "1").await;
    }
    let mut page = ListParams::default().labels("use=watching").limit(3);
    let (mut pages, mut found) = (0, Vec::new());
    loop {
        let list = maps.list(&page).await.unwrap();
        pages += 1;
        found.extend(list.items.iter().map(ResourceExt::name_any));
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => break,
        }
    }
    assert_eq!((pages, found.len()), (3, 7));
    let paged = watcher(maps, of_the_use().page_size(2)).applied_objects();
    assert_eq!(names(paged, 7).await, found);
}
