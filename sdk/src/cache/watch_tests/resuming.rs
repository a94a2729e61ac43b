//! Watches that end, and where they go on.

use super::*;

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
async fn the_old_object_of_a_name_is_told_gone_before_the_store_has_the_new_one() {
    let api = FakeApi::new();
    api.put("default", "a", value("1"));
    let bench = Bench::start(&api).await;
    let (store, seen) = (bench.cache.store(), Arc::new(Mutex::new(Vec::new())));
    let its_seen = seen.clone();
    bench.cache.subscribe(move |change| its_seen.lock().unwrap().push((describe(change), store.len())));
    api.fail("watch", 503);
    api.cut();
    settle().await;
    api.delete("default", "a");
    api.put("default", "a", value("2"));
    api.compact();
    api.mend();
    sleep(30 * SECOND).await;
    assert_eq!(*seen.lock().unwrap(), [("-a=1".to_owned(), 0), ("+a=2".to_owned(), 1)]);
    assert_eq!(bench.count("kubeops_cache_objects"), "1");
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
async fn a_watch_that_dies_after_it_told_something_is_found_dead_as_soon_as_one_that_never_did() {
    let api = FakeApi::new();
    let _bench = Bench::start(&api).await;
    sleep(200 * SECOND).await;
    api.bookmark();
    sleep(100 * SECOND).await;
    assert_eq!(api.seen("watch").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_goes_on_with_a_watch_for_longer_than_asked_is_listened_to() {
    let api = FakeApi::new();
    let bench = Bench::start(&api).await;
    for _ in 0..400 {
        api.bookmark();
        sleep(SECOND).await;
    }
    assert_eq!(api.seen("watch").len(), 1);
    assert_eq!(bench.state().last_error, None);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_server_can_not_go_on_from_whatever_it_calls_it_is_given_up_for_a_list() {
    let api = FakeApi::new();
    api.put("default", "a", value("1"));
    let bench = Bench::start(&api).await;
    sleep(60 * SECOND).await;
    api.fail("watch", 500);
    api.cut();
    settle().await;
    api.put("default", "a", value("2"));
    sleep(60 * SECOND).await;
    assert_eq!(bench.told(), ["+a=1", "a=1>a=2"]);
    let lists = api.seen("list").len();
    assert!((2..10).contains(&lists), "{lists} lists in two minutes");
}

#[tokio::test(start_paused = true)]
async fn a_410_is_followed_by_a_list_at_once() {
    let api = FakeApi::new();
    let bench = Bench::start(&api).await;
    sleep(60 * SECOND).await;
    api.fail("watch", 503);
    api.cut();
    api.put("default", "a", value("1"));
    api.compact();
    api.mend();
    sleep(SECOND + SECOND / 10).await;
    assert_eq!(bench.told(), ["+a=1"]);
    assert_eq!(api.open_watches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_410_after_every_list_does_not_make_a_loop_of_lists() {
    let api = FakeApi::new();
    api.end_watches_with(410);
    let bench = Bench::start(&api).await;
    sleep(60 * SECOND).await;
    let lists = api.seen("list").len();
    assert!((6..20).contains(&lists), "{lists} lists in a minute");
    let error = bench.state().last_error.expect("nobody is told");
    assert!(error.contains("too old"), "{error}");
}
