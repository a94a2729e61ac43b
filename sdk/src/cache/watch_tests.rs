//! Watches against a scripted API server, in tokio's paused time.

use std::sync::Mutex;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::cache::fake_api::{FakeApi, settle};
use crate::cache::{Cache, CacheError, CacheState, Caches, Change, Entity};
use crate::metrics::Metrics;

const SECOND: Duration = Duration::from_secs(1);

/// A cache of ConfigMaps, and what it told.
struct Bench {
    api: FakeApi,
    caches: Caches,
    cache: Cache<ConfigMap>,
    told: Arc<Mutex<Vec<String>>>,
    metrics: Metrics,
    stop: CancellationToken,
    running: JoinHandle<Result<(), CacheError>>,
}

impl Bench {
    async fn start(api: &FakeApi) -> Self {
        Self::start_in(api, &[]).await
    }

    async fn start_in(api: &FakeApi, namespaces: &[&str]) -> Self {
        let metrics = Metrics::new();
        let namespaces = namespaces.iter().map(|name| (*name).to_owned()).collect();
        let caches = Caches::new(api.client(), namespaces, metrics.clone());
        let cache = caches.typed::<ConfigMap>(Selectors::default());
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
        let name = format!("{metric}{{kind=\"ConfigMap\"}} ");
        let text = self.metrics.encode(false);
        let value = text.lines().find_map(|line| line.strip_prefix(&name));
        value.unwrap_or_else(|| panic!("no {metric} in {text}")).to_owned()
    }
}

fn describe(change: &Change<ConfigMap>) -> String {
    let say = |map: &ConfigMap| {
        let name = map.metadata.name.as_deref().unwrap();
        let value = map.data.as_ref().and_then(|data| data.get("v")).map(String::as_str);
        format!("{name}={}", value.unwrap_or_default())
    };
    match change {
        Change::Created(new) => format!("+{}", say(new)),
        Change::Modified { old, new } => format!("{}>{}", say(old), say(new)),
        Change::Deleted(last) => format!("-{}", say(last)),
    }
}

fn value(value: &str) -> serde_json::Value {
    json!({"data": {"v": value}})
}

