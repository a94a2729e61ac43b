//! Owned kinds of a cluster in memory, in tokio's paused time.

use std::sync::Mutex;
use std::time::Duration;

use http::Request;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::DeleteParams;
use kube::client::Body;
use kube::core::ApiResource;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::*;
use crate::cache::scene::{Scene, metadata, settle};
use crate::cache::{Caches, Selectors, Store};
use crate::metrics::Metrics;

struct Bench {
    cache: OwnedCache,
    told: Arc<Mutex<Vec<String>>>,
    _stop: tokio_util::sync::DropGuard,
}

impl Bench {
    async fn start(api: &Scene) -> Self {
        Self::start_with(api.client()).await
    }

    async fn start_with(client: Client) -> Self {
        let caches = Caches::new(client, Vec::new(), Metrics::new());
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
    metadata(&json!({"ownerReferences": [one("other", false), one(owner, true)]}))
}

/// Each time with other data, because what changes nothing is told nobody.
async fn page(api: &Scene, name: &str, owner: &str) {
    let mut page = owned_by(owner);
    page["data"] = json!({ "said": api.0.requests().len().to_string() });
    api.apply::<ConfigMap>("default", name, page).await;
}

/// One that nobody owns.
async fn free(api: &Scene, name: &str) {
    api.apply::<ConfigMap>("default", name, json!({})).await;
}

async fn delete(api: &Scene, name: &str) {
    api.api::<ConfigMap>("default").delete(name, &DeleteParams::default()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_controller_owner_is_told_of_all_that_happens_to_its_objects() {
    let api = Scene::start().await;
    page(&api, "listed", "one").await;
    let bench = Bench::start(&api).await;
    page(&api, "new", "two").await;
    page(&api, "listed", "one").await;
    delete(&api, "new").await;
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
    let api = Scene::start().await;
    let accepted = Arc::new(Mutex::new(Vec::new()));
    let log = accepted.clone();
    let listening = api.service().map_request(move |request: Request<Body>| {
        log.lock().unwrap().push(request.headers()["accept"].to_str().unwrap().to_owned());
        request
    });
    let _bench = Bench::start_with(Client::new(listening, "default")).await;
    let accepted = accepted.lock().unwrap();
    assert!(accepted[0].contains("as=PartialObjectMetadataList"), "{accepted:?}");
    assert!(accepted[1].contains("as=PartialObjectMetadata;"), "{accepted:?}");
}

#[tokio::test(start_paused = true)]
async fn a_changed_owner_is_told_to_both() {
    let api = Scene::start().await;
    page(&api, "a", "one").await;
    let bench = Bench::start(&api).await;
    bench.told().await;
    page(&api, "a", "two").await;
    let expected = ["-ConfigMap default/a of Page one", "+ConfigMap default/a of Page two"];
    assert_eq!(bench.told().await, expected);
}

#[tokio::test(start_paused = true)]
async fn objects_without_a_controller_are_not_kept_and_those_that_gain_or_lose_one_are_told() {
    let api = Scene::start().await;
    free(&api, "a").await;
    let bench = Bench::start(&api).await;
    assert_eq!((bench.told().await, bench.cache.len()), (Vec::new(), 0));
    page(&api, "a", "one").await;
    assert_eq!(bench.told().await, ["+ConfigMap default/a of Page one"]);
    free(&api, "a").await;
    assert_eq!(bench.told().await, ["-ConfigMap default/a of Page one"]);
    assert!(bench.cache.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_new_list_tells_what_changed_meanwhile_and_nothing_else() {
    let api = Scene::start().await;
    for name in ["same", "deleted", "replaced"] {
        page(&api, name, "one").await;
    }
    let bench = Bench::start(&api).await;
    bench.told().await;
    api.fail("watch", 503);
    api.cut();
    settle().await;
    delete(&api, "deleted").await;
    delete(&api, "replaced").await;
    page(&api, "replaced", "one").await;
    api.0.compact();
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
    let api = Scene::start().await;
    page(&api, "listed", "one").await;
    free(&api, "free").await;
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
    page(&api, "listed", "one").await;
    page(&api, "listed", "two").await;
    page(&api, "free", "one").await;
    free(&api, "listed").await;
    delete(&api, "free").await;
    settle().await;
    let [by_owned, by_whole] = told.map(|told| std::mem::take(&mut *told.lock().unwrap()));
    assert_eq!(by_owned.len(), 7);
    assert_eq!(by_whole, by_owned);
    assert!(!running.is_finished());
}
