//! What goes wrong between a client and the cluster.

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use kube::api::{ListParams, PostParams, WatchEvent, WatchParams};
use kubeops_testkit::Cluster;
use kubeops_testkit::cluster::Fault;
use serde_json::json;

use crate::given::{config_map, config_maps, refused};

#[tokio::test(start_paused = true)]
async fn an_answer_may_be_lost_after_the_commit_and_a_request_before_it() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    cluster.faults("a").next(Fault::LoseAnswer);
    assert!(!matches!(
        api.create(&PostParams::default(), &config_map("x", json!({}))).await,
        Ok(_) | Err(kube::Error::Api(_))
    ));
    assert!(api.get_opt("x").await.unwrap().is_some());

    cluster.faults("a").next(Fault::HangAnswer);
    let (params, hangs) = (PostParams::default(), config_map("hangs", json!({})));
    assert!(tokio::time::timeout(Duration::from_secs(3600), api.create(&params, &hangs)).await.is_err());
    assert!(api.get_opt("hangs").await.unwrap().is_some());

    cluster.faults("a").next(Fault::LoseRequest);
    assert!(api.create(&PostParams::default(), &config_map("y", json!({}))).await.is_err());
    assert!(api.get_opt("y").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn faults_strike_one_client_and_the_requests_they_are_for() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    cluster.faults("another").cut();
    cluster.faults("a").when(
        |request| request.verb == "create",
        Some(1),
        Fault::Refuse { code: 403, retry_after: None },
    );
    assert!(api.list(&ListParams::default()).await.is_ok());
    assert_eq!(refused(api.create(&PostParams::default(), &config_map("x", json!({}))).await).0, 403);
    assert!(api.create(&PostParams::default(), &config_map("x", json!({}))).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn latency_takes_the_time_of_tokio() {
    let cluster = Cluster::start().await;
    cluster.faults("a").always(Fault::Latency(Duration::from_secs(3600)));
    let start = tokio::time::Instant::now();
    let before = cluster.now();
    config_maps(&cluster).list(&ListParams::default()).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(3600));
    assert!(cluster.now().duration_since(before).as_secs() >= 3600, "the server's clock goes along");
}

#[tokio::test(start_paused = true)]
async fn a_cut_client_hears_nothing_until_it_is_mended() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let mut events = pin!(api.watch(&WatchParams::default(), "0").await.unwrap());
    cluster.faults("a").cut();
    assert!(matches!(events.next().await, Some(Err(_))), "the watch breaks");
    assert!(api.list(&ListParams::default()).await.is_err());
    cluster.faults("a").mend();
    assert!(api.list(&ListParams::default()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_silent_watch_tells_later_what_it_held_back() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let mut events = pin!(api.watch(&WatchParams::default(), "0").await.unwrap());
    cluster.faults("a").silence_watches();
    api.create(&PostParams::default(), &config_map("x", json!({}))).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(60), events.next()).await.is_err());
    cluster.faults("a").mend();
    assert!(matches!(events.next().await, Some(Ok(_))));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_silent_for_longer_than_it_lasts_lets_time_pass() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let mut events = pin!(api.watch(&WatchParams::default().timeout(10), "0").await.unwrap());
    cluster.faults("a").silence_watches();
    assert!(tokio::time::timeout(Duration::from_secs(3600), events.next()).await.is_err());
    cluster.faults("a").mend();
    assert!(events.next().await.is_none(), "then it ends as it would have");
}

#[tokio::test(start_paused = true)]
async fn a_watch_may_end_as_soon_as_it_is_open_and_say_why() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let faults = cluster.faults("a");
    faults.next(Fault::EndWatch { error: None }).next(Fault::EndWatch { error: Some(410) });
    // The first request meets both: what was said last counts.
    let events: Vec<_> = api.watch(&WatchParams::default(), "0").await.unwrap().collect().await;
    assert!(matches!(&events[..], [Ok(WatchEvent::Error(status))] if status.code == 410), "{events:?}");
    faults.next(Fault::EndWatch { error: None });
    assert!(api.list(&ListParams::default()).await.is_ok(), "no watch, no end");
    faults.when(|request| request.verb == "watch", Some(1), Fault::EndWatch { error: None });
    assert_eq!(api.watch(&WatchParams::default(), "0").await.unwrap().count().await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_may_make_no_sense_although_it_is_done() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    cluster.faults("a").next(Fault::Garble);
    let error = api.create(&PostParams::default(), &config_map("x", json!({}))).await.unwrap_err();
    assert!(matches!(error, kube::Error::SerdeError(_)), "{error:?}");
    assert!(api.get_opt("x").await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn every_request_is_on_record() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    api.create(&PostParams::default(), &config_map("x", json!({}))).await.unwrap();
    assert!(api.get("gone").await.is_err());
    let told: Vec<_> = cluster.requests().into_iter().map(|r| (r.user, r.verb, r.resource, r.name, r.code)).collect();
    let expected = [("create", "x", Some(201)), ("get", "gone", Some(404))]
        .map(|(verb, name, code)| ("a".to_owned(), verb.to_owned(), "configmaps".to_owned(), name.to_owned(), code));
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_of_the_record_is_not_mixed_up_with_what_comes_later() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let watch = Box::pin(api.watch(&WatchParams::default(), "0").await.unwrap());
    assert!(api.get("gone").await.is_err());
    cluster.forget_requests();
    assert!(cluster.requests().is_empty());
    cluster.faults("a").when(|request| request.verb == "create", Some(1), Fault::LoseAnswer);
    assert!(api.create(&PostParams::default(), &config_map("x", json!({}))).await.is_err());
    drop(watch);
    let told: Vec<_> = cluster.requests().into_iter().map(|r| (r.verb, r.code, r.completed.is_some())).collect();
    assert_eq!(told, [("create".to_owned(), Some(201), true)], "not the watch's end");
}