fn unfit() -> serde_json::Value {
    json!({"data": "not a map"})
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_listed_and_what_happens_is_told_in_order() {
    let api = FakeApi::new();
    api.put("default", "a", value("1"));
    let bench = Bench::start(&api).await;
    assert_eq!(bench.told(), ["+a=1"]);
    assert!(bench.caches.synced());
    api.put("default", "b", value("1"));
    api.put("default", "a", value("2"));
    api.delete("default", "b");
    settle().await;
    assert_eq!(bench.told(), ["+b=1", "a=1>a=2", "-b=1"]);
    assert_eq!(bench.names(), ["default/a"]);
    assert_eq!(bench.count("kubeops_cache_objects"), "1");
}

#[tokio::test(start_paused = true)]
async fn managed_fields_are_not_kept() {
    let api = FakeApi::new();
    api.put("default", "listed", value("1"));
    let bench = Bench::start(&api).await;
    api.put("default", "watched", value("1"));
    settle().await;
    let objects = bench.cache.store().list();
    assert_eq!(objects.len(), 2);
    assert!(objects.iter().all(|object| object.metadata.managed_fields.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_list_of_several_pages_is_read_to_its_end() {
    let api = FakeApi::new();
    for number in 0..7 {
        api.put("default", &number.to_string(), value("1"));
    }
    api.pages_of(3);
    let bench = Bench::start(&api).await;
    assert_eq!(bench.cache.store().len(), 7);
    assert_eq!(api.seen("list").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_410_in_mid_watch_leads_to_a_list_that_tells_only_what_changed() {
    let api = FakeApi::new();
    for name in ["same", "changed", "deleted", "replaced"] {
        api.put("default", name, value("1"));
    }
    let bench = Bench::start(&api).await;
    bench.told();
    sleep(60 * SECOND).await;
    api.fail("watch", 503);
    api.cut();
    settle().await;
    api.put("default", "changed", value("2"));
    api.delete("default", "deleted");
    api.delete("default", "replaced");
    api.put("default", "replaced", value("2"));
    api.put("default", "new", value("1"));
    api.compact();
    api.mend();
    sleep(30 * SECOND).await;
    let mut told = bench.told();
    let place = |what: &str, told: &[String]| told.iter().position(|it| it == what);
    assert!(place("-replaced=1", &told) < place("+replaced=2", &told), "{told:?}");
    told.sort();
    assert_eq!(told, ["+new=1", "+replaced=2", "-deleted=1", "-replaced=1", "changed=1>changed=2"]);
    assert_eq!(bench.names(), ["default/changed", "default/new", "default/replaced", "default/same"]);
    assert_eq!(bench.count("kubeops_cache_objects"), "4");
    assert_eq!(bench.state().last_error, None);
}

#[tokio::test(start_paused = true)]
async fn a_410_that_answers_the_opening_of_a_watch_leads_to_a_list_too() {
    let api = FakeApi::new();
    let bench = Bench::start(&api).await;
    api.refuse_old_versions();
    api.fail("watch", 503);
    api.cut();
    settle().await;
    api.put("default", "a", value("1"));
    api.compact();
    api.mend();
    sleep(30 * SECOND).await;
    assert_eq!(bench.told(), ["+a=1"]);
    assert_eq!(api.open_watches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_cut_goes_on_where_it_ended_without_a_list() {
    let api = FakeApi::new();
    api.put("default", "a", value("1"));
    let bench = Bench::start(&api).await;
    sleep(60 * SECOND).await;
    bench.told();
    api.fail("watch", 503);
    api.cut();
    settle().await;
    api.delete("default", "a");
    api.put("default", "a", value("2"));
    api.mend();
    sleep(30 * SECOND).await;
    assert_eq!(bench.told(), ["-a=1", "+a=2"]);
    assert_eq!(api.seen("list").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_bookmark_moves_on_where_a_watch_goes_on_from() {
    let api = FakeApi::new();
    let _bench = Bench::start(&api).await;
    api.bookmark();
    sleep(60 * SECOND).await;
    api.cut();
    settle().await;
    let watches = api.seen("watch");
    assert_eq!(watches.len(), 2);
    assert_eq!(watches[0].query["resourceVersion"], "100");
    assert_eq!(watches[1].query["resourceVersion"], "101");
    assert_eq!(watches[0].query["allowWatchBookmarks"], "true");
}

#[tokio::test(start_paused = true)]
async fn watches_that_end_at_once_are_opened_once_a_second_at_most_and_ever_less_often() {
    let api = FakeApi::new();
    api.end_watches_at_once();
    let bench = Bench::start(&api).await;
    sleep(60 * SECOND).await;
    let opened: Vec<Instant> = api.seen("watch").iter().map(|seen| seen.at).collect();
    assert!((6..20).contains(&opened.len()), "{} opens in a minute", opened.len());
    assert!(opened.windows(2).all(|pair| pair[1] - pair[0] >= SECOND));
    assert_eq!(api.seen("list").len(), 1);
    assert_eq!(bench.count("kubeops_watch_reconnects_total"), opened.len().to_string());

    api.mend();
    sleep(20 * SECOND).await;
    api.put("default", "a", value("1"));
    settle().await;
    assert_eq!(bench.told(), ["+a=1"]);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_is_only_reopened_every_few_minutes() {
    let api = FakeApi::new();
    let bench = Bench::start(&api).await;
    let hour = 3600 * SECOND;
    for _ in 0..13 {
        // The server ends a watch when its time is over.
        let asked = api.seen("watch").last().unwrap().query["timeoutSeconds"].parse().unwrap();
        assert!((261..=290).contains(&asked), "{asked} s");
        sleep(Duration::from_secs(asked)).await;
        api.cut();
        settle().await;
    }
    assert!(api.seen("watch")[0].at.elapsed() < hour + 600 * SECOND);
    assert_eq!((api.seen("list").len(), api.seen("watch").len()), (1, 14));
    assert_eq!(bench.count("kubeops_watch_reconnects_total"), "0");
    assert!(bench.state().moving);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_the_server_forgot_is_found_dead() {
    let api = FakeApi::new();
    let bench = Bench::start(&api).await;
    // The connection hangs: nothing comes, not even its end.
    sleep(400 * SECOND).await;
    assert_eq!(api.seen("watch").len(), 2);
    assert!(bench.state().moving);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_or_overloaded_is_asked_ever_less_often_and_found_again() {
    for code in [429, 500, 503] {
        let api = FakeApi::new();
        api.put("default", "a", value("1"));
        api.fail("list", code);
        let bench = Bench::start(&api).await;
        sleep(120 * SECOND).await;
        assert!((10..30).contains(&api.seen("list").len()), "{} lists in two minutes", api.seen("list").len());
        assert!(!bench.caches.synced());
        let error = bench.state().last_error.unwrap();
        assert!(error.contains("can't list") && error.contains(&code.to_string()), "{error}");
        api.mend();
        tokio::time::timeout(11 * SECOND, bench.caches.wait_synced()).await.unwrap();
        settle().await;
        assert_eq!(bench.state().last_error, None);
        assert_eq!(bench.told(), ["+a=1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_does_not_fit_stops_neither_the_list_nor_the_watch() {
    let api = FakeApi::new();
    api.put("default", "a", value("1"));
    api.put("default", "bad", unfit());
    api.put("default", "c", value("1"));
    let bench = Bench::start(&api).await;
    assert!(bench.caches.synced());
    assert_eq!(bench.told(), ["+a=1", "+c=1"]);
    assert_eq!(bench.count("kubeops_undeserializable_objects_total"), "1");

    api.put("default", "later", unfit());
    api.put("default", "d", value("1"));
    settle().await;
    assert_eq!(bench.told(), ["+d=1"]);
    assert_eq!(bench.count("kubeops_undeserializable_objects_total"), "2");

    // A new list brings the same versions again.
    api.compact();
    sleep(30 * SECOND).await;
    assert_eq!(api.seen("list").len(), 2);
    assert_eq!(bench.count("kubeops_undeserializable_objects_total"), "2");

    api.put("default", "bad", unfit());
    api.put("default", "bad", value("1"));
    settle().await;
    assert_eq!(bench.told(), ["+bad=1"]);
    assert_eq!(bench.count("kubeops_undeserializable_objects_total"), "3");
}

#[tokio::test(start_paused = true)]
async fn of_an_object_that_no_longer_fits_the_last_version_that_did_is_kept_until_it_is_gone() {
    let api = FakeApi::new();
    api.put("default", "a", value("1"));
    let bench = Bench::start(&api).await;
    bench.told();
    api.put("default", "a", unfit());
    settle().await;
    assert_eq!(bench.told(), Vec::<String>::new());
    assert_eq!(bench.names(), ["default/a"]);
    api.put("default", "a", value("3"));
    settle().await;
    assert_eq!(bench.told(), ["a=1>a=3"]);
    api.put("default", "a", unfit());
    api.delete("default", "a");
    settle().await;
    assert_eq!(bench.told(), ["-a=3"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_replaced_by_one_that_does_not_fit_is_deleted() {
    let api = FakeApi::new();
    api.put("default", "a", value("1"));
    let bench = Bench::start(&api).await;
    api.fail("watch", 503);
    api.cut();
    settle().await;
    api.delete("default", "a");
    api.put("default", "a", unfit());
    api.compact();
    api.mend();
    sleep(30 * SECOND).await;
    assert_eq!(bench.told(), ["+a=1", "-a=1"]);
    assert!(bench.cache.store().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_missing_kind_is_waited_for_and_said_once() {
    let api = FakeApi::new();
    api.fail("list", 404);
    let log = crate::cache::log::Log::default();
    let _logging = tracing::subscriber::set_default(log.subscriber());
    let bench = Bench::start(&api).await;
    sleep(300 * SECOND).await;
    let state = bench.state();
    assert!(state.missing && !state.synced && state.moving, "{state:?}");
    let lines = log.lines_with("WARN");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("CustomResourceDefinition") && lines[0].contains("ConfigMap"), "{lines:#?}");

    api.mend();
    api.put("default", "a", value("1"));
    tokio::time::timeout(11 * SECOND, bench.caches.wait_synced()).await.unwrap();
    settle().await;
    assert!(!bench.state().missing);
    assert_eq!(bench.told(), ["+a=1"]);
    assert_eq!(log.lines_with("works").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_removed_and_comes_back_is_listed_anew() {
    let api = FakeApi::new();
    api.put("default", "a", value("1"));
    let bench = Bench::start(&api).await;
    api.fail("list", 404);
    api.fail("watch", 404);
    api.cut();
    sleep(30 * SECOND).await;
    assert!(bench.state().missing && !bench.caches.synced());
    api.delete("default", "a");
    api.mend();
    sleep(30 * SECOND).await;
    assert!(bench.caches.synced());
    assert_eq!(bench.told(), ["+a=1", "-a=1"]);
}

#[tokio::test(start_paused = true)]
async fn a_right_that_is_missing_is_named_with_the_rule_that_would_grant_it() {
    for (verb, namespaces, expected) in [
        ("list", &[][..], ["not allowed to list configmaps in all namespaces", "ClusterRole"]),
        ("watch", &["apps"][..], ["not allowed to watch configmaps in namespace apps", "a Role"]),
    ] {
        let api = FakeApi::new();
        api.fail(verb, 403);
        let log = crate::cache::log::Log::default();
        let _logging = tracing::subscriber::set_default(log.subscriber());
        let bench = Bench::start_in(&api, namespaces).await;
        sleep(300 * SECOND).await;
        let lines = log.lines_with("WARN");
        assert_eq!(lines.len(), 1, "{lines:#?}");
        let rule = "{apiGroups: [\"\"], resources: [\"configmaps\"], verbs: [\"list\", \"watch\"]}";
        for part in expected.iter().chain([&rule]) {
            assert!(lines[0].contains(part), "{part} in {lines:#?}");
        }
        api.mend();
        sleep(15 * SECOND).await;
        assert!(bench.caches.synced());
        assert_eq!(bench.state().last_error, None);
    }
}

#[tokio::test(start_paused = true)]
async fn each_namespace_of_a_list_is_watched_and_none_else() {
    let api = FakeApi::new();
    for namespace in ["one", "two", "three"] {
        api.put(namespace, "a", value(namespace));
    }
    let bench = Bench::start_in(&api, &["one", "two"]).await;
    assert_eq!(bench.names(), ["one/a", "two/a"]);
    assert_eq!(api.open_watches(), 2);
    let mut namespaces: Vec<_> = bench.caches.state().into_iter().map(|state| state.namespace.unwrap()).collect();
    namespaces.sort();
    assert_eq!(namespaces, ["one", "two"]);

    // A new list of both, one after the other: neither removes what is the other's.
    api.delete("one", "a");
    api.compact();
    sleep(30 * SECOND).await;
    assert_eq!(bench.names(), ["two/a"]);
    api.put("three", "b", value("1"));
    settle().await;
    assert_eq!(bench.names(), ["two/a"]);
}

#[tokio::test(start_paused = true)]
async fn a_kind_without_namespaces_is_watched_whole() {
    let api = FakeApi::new();
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
    let api = FakeApi::new();
    let bench = Bench::start(&api).await;
    assert!(same(&bench.cache, &bench.caches.typed(Selectors::default())));
    let labels = Selectors { labels: Some("a=b".to_owned()), fields: None };
    let selected = bench.caches.typed::<ConfigMap>(labels.clone());
    assert!(!same(&bench.cache, &selected));
    assert!(same(&selected, &bench.caches.typed(labels)));
    // The later one is watched too, though everything runs already.
    settle().await;
    assert_eq!(api.open_watches(), 2);
    assert_eq!(api.seen("watch")[1].query["labelSelector"], "a%3Db");
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_panics_ends_the_run_with_the_kind() {
    let api = FakeApi::new();
    let bench = Bench::start(&api).await;
    bench.cache.subscribe(|_| panic!("no idea what to do"));
    api.put("default", "a", value("1"));
    let error = bench.running.await.unwrap().unwrap_err().to_string();
    assert_eq!(error, "the watch of ConfigMap ended: no idea what to do");
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_all_watches() {
    let api = FakeApi::new();
    let bench = Bench::start(&api).await;
    assert_eq!(api.open_watches(), 1);
    bench.stop.cancel();
    bench.running.await.unwrap().unwrap();
    settle().await;
    assert_eq!(bench.api.open_watches(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_never_returns_shows_as_a_watch_that_does_not_move() {
    let api = FakeApi::new();
    let bench = Bench::start(&api).await;
    // As far as the paused clock can tell: nothing polls the watch any more.
    bench.stop.cancel();
    sleep(600 * SECOND).await;
    assert!(!bench.state().moving);
}
