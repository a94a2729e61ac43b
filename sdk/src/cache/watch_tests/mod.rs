//! Watches of a cluster in memory, in tokio's paused time.

mod failures;
mod resuming;
mod unfit;

use std::sync::Mutex;

use http::Request;
use k8s_openapi::api::core::v1::Namespace;
use kube::client::Body;
use kubeops_testkit::cluster::Fault;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::*;
use crate::cache::scene::{Note, Scene, asked, settle};
use crate::cache::{Cache, CacheError, CacheState, Caches, Change, Entity};
use crate::metrics::Metrics;
use crate::test_log::Log;

const SECOND: Duration = Duration::from_secs(1);

/// A cache of Notes, and what it told.
struct Bench {
    api: Scene,
    caches: Caches,
    cache: Cache<Note>,
    told: Arc<Mutex<Vec<String>>>,
    metrics: Metrics,
    stop: CancellationToken,
    running: JoinHandle<Result<(), CacheError>>,
}

impl Bench {
    async fn start(api: &Scene) -> Self {
        Self::start_in(api, &[]).await
    }

    async fn start_in(api: &Scene, namespaces: &[&str]) -> Self {
        Self::start_with(api, api.client(), namespaces).await
    }

    async fn start_with(api: &Scene, client: Client, namespaces: &[&str]) -> Self {
        let metrics = Metrics::new();
        let namespaces = namespaces.iter().map(|name| (*name).to_owned()).collect();
        let caches = Caches::new(client, namespaces, metrics.clone());
        let cache = caches.typed::<Note>(Selectors::default());
        let told = Arc::new(Mutex::new(Vec::new()));
        let log = told.clone();
        cache.subscribe(move |change| log.lock().unwrap().push(describe(change)));
        let (stop, its_caches) = (CancellationToken::new(), caches.clone());
        let its_stop = stop.clone();
        let running = tokio::spawn(async move { its_caches.run(its_stop).await });
        settle().await;
        Self { api: api.clone(), caches, cache, told, metrics, stop, running }
    }

    /// What was told since it was asked last.
    fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.cache.store().keys().iter().map(ToString::to_string).collect();
        names.sort();
        names
    }

    fn state(&self) -> CacheState {
        self.caches.state().remove(0)
    }

    fn count(&self, metric: &str) -> String {
        let name = format!("{metric}{{kind=\"Note\"}} ");
        let text = self.metrics.encode(false);
        let value = text.lines().find_map(|line| line.strip_prefix(&name));
        value.unwrap_or_else(|| panic!("no {metric} in {text}")).to_owned()
    }
}

/// As if a cache asked for something else.
fn with_query(mut request: Request<Body>, asked: &str, instead: &str) -> Request<Body> {
    *request.uri_mut() = request.uri().to_string().replace(asked, instead).parse().unwrap();
    request
}

fn describe(change: &Change<Note>) -> String {
    let say = |note: &Note| {
        let name = note.metadata.name.as_deref().unwrap();
        format!("{name}={}", note.spec.v)
    };
    match change {
        Change::Created(new) => format!("+{}", say(new)),
        Change::Modified { old, new } => format!("{}>{}", say(old), say(new)),
        Change::Deleted(last) => format!("-{}", say(last)),
    }
}

fn value(value: &str) -> serde_json::Value {
    json!({"spec": {"v": value}})
}

