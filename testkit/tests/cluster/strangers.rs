//! Clients that are wrong, silent, slow, many or gone.

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, PostParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use kubeops_testkit::cluster::Fault;
use kubeops_testkit::{Cluster, eventually};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::given::{config_map, refused};
use crate::network::{SOON, client_of, config_maps_of, connection, request, served, x};

#[tokio::test]
async fn who_has_no_valid_token_is_unauthorized() {
    let (cluster, serving) = served().await;
    let mut kubeconfig = Kubeconfig::from_yaml(&serving.kubeconfig("a")).unwrap();
    for token in [None, Some("wrong".to_owned())] {
        kubeconfig.auth_infos[0].auth_info.as_mut().unwrap().token = token.map(Into::into);
        let config = Config::from_custom_kubeconfig(kubeconfig.clone(), &KubeConfigOptions::default()).await.unwrap();
        let api: Api<ConfigMap> = Api::default_namespaced(Client::try_from(config).unwrap());
        assert_eq!(refused(api.list(&ListParams::default()).await), (401, "Unauthorized".to_owned()));
    }
    assert!(cluster.requests().is_empty(), "nobody asked it");
}

#[tokio::test]
async fn a_certificate_of_another_cluster_is_not_trusted() {
    let ((_a, here), (_b, there)) = (served().await, served().await);
    let there_with_our_authority = here.kubeconfig("a").replace(&here.url(), &there.url());
    let api: Api<ConfigMap> = Api::default_namespaced(client_of(&there_with_our_authority).await);
    assert!(!matches!(api.list(&ListParams::default()).await, Ok(_) | Err(kube::Error::Api(_))));
}

#[tokio::test]
async fn who_is_silent_in_the_handshake_holds_up_nobody() {
    let (_cluster, serving) = served().await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(serving.address()).await.unwrap());
    }
    // The beginning of a handshake, and no more.
    silent[0].write_all(&[0x16, 0x03, 0x01, 0x02]).await.unwrap();
    let api = config_maps_of(&serving, "a").await;
    timeout(SOON / 6, api.list(&ListParams::default())).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_no_tls_is_turned_away() {
    let (_cluster, serving) = served().await;
    for (sent, expected) in [
        ("GET /version HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.0 400 Bad Request"),
        ("PATCH /api HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.0 400 Bad Request"),
        ("garbage, and more of it than a handshake's first record would need to be told from one", ""),
    ] {
        let mut stream = TcpStream::connect(serving.address()).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.expect("it is closed");
        assert!(String::from_utf8_lossy(&answer).starts_with(expected), "{answer:?}");
    }
    let api = config_maps_of(&serving, "a").await;
    api.list(&ListParams::default()).await.unwrap();
}

#[tokio::test]
async fn two_hundred_watches_run_at_once() {
    const WATCHES: usize = 200;
    let (cluster, serving) = served().await;
    let kubeconfig = serving.kubeconfig("a");
    let mut watches = Vec::new();
    for _ in 0..WATCHES {
        // A connection of its own each.
        let api: Api<ConfigMap> = Api::default_namespaced(client_of(&kubeconfig).await);
        watches.push(api.watch(&WatchParams::default(), "0").await.unwrap().boxed());
    }
    let here: Api<ConfigMap> = Api::default_namespaced(cluster.client("here"));
    here.create(&PostParams::default(), &x()).await.unwrap();
    for watch in &mut watches {
        assert!(matches!(timeout(SOON, watch.next()).await.unwrap(), Some(Ok(WatchEvent::Added(_)))));
    }
    drop(watches);
    all_watches_end(&cluster).await;
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_and_the_client_hears_why() {
    const LIMIT: usize = 3 * 1024 * 1024;
    let (_cluster, serving) = served().await;
    let api = config_maps_of(&serving, "a").await;
    for length in [LIMIT, 4 * LIMIT] {
        let long = config_map("x", json!({"data": {"long": "x".repeat(length)}}));
        let refusal = refused(api.create(&PostParams::default(), &long).await);
        assert_eq!(refusal, (413, format!("Request entity too large: limit is {LIMIT}")));
    }
    api.create(&PostParams::default(), &config_map("y", json!({"data": {"long": "x".repeat(LIMIT / 4)}})))
        .await
        .unwrap();
}

#[tokio::test]
async fn protobuf_is_refused_with_a_way_out() {
    let cluster = Cluster::start().await;
    let ask = |method: &str, name: &'static str, body: &[u8]| {
        let request = http::Request::builder().method(method).uri("/api/v1/namespaces/default/configmaps");
        request.header(name, "application/vnd.kubernetes.protobuf").body(body.to_vec()).unwrap()
    };
    let client = cluster.client("a");
    let (code, message) = refused(client.request_text(ask("POST", "content-type", b"k8s\0")).await);
    assert_eq!(code, 415);
    assert!(message.contains("not application/vnd.kubernetes.protobuf") && message.contains("create -f"), "{message}");
    assert_eq!(refused(client.request_text(ask("GET", "accept", b"")).await).0, 406);
}

