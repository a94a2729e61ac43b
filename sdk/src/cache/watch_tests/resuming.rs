//! Watches that end, and where they go on.

use jiff::Timestamp;
use kubeops_testkit::AuditEvent;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_410_in_mid_watch_leads_to_a_list_that_tells_only_what_changed() {
    let api = Scene::start().await;
    for name in ["same", "changed", "deleted", "replaced"] {
        api.put("default", name, value("1")).await;
    }
    let bench = Bench::start(&api).await;
    bench.told();
    sleep(60 * SECOND).await;
    api.fail("watch", 503);
    api.cut();
    settle().await;
    api.put("default", "changed", value("2")).await;
    api.delete("default", "deleted").await;
    api.delete("default", "replaced").await;
    api.put("default", "replaced", value("2")).await;
    api.put("default", "new", value("1")).await;
    api.0.compact();
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
async fn the_old_object_of_a_name_is_told_gone_before_the_store_has_the_new_one() {
    let api = Scene::start().await;
    api.put("default", "a", value("1")).await;
    let bench = Bench::start(&api).await;
    let (store, seen) = (bench.cache.store(), Arc::new(Mutex::new(Vec::new())));
    let its_seen = seen.clone();
    bench.cache.subscribe(move |change| its_seen.lock().unwrap().push((describe(change), store.len())));
    api.fail("watch", 503);
    api.cut();
    settle().await;
    api.delete("default", "a").await;
    api.put("default", "a", value("2")).await;
    api.0.compact();
    api.mend();
    sleep(30 * SECOND).await;
    assert_eq!(*seen.lock().unwrap(), [("-a=1".to_owned(), 0), ("+a=2".to_owned(), 1)]);
    assert_eq!(bench.count("kubeops_cache_objects"), "1");
}

#[tokio::test(start_paused = true)]
async fn a_410_that_answers_the_opening_of_a_watch_leads_to_a_list_too() {
    let api = Scene::start().await;
    let bench = Bench::start(&api).await;
    api.fail("watch", 503);
    api.cut();
    settle().await;
    api.put("default", "a", value("1")).await;
    api.0.compact();
    api.mend();
    let gone = Fault::Refuse { code: 410, retry_after: None };
    api.faults().when(|request| request.verb == "watch", Some(1), gone);
    sleep(30 * SECOND).await;
    assert_eq!(bench.told(), ["+a=1"]);
    assert_eq!(api.open_watches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_cut_goes_on_where_it_ended_without_a_list() {
    let api = Scene::start().await;
    api.put("default", "a", value("1")).await;
    let bench = Bench::start(&api).await;
    sleep(60 * SECOND).await;
    bench.told();
    api.fail("watch", 503);
    api.cut();
    settle().await;
    api.delete("default", "a").await;
    api.put("default", "a", value("2")).await;
    api.mend();
    sleep(30 * SECOND).await;
    assert_eq!(bench.told(), ["-a=1", "+a=2"]);
    assert_eq!(api.seen("list").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_bookmark_moves_on_where_a_watch_goes_on_from() {
    let api = Scene::start().await;
    let _bench = Bench::start(&api).await;
    // Something else happens; that it did is told by a bookmark each minute.
    api.apply::<Namespace>("", "other", json!({})).await;
    sleep(65 * SECOND).await;
    api.cut();
    sleep(2 * SECOND).await;
    let watches = api.seen("watch");
    assert_eq!(watches.len(), 2);
    let from = |watch: &AuditEvent| asked(watch, "resourceVersion").parse::<u64>().unwrap();
    assert_eq!(from(&watches[1]), from(&watches[0]) + 1);
    assert_eq!(asked(&watches[0], "allowWatchBookmarks"), "true");
}

#[tokio::test(start_paused = true)]
async fn watches_that_end_at_once_are_opened_once_a_second_at_most_and_ever_less_often() {
    let api = Scene::start().await;
    api.strike("watch", Fault::EndWatch { error: None });
    let bench = Bench::start(&api).await;
    sleep(60 * SECOND).await;
    let opened: Vec<Timestamp> = api.seen("watch").iter().map(|seen| seen.received).collect();
    assert!((6..20).contains(&opened.len()), "{} opens in a minute", opened.len());
    assert!(opened.windows(2).all(|pair| pair[1].duration_since(pair[0]).unsigned_abs() >= SECOND));
    assert_eq!(api.seen("list").len(), 1);
    assert_eq!(bench.count("kubeops_watch_reconnects_total"), opened.len().to_string());

    api.mend();
    sleep(20 * SECOND).await;
    api.put("default", "a", value("1")).await;
    settle().await;
    assert_eq!(bench.told(), ["+a=1"]);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_is_only_reopened_every_few_minutes() {
    let api = Scene::start().await;
    let bench = Bench::start(&api).await;
    sleep(3600 * SECOND).await;
    let watches = api.seen("watch");
    // The server ends a watch when its time is over.
    for watch in &watches {
        let seconds: u64 = asked(watch, "timeoutSeconds").parse().unwrap();
        assert!((261..=290).contains(&seconds), "{seconds} s");
    }
    assert!((13..=14).contains(&watches.len()), "{} watches in an hour", watches.len());
    assert_eq!(api.seen("list").len(), 1);
    assert_eq!(bench.count("kubeops_watch_reconnects_total"), "0");
    assert!(bench.state().moving);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_the_server_forgot_is_found_dead() {
    let api = Scene::start().await;
    let bench = Bench::start(&api).await;
    // The connection hangs: nothing comes, not even its end.
    api.faults().silence_watches();
    sleep(400 * SECOND).await;
    assert_eq!(api.seen("watch").len(), 2);
    assert!(bench.state().moving);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_dies_after_it_told_something_is_found_dead_as_soon_as_one_that_never_did() {
    let api = Scene::start().await;
    let _bench = Bench::start(&api).await;
    sleep(200 * SECOND).await;
    api.put("default", "a", value("1")).await;
    settle().await;
    api.faults().silence_watches();
    sleep(100 * SECOND).await;
    assert_eq!(api.seen("watch").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_goes_on_with_a_watch_for_longer_than_asked_is_listened_to() {
    let api = Scene::start().await;
    let deaf = api.service().map_request(|request| with_query(request, "timeoutSeconds", "ignored"));
    let bench = Bench::start_with(&api, Client::new(deaf, "default"), &[]).await;
    for second in 0..400 {
        api.put("default", "a", value(&second.to_string())).await;
        sleep(SECOND).await;
    }
    assert_eq!(api.seen("watch").len(), 1);
    assert_eq!(bench.state().last_error, None);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_server_can_not_go_on_from_whatever_it_calls_it_is_given_up_for_a_list() {
    let api = Scene::start().await;
    api.put("default", "a", value("1")).await;
    let bench = Bench::start(&api).await;
    sleep(60 * SECOND).await;
    api.fail("watch", 500);
    api.cut();
    settle().await;
    api.put("default", "a", value("2")).await;
    sleep(60 * SECOND).await;
    assert_eq!(bench.told(), ["+a=1", "a=1>a=2"]);
    let lists = api.seen("list").len();
    assert!((2..10).contains(&lists), "{lists} lists in two minutes");
}

#[tokio::test(start_paused = true)]
async fn a_410_is_followed_by_a_list_at_once() {
    let api = Scene::start().await;
    let bench = Bench::start(&api).await;
    sleep(60 * SECOND).await;
    api.faults().silence_watches();
    api.put("default", "a", value("1")).await;
    api.0.compact();
    api.mend();
    sleep(SECOND + SECOND / 10).await;
    assert_eq!(bench.told(), ["+a=1"]);
    assert_eq!(api.open_watches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_410_after_every_list_does_not_make_a_loop_of_lists() {
    let api = Scene::start().await;
    api.strike("watch", Fault::EndWatch { error: Some(410) });
    let bench = Bench::start(&api).await;
    sleep(60 * SECOND).await;
    let lists = api.seen("list").len();
    assert!((6..20).contains(&lists), "{lists} lists in a minute");
    let error = bench.state().last_error.expect("nobody is told");
    assert!(error.contains("too old"), "{error}");
}