fn unfit() -> serde_json::Value {
    json!({"spec": {"v": ["no", "text"]}})
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_listed_and_what_happens_is_told_in_order() {
    let api = Scene::start().await;
    api.put("default", "a", value("1")).await;
    let bench = Bench::start(&api).await;
    assert_eq!(bench.told(), ["+a=1"]);
    assert!(bench.caches.synced());
    api.put("default", "b", value("1")).await;
    api.put("default", "a", value("2")).await;
    api.delete("default", "b").await;
    settle().await;
    assert_eq!(bench.told(), ["+b=1", "a=1>a=2", "-b=1"]);
    assert_eq!(bench.names(), ["default/a"]);
    assert_eq!(bench.count("kubeops_cache_objects"), "1");
}

#[tokio::test(start_paused = true)]
async fn managed_fields_are_not_kept() {
    let api = Scene::start().await;
    api.put("default", "listed", value("1")).await;
    let bench = Bench::start(&api).await;
    api.put("default", "watched", value("1")).await;
    settle().await;
    let objects = bench.cache.store().list();
    assert_eq!(objects.len(), 2);
    assert!(objects.iter().all(|object| object.metadata.managed_fields.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_list_of_several_pages_is_read_to_its_end() {
    let api = Scene::start().await;
    for number in 0..7 {
        api.put("default", &number.to_string(), value("1")).await;
    }
    // Pages of 500 would need many notes.
    let small = api.service().map_request(|request| with_query(request, "limit=500", "limit=3"));
    let bench = Bench::start_with(&api, Client::new(small, "default"), &[]).await;
    assert_eq!(bench.cache.store().len(), 7);
    assert_eq!(api.seen("list").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn each_namespace_of_a_list_is_watched_and_none_else() {
    let api = Scene::start().await;
    for namespace in ["one", "two", "three"] {
        api.put(namespace, "a", value(namespace)).await;
    }
    let bench = Bench::start_in(&api, &["one", "two"]).await;
    assert_eq!(bench.names(), ["one/a", "two/a"]);
    assert_eq!(api.open_watches(), 2);
    let mut namespaces: Vec<_> = bench.caches.state().into_iter().map(|state| state.namespace.unwrap()).collect();
    namespaces.sort();
    assert_eq!(namespaces, ["one", "two"]);

    // A new list of both, one after the other: neither removes what is the other's.
    api.fail("watch", 503);
    api.cut();
    settle().await;
    api.delete("one", "a").await;
    api.0.compact();
    api.mend();
    sleep(30 * SECOND).await;
    assert_eq!(bench.names(), ["two/a"]);
    api.put("three", "b", value("1")).await;
    settle().await;
    assert_eq!(bench.names(), ["two/a"]);
}

#[tokio::test(start_paused = true)]
async fn a_kind_without_namespaces_is_watched_whole() {
    let api = Scene::start().await;
    let caches = Caches::new(api.client(), vec!["one".to_owned(), "two".to_owned()], Metrics::new());
    let _cache = caches.typed::<Namespace>(Selectors::default());
    let namespaces: Vec<_> = caches.state().into_iter().map(|state| state.namespace).collect();
    assert_eq!(namespaces, [None]);
}

#[tokio::test(start_paused = true)]
async fn the_same_arguments_give_the_same_cache_and_one_watch() {
    fn same<K: Entity>(one: &Cache<K>, other: &Cache<K>) -> bool {
        Arc::ptr_eq(&one.sink(), &other.sink())
    }
    let api = Scene::start().await;
    let bench = Bench::start(&api).await;
    assert!(same(&bench.cache, &bench.caches.typed(Selectors::default())));
    let labels = Selectors { labels: Some("a=b".to_owned()), fields: None };
    let selected = bench.caches.typed::<Note>(labels.clone());
    assert!(!same(&bench.cache, &selected));
    assert!(same(&selected, &bench.caches.typed(labels)));
    // The later one is watched too, though everything runs already.
    settle().await;
    assert_eq!(api.open_watches(), 2);
    assert_eq!(asked(&api.seen("watch")[1], "labelSelector"), "a%3Db");
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_panics_ends_the_run_with_the_kind() {
    let api = Scene::start().await;
    let bench = Bench::start(&api).await;
    bench.cache.subscribe(|_| panic!("no idea what to do"));
    api.put("default", "a", value("1")).await;
    let error = bench.running.await.unwrap().unwrap_err().to_string();
    assert_eq!(error, "the watch of Note ended: no idea what to do");
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_all_watches() {
    let api = Scene::start().await;
    let bench = Bench::start(&api).await;
    assert_eq!(api.open_watches(), 1);
    bench.stop.cancel();
    bench.running.await.unwrap().unwrap();
    settle().await;
    assert_eq!(bench.api.open_watches(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_never_returns_shows_as_a_watch_that_does_not_move() {
    let api = Scene::start().await;
    let bench = Bench::start(&api).await;
    // As far as the paused clock can tell: nothing polls the watch any more.
    bench.stop.cancel();
    sleep(600 * SECOND).await;
    assert!(!bench.state().moving);
}
