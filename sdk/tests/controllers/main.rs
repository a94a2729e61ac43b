//! Controllers, from a registration to what they write, on an API server in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by a panic, in its fixtures too"
)]

mod bench;
mod server;

use std::time::Duration;

use kubeops::leadership::EndReason;
use serde_json::{Value, json};

use self::bench::{Bench, Finalizing, Plain};
use self::server::{Server, settle};

const OURS: &str = "example.com/ours";

fn shop(script: Value) -> Value {
    json!({ "spec": { "wares": "tea", "script": script } })
}

fn finalizers(server: &Server, name: &str) -> Value {
    server.get("shops", name).map_or(Value::Null, |shop| shop["metadata"]["finalizers"].clone())
}

#[tokio::test(start_paused = true)]
async fn the_finalizer_is_added_before_the_first_reconcile_which_sees_it() {
    let server = Server::start();
    server.put("shops", "a", shop(json!([])));
    let bench = Bench::start::<Finalizing>(&server).await;
    let _leading = bench.lead().await;
    assert_eq!(bench.log.take(), [r#"reconcile a, finalizers ["example.com/ours"]"#]);
    assert_eq!(server.writes(), ["PATCH shops/a"]);
}

#[tokio::test(start_paused = true)]
async fn a_standby_writes_nothing_and_reconciles_nothing() {
    let server = Server::start();
    let bench = Bench::start::<Finalizing>(&server).await;
    server.put("shops", "a", shop(json!(["Apply"])));
    settle().await;
    assert_eq!((bench.log.take(), server.writes()), (Vec::new(), Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_shop_that_is_as_it_should_be_is_written_no_more() {
    let server = Server::start();
    let bench = Bench::start::<Finalizing>(&server).await;
    let _leading = bench.lead().await;
    server.put("shops", "a", shop(json!(["Apply", { "Status": "open" }])));
    settle().await;
    let page = server.get("configmaps", "a").unwrap();
    assert_eq!(page["metadata"]["ownerReferences"][0]["kind"], "Shop");
    assert_eq!(page["metadata"]["ownerReferences"][0]["controller"], true);
    // The page's creation woke its owner once more, which found the status as it should be.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let expected = ["PATCH shops/a", "PATCH configmaps/a", "PATCH shops/a/status", "PATCH configmaps/a"];
    assert_eq!(server.writes(), expected);
    assert_eq!(bench.log.take().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_owned_object_that_somebody_changed_is_repaired() {
    let server = Server::start();
    server.put("shops", "a", shop(json!(["Apply"])));
    let bench = Bench::start::<Finalizing>(&server).await;
    let _leading = bench.lead().await;
    bench.log.take();
    server.put("configmaps", "a", json!({ "data": { "wares": "stones" } }));
    settle().await;
    assert_eq!(server.get("configmaps", "a").unwrap()["data"]["wares"], "tea");
    assert!(bench.log.take()[0].contains("because of a ConfigMap"));
    server.delete("configmaps", "a");
    settle().await;
    assert_eq!(server.get("configmaps", "a").unwrap()["data"]["wares"], "tea");
}

#[tokio::test(start_paused = true)]
async fn what_an_object_of_another_group_owns_wakes_nobody() {
    let server = Server::start();
    server.put("shops", "a", shop(json!([])));
    let bench = Bench::start::<Finalizing>(&server).await;
    let _leading = bench.lead().await;
    bench.log.take();
    for (name, api_version) in [("other", "elsewhere.com/v1"), ("older", "example.com/v1alpha1")] {
        let owner =
            json!({ "apiVersion": api_version, "kind": "Shop", "name": "a", "uid": "uid-0", "controller": true });
        server.put("configmaps", name, json!({ "metadata": { "ownerReferences": [owner] } }));
        settle().await;
        // Another version of the same kind is the same object.
        assert_eq!(bench.log.take().len(), usize::from(name == "older"), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_write_of_a_reconcile_tests_the_version_that_the_one_before_returned() {
    let server = Server::start();
    server.put("shops", "a", shop(json!([{ "Status": "opening" }, { "Status": "open" }])));
    let bench = Bench::start::<Finalizing>(&server).await;
    // Nothing comes by the watch: all versions are from answers.
    server.hold_watches();
    let _leading = bench.lead().await;
    assert_eq!(server.writes(), ["PATCH shops/a", "PATCH shops/a/status", "PATCH shops/a/status"]);
    let tested: Vec<_> = server.seen().iter().map(|seen| seen.body["metadata"]["resourceVersion"].clone()).collect();
    assert_eq!(tested[tested.len() - 2..], ["102", "103"]);
    assert_eq!(server.get("shops", "a").unwrap()["status"]["says"], "open");
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_right_behind_another_sees_what_that_one_wrote_although_the_watch_lags() {
    let server = Server::start();
    server.put("shops", "a", shop(json!([{ "Status": "open" }])));
    let bench = Bench::start::<Finalizing>(&server).await;
    server.hold_watches();
    let leading = bench.lead().await;
    let before = server.writes();
    leading.control.end(EndReason::Stopped);
    leading.working.await.unwrap();
    let _again = bench.lead().await;
    assert_eq!(bench.log.take().len(), 2);
    assert_eq!(server.writes(), before);
    server.let_watches_go();
    settle().await;
    assert_eq!(bench.log.take(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_status_is_not_written_over_a_change_that_was_not_seen_and_is_written_by_the_retry() {
    let server = Server::start();
    server.put("shops", "a", shop(json!([{ "Status": "open" }])));
    let bench = Bench::start::<Plain>(&server).await;
    server.before_next_write(|server| server.put("shops", "a", json!({ "status": { "says": "burnt down" } })));
    let _leading = bench.lead().await;
    assert_eq!(server.get("shops", "a").unwrap()["status"]["says"], "burnt down");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(server.get("shops", "a").unwrap()["status"]["says"], "open");
    assert_eq!(bench.log.take().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_shop_being_deleted_is_finalized_once_and_then_goes() {
    let server = Server::start();
    server.put("shops", "a", shop(json!([])));
    let bench = Bench::start::<Finalizing>(&server).await;
    let _leading = bench.lead().await;
    bench.log.take();
    server.delete("shops", "a");
    settle().await;
    assert_eq!(bench.log.take(), ["finalize a"]);
    assert_eq!(server.get("shops", "a"), None);
}

#[tokio::test(start_paused = true)]
async fn only_our_own_finalizer_is_removed_and_the_object_is_left_alone_then() {
    let server = Server::start();
    let mut a = shop(json!([]));
    a["metadata"]["finalizers"] = json!(["example.com/first", OURS, "example.com/last"]);
    server.put("shops", "a", a);
    let bench = Bench::start::<Finalizing>(&server).await;
    server.delete("shops", "a");
    let _leading = bench.lead().await;
    assert_eq!(bench.log.take(), ["finalize a"]);
    assert_eq!(finalizers(&server, "a"), json!(["example.com/first", "example.com/last"]));
    server.put("shops", "a", json!({ "spec": { "wares": "ash" }, "metadata": { "finalizers": ["example.com/last"] } }));
    settle().await;
    assert_eq!(bench.log.take(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn finalizers_that_others_change_at_the_same_time_do_not_make_it_finalize_again() {
    let server = Server::start();
    let mut a = shop(json!([]));
    a["metadata"]["finalizers"] = json!(["example.com/first", OURS]);
    server.put("shops", "a", a);
    let bench = Bench::start::<Finalizing>(&server).await;
    server.delete("shops", "a");
    settle().await;
    server.hold_watches();
    server.before_next_write(|server| server.put("shops", "a", json!({ "metadata": { "finalizers": [OURS] } })));
    let _leading = bench.lead().await;
    assert_eq!(bench.log.take(), ["finalize a"]);
    assert_eq!(server.get("shops", "a"), None);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_before_its_finalizer_is_removed_is_done() {
    let server = Server::start();
    let mut a = shop(json!([]));
    a["metadata"]["finalizers"] = json!([OURS]);
    server.put("shops", "a", a);
    let bench = Bench::start::<Finalizing>(&server).await;
    server.delete("shops", "a");
    settle().await;
    // The watch is no help: a retry would see the object again.
    server.hold_watches();
    server.before_next_write(|server| server.put("shops", "a", json!({ "metadata": { "finalizers": [] } })));
    let _leading = bench.lead().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.log.take(), ["finalize a"]);
    assert_eq!(server.writes(), ["PATCH shops/a"]);
}

#[tokio::test(start_paused = true)]
async fn a_finalizer_that_fails_keeps_the_object_and_is_retried() {
    let server = Server::start();
    let mut a = shop(json!(["Fail"]));
    a["metadata"]["finalizers"] = json!([OURS]);
    server.put("shops", "a", a);
    let bench = Bench::start::<Finalizing>(&server).await;
    server.delete("shops", "a");
    let _leading = bench.lead().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(bench.log.take().len() > 1);
    assert_eq!(finalizers(&server, "a"), json!([OURS]));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_being_deleted_when_its_finalizer_should_be_added_is_left_alone() {
    let server = Server::start();
    let mut a = shop(json!([]));
    a["metadata"]["finalizers"] = json!(["example.com/first"]);
    server.put("shops", "a", a);
    let bench = Bench::start::<Finalizing>(&server).await;
    server.hold_watches();
    // The real server refuses a new finalizer then; here the list has changed as well.
    server.before_next_write(|server| {
        server.put("shops", "a", json!({ "metadata": { "finalizers": ["example.com/last"] } }));
        server.delete("shops", "a");
    });
    let _leading = bench.lead().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.log.take(), Vec::<String>::new());
    assert_eq!(server.writes(), ["PATCH shops/a"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_finalizer_an_object_that_goes_is_told_once_with_its_last_state() {
    let server = Server::start();
    server.put("shops", "a", shop(json!([])));
    let bench = Bench::start::<Plain>(&server).await;
    let _leading = bench.lead().await;
    assert_eq!(bench.log.take(), [r#"reconcile a with "tea""#]);
    server.delete("shops", "a");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.log.take(), [r#"deleted a with "tea", try 1"#]);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_made_anew_is_reconciled_after_the_old_one_was_told_gone() {
    let server = Server::start();
    server.put("shops", "a", shop(json!(["Fail"])));
    let bench = Bench::start::<Plain>(&server).await;
    let _leading = bench.lead().await;
    bench.log.take();
    server.hold_watches();
    server.delete("shops", "a");
    server.put("shops", "a", json!({ "spec": { "wares": "coffee" } }));
    server.let_watches_go();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let told = bench.log.take();
    let reconciled = r#"reconcile a with "coffee""#;
    assert!(told[0].starts_with(r#"deleted a with "tea""#), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some(reconciled));
    assert_eq!(told.iter().filter(|line| *line == reconciled).count(), 1, "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn what_went_while_nobody_led_is_not_told_later() {
    let server = Server::start();
    server.put("shops", "a", shop(json!([])));
    let bench = Bench::start::<Plain>(&server).await;
    server.delete("shops", "a");
    settle().await;
    let _leading = bench.lead().await;
    assert_eq!(bench.log.take(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_term_ends_with_its_work_and_the_next_one_reconciles_everything_again() {
    let server = Server::start();
    server.put("shops", "a", shop(json!([])));
    server.put("shops", "b", shop(json!(["Hang"])));
    let bench = Bench::start::<Plain>(&server).await;
    let leading = bench.lead().await;
    let mut first = bench.log.take();
    leading.control.end(EndReason::Stopped);
    leading.working.await.unwrap();
    assert!(leading.control.is_idle());
    server.put("shops", "c", shop(json!([])));
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
    let server = Server::start();
    server.put("shops", "a", shop(json!([{ "Publish": "hear" }, { "Publish": "hear" }])));
    let bench = Bench::start::<Plain>(&server).await;
    let _leading = bench.lead().await;
    let seen = server.seen();
    let created = seen.iter().find(|seen| seen.method == http::Method::POST).unwrap();
    assert_eq!(created.path, "/api/v1/namespaces/default/events");
    assert_eq!(created.body["involvedObject"]["name"], "a");
    assert_eq!(created.body["involvedObject"]["uid"], server.get("shops", "a").unwrap()["metadata"]["uid"]);
    assert_eq!(created.body["reportingComponent"], "shops");
    assert_eq!(created.body["reportingInstance"], "replica-a");
    let name = created.body["metadata"]["name"].as_str().unwrap();
    let event = server.get("events", name).unwrap();
    assert_eq!((&event["count"], &event["message"]), (&json!(2), &json!("hear")));
}
