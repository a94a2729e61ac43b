//! Controllers, from a registration to what they write, on a cluster in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by a panic, in its fixtures too"
)]

mod bench;
mod server;

use std::time::Duration;

use k8s_openapi::api::core::v1::Event;
use kubeops::leadership::EndReason;
use serde_json::{Value, json};

use self::bench::{Bench, Finalizing, Plain, Shop};
use self::server::{Objects, Server, settle};

const OURS: &str = "example.com/ours";

fn shop(script: Value) -> Value {
    json!({ "spec": { "wares": "tea", "script": script } })
}

async fn start() -> (Server, Objects) {
    let server = Server::start().await;
    server.0.install::<Shop>().await;
    let shops = server.of::<Shop>();
    (server, shops)
}

async fn finalizers(shops: &Objects, name: &str) -> Value {
    shops.get(name).await.map_or(Value::Null, |shop| shop["metadata"]["finalizers"].clone())
}

#[tokio::test(start_paused = true)]
async fn the_finalizer_is_added_before_the_first_reconcile_which_sees_it() {
    let (server, shops) = start().await;
    shops.put("a", shop(json!([]))).await;
    let bench = Bench::start::<Finalizing>(&server).await;
    let _leading = bench.lead().await;
    assert_eq!(bench.log.take(), [r#"reconcile a, finalizers ["example.com/ours"]"#]);
    assert_eq!(server.writes(), ["patch shops/a"]);
}

#[tokio::test(start_paused = true)]
async fn a_standby_writes_nothing_and_reconciles_nothing() {
    let (server, shops) = start().await;
    let bench = Bench::start::<Finalizing>(&server).await;
    shops.put("a", shop(json!(["Apply"]))).await;
    settle().await;
    assert_eq!((bench.log.take(), server.writes()), (Vec::new(), Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_shop_that_is_as_it_should_be_is_written_no_more() {
    let (server, shops) = start().await;
    let bench = Bench::start::<Finalizing>(&server).await;
    let _leading = bench.lead().await;
    shops.put("a", shop(json!(["Apply", { "Status": "open" }]))).await;
    settle().await;
    let page = server.config_maps().get("a").await.unwrap();
    assert_eq!(page["metadata"]["ownerReferences"][0]["kind"], "Shop");
    assert_eq!(page["metadata"]["ownerReferences"][0]["controller"], true);
    // The page's creation woke its owner once more, which found the status as it should be.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let expected = ["patch shops/a", "patch configmaps/a", "patch shops/a/status", "patch configmaps/a"];
    assert_eq!(server.writes(), expected);
    assert_eq!(bench.log.take().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_owned_object_that_somebody_changed_is_repaired() {
    let (server, shops) = start().await;
    shops.put("a", shop(json!(["Apply"]))).await;
    let bench = Bench::start::<Finalizing>(&server).await;
    let _leading = bench.lead().await;
    bench.log.take();
    server.config_maps().put("a", json!({ "data": { "wares": "stones" } })).await;
    settle().await;
    assert_eq!(server.config_maps().get("a").await.unwrap()["data"]["wares"], "tea");
    assert!(bench.log.take()[0].contains("because of a ConfigMap"));
    server.config_maps().delete("a").await;
    settle().await;
    assert_eq!(server.config_maps().get("a").await.unwrap()["data"]["wares"], "tea");
}

#[tokio::test(start_paused = true)]
async fn what_an_object_of_another_group_owns_wakes_nobody() {
    let (server, shops) = start().await;
    shops.put("a", shop(json!([]))).await;
    let bench = Bench::start::<Finalizing>(&server).await;
    let _leading = bench.lead().await;
    bench.log.take();
    let uid = shops.get("a").await.unwrap()["metadata"]["uid"].clone();
    for (name, api_version) in [("other", "elsewhere.com/v1"), ("older", "example.com/v1alpha1")] {
        let owner = json!({ "apiVersion": api_version, "kind": "Shop", "name": "a", "uid": uid, "controller": true });
        server.config_maps().put(name, json!({ "metadata": { "ownerReferences": [owner] } })).await;
        settle().await;
        // Another version of the same kind is the same object.
        assert_eq!(bench.log.take().len(), usize::from(name == "older"), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_write_of_a_reconcile_tests_the_version_that_the_one_before_returned() {
    let (server, shops) = start().await;
    shops.put("a", shop(json!([{ "Status": "opening" }, { "Status": "open" }]))).await;
    let bench = Bench::start::<Finalizing>(&server).await;
    // Nothing comes by the watch: all versions are from answers.
    server.faults().silence_watches();
    server.delay_writes(3);
    let _leading = bench.lead().await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(shops.get("a").await.unwrap()["status"]["says"], "opening");
    shops.put("a", json!({ "status": { "says": "burnt down" } })).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(server.writes(), ["patch shops/a", "patch shops/a/status", "patch shops/a/status"]);
    assert_eq!(shops.get("a").await.unwrap()["status"]["says"], "burnt down");
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_right_behind_another_sees_what_that_one_wrote_although_the_watch_lags() {
    let (server, shops) = start().await;
    shops.put("a", shop(json!([{ "Status": "open" }]))).await;
    let bench = Bench::start::<Finalizing>(&server).await;
    server.faults().silence_watches();
    let leading = bench.lead().await;
    let before = server.writes();
    leading.control.end(EndReason::Stopped);
    leading.working.await.unwrap();
    let _again = bench.lead().await;
    assert_eq!(bench.log.take().len(), 2);
    assert_eq!(server.writes(), before);
    server.faults().mend();
    settle().await;
    assert_eq!(bench.log.take(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_status_is_not_written_over_a_change_that_was_not_seen_and_is_written_by_the_retry() {
    let (server, shops) = start().await;
    shops.put("a", shop(json!([{ "Status": "open" }]))).await;
    let bench = Bench::start::<Plain>(&server).await;
    server.delay_writes(1);
    let _leading = bench.lead().await;
    shops.put("a", json!({ "status": { "says": "burnt down" } })).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(shops.get("a").await.unwrap()["status"]["says"], "burnt down");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(shops.get("a").await.unwrap()["status"]["says"], "open");
    assert_eq!(bench.log.take().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_shop_being_deleted_is_finalized_once_and_then_goes() {
    let (server, shops) = start().await;
    shops.put("a", shop(json!([]))).await;
    let bench = Bench::start::<Finalizing>(&server).await;
    let _leading = bench.lead().await;
    bench.log.take();
    shops.delete("a").await;
    settle().await;
    assert_eq!(bench.log.take(), ["finalize a"]);
    assert_eq!(shops.get("a").await, None);
}

#[tokio::test(start_paused = true)]
async fn only_our_own_finalizer_is_removed_and_the_object_is_left_alone_then() {
    let (server, shops) = start().await;
    let mut a = shop(json!([]));
    a["metadata"]["finalizers"] = json!(["example.com/first", OURS, "example.com/last"]);
    shops.put("a", a).await;
    let bench = Bench::start::<Finalizing>(&server).await;
    shops.delete("a").await;
    let _leading = bench.lead().await;
    assert_eq!(bench.log.take(), ["finalize a"]);
    assert_eq!(finalizers(&shops, "a").await, json!(["example.com/first", "example.com/last"]));
    shops.put("a", json!({ "spec": { "wares": "ash" }, "metadata": { "finalizers": ["example.com/last"] } })).await;
    settle().await;
    assert_eq!(bench.log.take(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn finalizers_that_others_change_at_the_same_time_do_not_make_it_finalize_again() {
    let (server, shops) = start().await;
    let mut a = shop(json!([]));
    a["metadata"]["finalizers"] = json!(["example.com/first", OURS]);
    shops.put("a", a).await;
    let bench = Bench::start::<Finalizing>(&server).await;
    shops.delete("a").await;
    settle().await;
    server.faults().silence_watches();
    server.delay_writes(1);
    let _leading = bench.lead().await;
    shops.put("a", json!({ "metadata": { "finalizers": [OURS] } })).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(bench.log.take(), ["finalize a"]);
    assert_eq!(shops.get("a").await, None);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_before_its_finalizer_is_removed_is_done() {
    let (server, shops) = start().await;
    let mut a = shop(json!([]));
    a["metadata"]["finalizers"] = json!([OURS]);
    shops.put("a", a).await;
    let bench = Bench::start::<Finalizing>(&server).await;
    shops.delete("a").await;
    settle().await;
    // The watch is no help: a retry would see the object again.
    server.faults().silence_watches();
    server.delay_writes(1);
    let _leading = bench.lead().await;
    shops.put("a", json!({ "metadata": { "finalizers": [] } })).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.log.take(), ["finalize a"]);
    assert_eq!(server.writes(), ["patch shops/a"]);
}

#[tokio::test(start_paused = true)]
async fn a_finalizer_that_fails_keeps_the_object_and_is_retried() {
    let (server, shops) = start().await;
    let mut a = shop(json!(["Fail"]));
    a["metadata"]["finalizers"] = json!([OURS]);
    shops.put("a", a).await;
    let bench = Bench::start::<Finalizing>(&server).await;
    shops.delete("a").await;
    let _leading = bench.lead().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(bench.log.take().len() > 1);
    assert_eq!(finalizers(&shops, "a").await, json!([OURS]));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_being_deleted_when_its_finalizer_should_be_added_is_left_alone() {
    let (server, shops) = start().await;
    let mut a = shop(json!([]));
    a["metadata"]["finalizers"] = json!(["example.com/first"]);
    shops.put("a", a).await;
    let bench = Bench::start::<Finalizing>(&server).await;
    server.faults().silence_watches();
    // The real server refuses a new finalizer then; here the list has changed as well.
    server.delay_writes(1);
    let _leading = bench.lead().await;
    shops.put("a", json!({ "metadata": { "finalizers": ["example.com/last"] } })).await;
    shops.delete("a").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.log.take(), Vec::<String>::new());
    assert_eq!(server.writes(), ["patch shops/a"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_finalizer_an_object_that_goes_is_told_once_with_its_last_state() {
    let (server, shops) = start().await;
    shops.put("a", shop(json!([]))).await;
    let bench = Bench::start::<Plain>(&server).await;
    let _leading = bench.lead().await;
    assert_eq!(bench.log.take(), [r#"reconcile a with "tea""#]);
    shops.delete("a").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.log.take(), [r#"deleted a with "tea", try 1"#]);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_made_anew_is_reconciled_after_the_old_one_was_told_gone() {
    let (server, shops) = start().await;
    shops.put("a", shop(json!(["Fail"]))).await;
    let bench = Bench::start::<Plain>(&server).await;
    let _leading = bench.lead().await;
    bench.log.take();
    server.faults().silence_watches();
    shops.delete("a").await;
    shops.put("a", json!({ "spec": { "wares": "coffee" } })).await;
    server.faults().mend();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let told = bench.log.take();
    let reconciled = r#"reconcile a with "coffee""#;
    assert!(told[0].starts_with(r#"deleted a with "tea""#), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some(reconciled));
    assert_eq!(told.iter().filter(|line| *line == reconciled).count(), 1, "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn what_went_while_nobody_led_is_not_told_later() {
    let (server, shops) = start().await;
    shops.put("a", shop(json!([]))).await;
    let bench = Bench::start::<Plain>(&server).await;
    shops.delete("a").await;
    settle().await;
    let _leading = bench.lead().await;
    assert_eq!(bench.log.take(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_term_ends_with_its_work_and_the_next_one_reconciles_everything_again() {
    let (server, shops) = start().await;
    shops.put("a", shop(json!([]))).await;
    shops.put("b", shop(json!(["Hang"]))).await;
    let bench = Bench::start::<Plain>(&server).await;
    let leading = bench.lead().await;
    let mut first = bench.log.take();
    leading.control.end(EndReason::Stopped);
    leading.working.await.unwrap();
    assert!(leading.control.is_idle());
    shops.put("c", shop(json!([]))).await;
    settle().await;
    assert_eq!(bench.log.take(), Vec::<String>::new());
    let _again = bench.lead().await;
    let mut second = bench.log.take();
    first.push(r#"reconcile c with "tea""#.to_owned());
    first.sort();
    second.sort();
    assert_eq!(second, first);
}

#[tokio::test(start_paused = true)]
async fn events_are_published_with_their_object_and_counted() {
    let (server, shops) = start().await;
    shops.put("a", shop(json!([{ "Publish": "hear" }, { "Publish": "hear" }]))).await;
    let bench = Bench::start::<Plain>(&server).await;
    let _leading = bench.lead().await;
    let events = server.of::<Event>().list().await;
    let [event] = events.as_slice() else { panic!("one event: {events:#?}") };
    assert_eq!(event["involvedObject"]["name"], "a");
    assert_eq!(event["involvedObject"]["uid"], shops.get("a").await.unwrap()["metadata"]["uid"]);
    assert_eq!((&event["reportingComponent"], &event["reportingInstance"]), (&json!("shops"), &json!("replica-a")));
    assert_eq!((&event["count"], &event["message"]), (&json!(2), &json!("hear")));
}
