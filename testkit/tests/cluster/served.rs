//! The cluster behind its port, asked over TLS.

use std::net::Ipv4Addr;
use std::pin::pin;

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ListParams, PostParams, WatchEvent, WatchParams};
use kubeops_testkit::cluster::Fault;
use kubeops_testkit::{Cluster, Error, eventually};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::given::{config_map, refused};
use crate::network::{SOON, client_of, config_maps_of, raw, request, served, x};

#[tokio::test]
async fn users_are_told_apart_by_their_kubeconfigs() {
    let (cluster, serving) = served().await;
    let (a, b) = (config_maps_of(&serving, "a").await, config_maps_of(&serving, "b").await);
    a.create(&PostParams::default(), &x()).await.unwrap();
    cluster.faults("a").always(Fault::Refuse { code: 403, retry_after: None });
    assert_eq!(b.get("x").await.unwrap().metadata.name.as_deref(), Some("x"));
    assert_eq!(refused(a.get("x").await).0, 403);
    let told: Vec<_> = cluster.requests().into_iter().map(|r| (r.user, r.verb, r.code)).collect();
    let expected = [("a", "create", 201), ("b", "get", 200), ("a", "get", 403)];
    assert_eq!(told, expected.map(|(user, verb, code)| (user.to_owned(), verb.to_owned(), Some(code))));
}

#[tokio::test]
async fn a_watch_streams() {
    let (cluster, serving) = served().await;
    let api = config_maps_of(&serving, "a").await;
    let mut events = pin!(api.watch(&WatchParams::default(), "0").await.unwrap());
    for name in ["x", "y"] {
        // From this process, while the answer is under way.
        let here: Api<ConfigMap> = Api::default_namespaced(cluster.client("here"));
        here.create(&PostParams::default(), &config_map(name, json!({}))).await.unwrap();
        let Ok(Some(Ok(WatchEvent::Added(told)))) = timeout(SOON, events.next()).await else { panic!("no event") };
        assert_eq!(told.metadata.name.as_deref(), Some(name));
    }
}

#[tokio::test]
async fn a_watch_breaks_or_ends_as_it_is_told() {
    let (cluster, serving) = served().await;
    let request = request(&serving, "GET", "/api/v1/configmaps?watch=true", "connection: close\r\n");
    for breaks in [true, false] {
        let end = async {
            eventually("the watch is open", SOON, async || {
                let open =
                    cluster.requests().iter().any(|request| request.code.is_some() && request.completed.is_none());
                if open { Ok(()) } else { Err("not yet") }
            })
            .await
            .unwrap();
            let faults = cluster.faults("a");
            if breaks {
                faults.break_watches()
            } else {
                faults.end_watches()
            };
        };
        let (answer, ()) = timeout(SOON, async { tokio::join!(raw(&serving, &request), end) }).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer:?}");
        assert_eq!(answer.ends_with("\r\n0\r\n\r\n"), !breaks, "{answer:?}");
    }
}

#[tokio::test]
async fn a_fault_cuts_the_connection_without_a_word() {
    let (cluster, serving) = served().await;
    let api = config_maps_of(&serving, "a").await;
    for fault in [Fault::LoseAnswer, Fault::LoseRequest] {
        let is_done = fault == Fault::LoseAnswer;
        cluster.faults("a").next(fault);
        let answer = api.create(&PostParams::default(), &x()).await;
        assert!(!matches!(answer, Ok(_) | Err(kube::Error::Api(_))), "{answer:?}");
        assert_eq!(api.get_opt("x").await.unwrap().is_some(), is_done, "the next one finds a new connection");
        api.delete("x", &Default::default()).await.ok();
    }
    cluster.faults("a").next(Fault::LoseAnswer);
    let request = request(&serving, "GET", "/version", "");
    let answer = raw(&serving, &request);
    assert_eq!(timeout(SOON, answer).await.unwrap(), "", "not even the beginning of an answer");
}

#[tokio::test]
async fn each_answer_tells_the_time_of_the_server_once() {
    let (cluster, serving) = served().await;
    cluster.shift_clock(jiff::SignedDuration::from_hours(100_000));
    let year = format!(" {} ", cluster.now().strftime("%Y"));
    let wrong = request(&serving, "GET", "/version", "connection: close\r\n").replace("Bearer ", "Bearer x");
    for text in [request(&serving, "GET", "/version", "connection: close\r\n"), wrong] {
        let answer = raw(&serving, &text).await;
        let dates: Vec<&str> = answer.lines().filter(|line| line.to_lowercase().starts_with("date:")).collect();
        assert!(matches!(dates.as_slice(), [date] if date.contains(&year)), "{answer}");
    }
}

#[tokio::test]
async fn dropped_it_closes_its_port_and_ends_its_connections() {
    let (cluster, serving) = served().await;
    let (address, kubeconfig) = (serving.address(), serving.kubeconfig("a"));
    let api = config_maps_of(&serving, "a").await;
    let mut events = pin!(api.watch(&WatchParams::default(), "0").await.unwrap());
    drop(serving);
    assert!(matches!(timeout(SOON, events.next()).await.unwrap(), None | Some(Err(_))));
    assert!(TcpStream::connect(address).await.is_err());
    eventually("the watch is over on record, too", SOON, async || {
        let over = cluster.requests().iter().all(|request| request.completed.is_some());
        if over { Ok(()) } else { Err("not yet") }
    })
    .await
    .unwrap();

    let _again = cluster.serve(address).await.unwrap();
    let api: Api<ConfigMap> = Api::default_namespaced(client_of(&kubeconfig).await);
    api.list(&ListParams::default()).await.expect("a kubeconfig outlasts an outage");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let (cluster, serving) = served().await;
    match cluster.serve(serving.address()).await {
        Err(error @ Error::PortTaken { address }) if address == serving.address() => {
            assert_eq!(
                error.to_string(),
                format!("{address} is taken: choose another port, or 0 for one that is free")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn everywhere_is_also_here() {
    let cluster = Cluster::start().await;
    let serving = cluster.serve((Ipv4Addr::UNSPECIFIED, 0).into()).await.unwrap();
    assert_eq!(serving.url(), format!("https://127.0.0.1:{}", serving.address().port()));
    config_maps_of(&serving, "a").await.list(&ListParams::default()).await.unwrap();
}

#[tokio::test]
async fn open_api_is_there_for_built_in_and_for_custom_kinds() {
    let cluster = Cluster::start().await;
    crate::given::with_things(&cluster).await;
    let client = cluster.client("a");
    let get = async |path: &str| -> serde_json::Value {
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        client.request(request).await.unwrap()
    };
    let index = get("/openapi/v3").await;
    for (place, kind) in [("api/v1", "io.k8s.api.core.v1.ConfigMap"), ("apis/example.com/v1", "com.example.v1.Thing")] {
        let document = get(index["paths"][place]["serverRelativeURL"].as_str().unwrap()).await;
        assert_eq!(document["components"]["schemas"][kind]["properties"]["kind"]["type"], "string", "{place}");
    }
}
