//! What the status page of a running operator shows.

use std::time::Duration;

use kubeops::operator::RunningOperator;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::pages::{cluster, leads, operator, put, replica, until, written};

async fn status(operator: &RunningOperator) -> Value {
    let (status, text) = operator.get("/status").await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn page(operator: &RunningOperator) -> String {
    let (status, text) = operator.get("/").await;
    assert_eq!(status, 200, "{text}");
    text
}

fn names(of: &Value, who: &str) -> bool {
    of.as_str().is_some_and(|identity| identity.starts_with(&format!("{who}_")))
}

#[tokio::test(start_paused = true)]
async fn every_replica_tells_who_leads_and_a_takeover_turns_both() {
    let cluster = cluster().await;
    let first = replica(&cluster, "a").await;
    until("a leads", async || leads(&first).await).await;
    let second = replica(&cluster, "b").await;
    put(&cluster, "one", "{}").await;
    written(&cluster, "one").await;
    sleep(Duration::from_secs(60)).await;

    let (leading, standby) = (status(&first).await, status(&second).await);
    assert_eq!(
        (&leading["leadership"]["state"], &standby["leadership"]["state"]),
        (&json!("leading"), &json!("standby"))
    );
    for seen in [&leading, &standby] {
        let lock = json!({ "kind": "Lease", "namespace": "default", "name": "kubeops-leader" });
        assert!(names(&seen["leadership"]["leader"], "a") && seen["leadership"]["lock"] == lock, "{seen:#}");
        assert_eq!(seen["leadership"]["terms"].as_array().unwrap().len(), 1, "{seen:#}");
        assert_eq!(seen["caches"][0]["objects"], 1, "standbys are warm: {seen:#}");
    }
    assert!(leading["leadership"]["sinceSeconds"].as_u64().unwrap() >= 60, "{leading:#}");
    assert_eq!(leading["leadership"]["terms"][0]["number"], 1);
    let reconciles = &leading["controllers"][0]["reconciles"];
    assert!(reconciles["succeeded"].as_u64().unwrap() >= 1 && reconciles["failed"] == 0, "{leading:#}");
    assert_eq!(leading["controllers"][0]["queue"], json!({ "due": 0, "scheduled": 1 }), "the resync");
    assert_eq!(standby["controllers"][0]["queue"], json!({ "due": 0, "scheduled": 0 }));
    assert!(page(&first).await.contains("<h1>a leads</h1>") && page(&second).await.contains("<h1>a leads</h1>"));

    first.stop().await.unwrap();
    until("b leads", async || leads(&second).await).await;
    let seen = status(&second).await;
    let [own, other] = &seen["leadership"]["terms"].as_array().unwrap()[..] else { panic!("{seen:#}") };
    assert!(names(&own["leader"], "b") && own["number"] == 1 && own["ended"].is_null(), "{seen:#}");
    assert!(names(&other["leader"], "a") && other["reason"] == "the lock was given back", "{seen:#}");
    assert!(page(&second).await.contains("<h1>b leads</h1>"));
}

#[tokio::test(start_paused = true)]
async fn one_whose_elector_hangs_knows_that_its_term_is_over() {
    let cluster = cluster().await;
    let hung = replica(&cluster, "a").await;
    until("a leads", async || leads(&hung).await).await;
    hung.hang_elector();
    sleep(Duration::from_secs(20)).await;
    let seen = status(&hung).await;
    assert!(seen["leadership"]["state"] == "standby" && seen["leadership"]["leader"].is_null(), "{seen:#}");
    assert!(page(&hung).await.contains("<h1>Nobody leads</h1>"));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_was_killed_leads_no_longer_once_its_lock_has_run_out() {
    let cluster = cluster().await;
    let leader = replica(&cluster, "a").await;
    until("a leads", async || leads(&leader).await).await;
    let standby = replica(&cluster, "b").await;
    sleep(Duration::from_secs(10)).await;
    drop(leader);
    // It hears nothing more of the lock, and may not take it.
    cluster.faults("b").cut();
    sleep(Duration::from_secs(5)).await;
    assert!(names(&status(&standby).await["leadership"]["leader"], "a"), "as far as b can know");
    sleep(Duration::from_secs(15)).await;
    let seen = status(&standby).await;
    assert!(seen["leadership"]["leader"].is_null(), "{seen:#}");
    assert!(seen["caches"][0]["error"].is_string() && seen["caches"][0]["reconnects"] != 0, "{seen:#}");
    assert!(page(&standby).await.contains("watches do not work"));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_fails_is_there_until_it_is_mended() {
    let cluster = cluster().await;
    let running = replica(&cluster, "a").await;
    put(&cluster, "good", "{}").await;
    put(&cluster, "bad", "{ fails: true }").await;
    until("it has failed often", async || status(&running).await["controllers"][0]["errors"][0]["tries"] == 4).await;
    let seen = status(&running).await;
    let controller = &seen["controllers"][0];
    let error = &controller["errors"][0];
    assert_eq!((&controller["failing"], &controller["reconciles"]["failed"]), (&json!(1), &json!(4)), "{seen:#}");
    assert_eq!((&error["object"], &error["error"]), (&json!("default/bad"), &json!("no ink")), "{seen:#}");
    let time = |text: &Value| text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(time(&error["at"]) <= time(&seen["time"]) && time(&error["nextTry"]) > time(&error["at"]), "{seen:#}");
    let html = page(&running).await;
    assert!(html.contains("1 object fails") && html.contains("default/bad"), "{html}");

    put(&cluster, "bad", "{}").await;
    written(&cluster, "bad").await;
    until("it is mended", async || status(&running).await["controllers"][0]["failing"] == 0).await;
    assert_eq!(status(&running).await["controllers"][0]["errors"], json!([]));
    let html = page(&running).await;
    assert!(html.contains("All is well") && !html.contains("default/bad"), "{html}");
}

#[tokio::test(start_paused = true)]
async fn what_is_worked_on_is_named() {
    let cluster = cluster().await;
    let running = replica(&cluster, "a").await;
    put(&cluster, "slow", "{ seconds: 100 }").await;
    until("it is worked on", async || status(&running).await["controllers"][0]["workers"]["busy"] == 1).await;
    sleep(Duration::from_secs(30)).await;
    let seen = status(&running).await;
    let at = &seen["controllers"][0]["workers"]["inWork"][0];
    assert!(at["object"] == "default/slow" && at["seconds"].as_f64().unwrap() >= 30.0, "{seen:#}");
}

#[tokio::test(start_paused = true)]
async fn without_election_there_is_no_lock_and_one_term() {
    let cluster = cluster().await;
    let alone = operator().start_replica_on(&cluster, "a", &[("KubeOps:EnableLeaderElection", "false")]).await;
    until("it leads", async || leads(&alone).await).await;
    let seen = status(&alone).await;
    assert!(seen["leadership"]["lock"].is_null() && names(&seen["leadership"]["leader"], "a"), "{seen:#}");
    assert_eq!(seen["leadership"]["terms"][0]["number"], 1, "{seen:#}");
}

#[tokio::test(start_paused = true)]
async fn only_settings_that_are_listed_as_safe_show_their_value() {
    let cluster = cluster().await;
    let settings = [
        ("Shop:Theme", "autumn"),
        ("Shop:Hosts:0", "shop.example.com"),
        ("Shop:Greeting", "xyzzy-greeting"),
        ("Shop:Mail:Password", "xyzzy-password"),
        ("KubeOps:Pasword", "xyzzy-typo"),
        ("KubeOps:LeaderElectionId", "shop-leader"),
        ("Logging:LogLevel:Default", "Warning"),
        ("Logging:Sink", "xyzzy-sink"),
    ];
    let shop = operator().show_setting("Shop:Theme").show_setting("shop:hosts");
    let running = shop.start_replica_on(&cluster, "a", &settings).await;
    let seen = status(&running).await;
    let value = |key: &str| {
        let rows = seen["settings"].as_array().unwrap();
        rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("{key} is not in {seen:#}"))["value"].clone()
    };
    assert_eq!((value("Shop:Theme"), value("Shop:Hosts:0")), (json!("autumn"), json!("shop.example.com")));
    assert_eq!(
        (value("KubeOps:LeaderElectionId"), value("Logging:LogLevel:Default")),
        (json!("shop-leader"), json!("Warning"))
    );
    for key in ["Shop:Greeting", "Shop:Mail:Password", "KubeOps:Pasword", "Logging:Sink"] {
        assert_eq!(value(key), Value::Null, "{key}");
    }
    let (html, json) = (page(&running).await, seen.to_string());
    assert!(!html.contains("xyzzy") && !json.contains("xyzzy"), "{html}{json}");
    assert!(html.contains("Shop:Greeting") && html.contains("autumn"), "that it is set, and where, is no secret");
}
