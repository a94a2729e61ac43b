//! What the server refuses, and when it is down.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::DeleteParams;
use kube::{Api, CustomResourceExt as _};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_or_overloaded_is_asked_ever_less_often_and_found_again() {
    for code in [429, 500, 503] {
        let api = Scene::start().await;
        api.put("default", "a", value("1")).await;
        api.fail("list", code);
        let bench = Bench::start(&api).await;
        sleep(120 * SECOND).await;
        assert!((10..30).contains(&api.seen("list").len()), "{} lists in two minutes", api.seen("list").len());
        assert!(!bench.caches.synced());
        let error = bench.state().last_error.unwrap();
        assert!(error.contains("can't list") && error.contains(&code.to_string()), "{error}");
        api.mend();
        timeout(11 * SECOND, bench.caches.wait_synced()).await.unwrap();
        sleep(2 * SECOND).await;
        assert_eq!(bench.state().last_error, None);
        assert_eq!(bench.told(), ["+a=1"]);
        bench.stop.cancel();
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_fails_right_after_it_opened_does_not_count_as_working_in_between() {
    let api = Scene::start().await;
    api.strike("watch", Fault::EndWatch { error: Some(500) });
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.subscriber());
    let bench = Bench::start(&api).await;
    sleep(120 * SECOND).await;
    assert_eq!((log.lines_with("WARN").len(), log.lines_with("INFO").len()), (1, 0));
    assert!(bench.state().last_error.unwrap().contains("can't watch"));
    api.mend();
    sleep(15 * SECOND).await;
    assert_eq!((log.lines_with("WARN").len(), log.lines_with("INFO").len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_missing_kind_is_waited_for_and_said_once() {
    let api = Scene::start_bare().await;
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.subscriber());
    let bench = Bench::start(&api).await;
    sleep(300 * SECOND).await;
    let state = bench.state();
    assert!(state.missing && !state.synced && state.moving, "{state:?}");
    let lines = log.lines_with("WARN");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("CustomResourceDefinition") && lines[0].contains("Note"), "{lines:#?}");

    api.0.install::<Note>().await;
    api.put("default", "a", value("1")).await;
    timeout(11 * SECOND, bench.caches.wait_synced()).await.unwrap();
    sleep(2 * SECOND).await;
    assert!(!bench.state().missing);
    assert_eq!(bench.told(), ["+a=1"]);
    assert_eq!(log.lines_with("works").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_removed_and_comes_back_is_listed_anew() {
    let api = Scene::start().await;
    api.put("default", "a", value("1")).await;
    let bench = Bench::start(&api).await;
    let crds: Api<CustomResourceDefinition> = Api::all(api.0.client("somebody"));
    crds.delete(Note::crd_name(), &DeleteParams::default()).await.unwrap();
    sleep(30 * SECOND).await;
    assert!(bench.state().missing && !bench.caches.synced());
    api.0.install::<Note>().await;
    sleep(30 * SECOND).await;
    assert!(bench.caches.synced());
    assert_eq!(bench.told(), ["+a=1", "-a=1"]);
}

#[tokio::test(start_paused = true)]
async fn a_right_that_is_missing_is_named_with_the_rule_that_would_grant_it() {
    for (verb, namespaces, expected) in [
        ("list", &[][..], ["not allowed to list notes.example.com in all namespaces", "ClusterRole"]),
        ("watch", &["one"][..], ["not allowed to watch notes.example.com in namespace one", "a Role"]),
    ] {
        let api = Scene::start().await;
        api.fail(verb, 403);
        let log = Log::default();
        let _logging = tracing::subscriber::set_default(log.subscriber());
        let bench = Bench::start_in(&api, namespaces).await;
        sleep(300 * SECOND).await;
        let lines = log.lines_with("WARN");
        assert_eq!(lines.len(), 1, "{lines:#?}");
        let rule = "{apiGroups: [\"example.com\"], resources: [\"notes\"], verbs: [\"list\", \"watch\"]}";
        for part in expected.iter().chain([&rule]) {
            assert!(lines[0].contains(part), "{part} in {lines:#?}");
        }
        api.mend();
        sleep(15 * SECOND).await;
        assert!(bench.caches.synced());
        assert_eq!(bench.state().last_error, None);
        bench.stop.cancel();
    }
}