#[tokio::test]
async fn who_does_not_read_its_watch_holds_up_nobody() {
    const WRITES: usize = 100;
    let (cluster, serving) = served().await;
    let mut slow = connection(&serving).await;
    slow.write_all(request(&serving, "GET", "/api/v1/configmaps?watch=true", "").as_bytes()).await.unwrap();
    let api = config_maps_of(&serving, "b").await;
    // More than sockets hold.
    let data = "x".repeat(100_000);
    api.create(&PostParams::default(), &x()).await.unwrap();
    for round in 0..WRITES {
        let patch = kube::api::Patch::Merge(json!({"data": {"round": round.to_string(), "data": data}}));
        timeout(SOON, api.patch("x", &Default::default(), &patch)).await.unwrap().unwrap();
    }
    let last = format!("\"round\":\"{}\"", WRITES - 1);
    let mut read = Vec::new();
    let everything = async {
        let mut chunk = vec![0; 1 << 20];
        loop {
            let length = slow.read(&mut chunk).await.unwrap();
            // What is looked for may lie across two chunks.
            let start = read.len().saturating_sub(last.len());
            read.extend_from_slice(&chunk[..length]);
            if String::from_utf8_lossy(&read[start..]).contains(&last) {
                return;
            }
        }
    };
    timeout(SOON, everything).await.expect("it is told all of it when it reads");
    drop(slow);
    all_watches_end(&cluster).await;
}

#[tokio::test]
async fn who_goes_in_the_middle_of_a_request_leaves_nothing_behind() {
    let (cluster, serving) = served().await;
    for (more, body) in [("content-length: 100\r\n", "{\"half\":"), ("transfer-encoding: chunked\r\n", "5\r\n{\"a")] {
        let mut stream = connection(&serving).await;
        let head = request(&serving, "POST", "/api/v1/namespaces/default/configmaps", more);
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.expect("the connection ends");
        assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    }
    assert!(cluster.requests().is_empty(), "half a request is none");
}

#[tokio::test]
async fn who_goes_while_its_request_hangs_is_let_go() {
    let (cluster, serving) = served().await;
    cluster.faults("a").always(Fault::Hang);
    let mut stream = connection(&serving).await;
    stream.write_all(request(&serving, "GET", "/version", "").as_bytes()).await.unwrap();
    eventually("it hangs", SOON, async || if cluster.requests().is_empty() { Err("not yet") } else { Ok(()) })
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.expect("the server closes its side, too");
    assert!(answer.is_empty());
}

async fn all_watches_end(cluster: &Cluster) {
    eventually("the server notices that they are gone", SOON, async || {
        let requests = cluster.requests();
        let open = requests.iter().filter(|request| request.verb == "watch" && request.completed.is_none()).count();
        if open == 0 { Ok(()) } else { Err(format!("{open} are open")) }
    })
    .await
    .unwrap();
}
