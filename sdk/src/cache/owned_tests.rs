//! Owned kinds against a scripted API server, in tokio's paused time.

use std::sync::Mutex;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::core::ApiResource;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::cache::fake_api::{FakeApi, settle};
use crate::cache::{Caches, Selectors, Store};
use crate::metrics::Metrics;

struct Bench {
    cache: OwnedCache,
    told: Arc<Mutex<Vec<String>>>,
    _stop: tokio_util::sync::DropGuard,
}

impl Bench {
    async fn start(api: &FakeApi) -> Self {
        let caches = Caches::new(api.client(), Vec::new(), Metrics::new());
        let cache = caches.owned(&ApiResource::erase::<ConfigMap>(&()), true);
        let told = Arc::new(Mutex::new(Vec::new()));
        let log = told.clone();
        cache.subscribe(move |change| log.lock().unwrap().push(describe(change)));
        let stop = CancellationToken::new();
        let its_stop = stop.clone();
        tokio::spawn(async move { caches.run(its_stop).await });
        settle().await;
        Self { cache, told, _stop: stop.drop_guard() }
    }

    async fn told(&self) -> Vec<String> {
        settle().await;
        std::mem::take(&mut self.told.lock().unwrap())
    }
}

fn describe(change: &OwnedChange) -> String {
    let sign = if change.deleted { '-' } else { '+' };
    let OwnedChange { owner, namespace, name, kind, .. } = change;
    format!("{sign}{kind} {}/{name} of {} {}", namespace.as_deref().unwrap_or_default(), owner.kind, owner.name)
}

fn owned_by(owner: &str) -> Value {
    let one = |name: &str, controller| json!({"apiVersion": "example.com/v1", "kind": "Page", "name": name, "uid": name, "controller": controller});
    json!({"ownerReferences": [one("other", false), one(owner, true)]})
}

fn page(api: &FakeApi, name: &str, owner: &str) {
    api.put_with("default", name, owned_by(owner), json!({}));
}

#[tokio::test(start_paused = true)]
async fn the_controller_owner_is_told_of_all_that_happens_to_its_objects() {
    let api = FakeApi::new();
    page(&api, "listed", "one");
    let bench = Bench::start(&api).await;
    page(&api, "new", "two");
    page(&api, "listed", "one");
    api.delete("default", "new");
    let expected = [
        "+ConfigMap default/listed of Page one",
        "+ConfigMap default/new of Page two",
        "+ConfigMap default/listed of Page one",
        "-ConfigMap default/new of Page two",
    ];
    assert_eq!(bench.told().await, expected);
    assert_eq!(bench.cache.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_metadata_is_asked_for() {
    let api = FakeApi::new();
    let _bench = Bench::start(&api).await;
    assert!(api.seen("list")[0].accept.contains("as=PartialObjectMetadataList"));
    assert!(api.seen("watch")[0].accept.contains("as=PartialObjectMetadata;"));
}

#[tokio::test(start_paused = true)]
async fn a_changed_owner_is_told_to_both() {
    let api = FakeApi::new();
    page(&api, "a", "one");
    let bench = Bench::start(&api).await;
    bench.told().await;
    page(&api, "a", "two");
    let expected = ["-ConfigMap default/a of Page one", "+ConfigMap default/a of Page two"];
    assert_eq!(bench.told().await, expected);
}

#[tokio::test(start_paused = true)]
async fn objects_without_a_controller_are_not_kept_and_those_that_gain_or_lose_one_are_told() {
    let api = FakeApi::new();
    api.put("default", "a", json!({}));
    let bench = Bench::start(&api).await;
    assert_eq!((bench.told().await, bench.cache.len()), (Vec::new(), 0));
    page(&api, "a", "one");
    assert_eq!(bench.told().await, ["+ConfigMap default/a of Page one"]);
    api.put("default", "a", json!({}));
    assert_eq!(bench.told().await, ["-ConfigMap default/a of Page one"]);
    assert!(bench.cache.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_new_list_tells_what_changed_meanwhile_and_nothing_else() {
    let api = FakeApi::new();
    for name in ["same", "deleted", "replaced"] {
        page(&api, name, "one");
    }
    let bench = Bench::start(&api).await;
    bench.told().await;
    api.fail("watch", 503);
    api.cut();
    settle().await;
    api.delete("default", "deleted");
    api.delete("default", "replaced");
    page(&api, "replaced", "one");
    api.compact();
    api.mend();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let mut told = bench.told().await;
    told.sort();
    let expected = [
        "+ConfigMap default/replaced of Page one",
        "-ConfigMap default/deleted of Page one",
        "-ConfigMap default/replaced of Page one",
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn a_cache_of_whole_objects_tells_their_owners_the_same_and_has_in_its_store_what_it_tells() {
    let api = FakeApi::new();
    page(&api, "listed", "one");
    api.put("default", "free", json!({}));
    let caches = Caches::new(api.client(), Vec::new(), Metrics::new());
    let (owned, whole) =
        (caches.owned(&ApiResource::erase::<ConfigMap>(&()), true), caches.typed(Selectors::default()));
    let told = [(); 2].map(|()| Arc::new(Mutex::new(Vec::new())));
    let [by_owned, by_whole] = told.clone();
    let store: Store<ConfigMap> = whole.store();
    owned.subscribe(move |change| by_owned.lock().unwrap().push(describe(change)));
    whole.subscribe_owned(move |change| {
        by_whole.lock().unwrap().push(describe(change));
        let key = Key { namespace: change.namespace.clone(), name: change.name.clone() };
        let stored = store.get(&key).and_then(|object| object.metadata.resource_version.clone());
        assert!(
            change.deleted || stored.as_deref() == Some(&*change.resource_version),
            "{change:?} and not {stored:?}"
        );
    });
    let running = tokio::spawn(async move { caches.run(CancellationToken::new()).await });
    settle().await;
    page(&api, "listed", "one");
    page(&api, "listed", "two");
    page(&api, "free", "one");
    api.put("default", "listed", json!({}));
    api.delete("default", "free");
    settle().await;
    let [by_owned, by_whole] = told.map(|told| std::mem::take(&mut *told.lock().unwrap()));
    assert_eq!(by_owned.len(), 7);
    assert_eq!(by_whole, by_owned);
    assert!(!running.is_finished());
}
