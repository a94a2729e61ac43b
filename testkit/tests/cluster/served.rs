//! The cluster behind its port, asked over TLS.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, PostParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use kubeops_testkit::cluster::{Fault, Serving};
use kubeops_testkit::{Cluster, Error, eventually};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::given::{config_map, refused};

/// Generous: a test that passes does not wait for it.
const SOON: Duration = Duration::from_secs(60);

fn anywhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

async fn served() -> (Cluster, Serving) {
    let cluster = Cluster::start().await;
    let serving = cluster.serve(anywhere()).await.unwrap();
    (cluster, serving)
}

async fn client_of(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    // A fault is to be seen, not asked again.
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

async fn config_maps_of(serving: &Serving, user: &str) -> Api<ConfigMap> {
    Api::default_namespaced(client_of(&serving.kubeconfig(user)).await)
}

fn x() -> ConfigMap {
    config_map("x", json!({}))
}

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
    let request = format!(
        "GET /api/v1/configmaps?watch=true HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\n\r\n",
        token_of(&serving)
    );
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
    let request = format!("GET /version HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", token_of(&serving));
    let answer = raw(&serving, &request);
    assert_eq!(timeout(SOON, answer).await.unwrap(), "", "not even the beginning of an answer");
}

fn token_of(serving: &Serving) -> String {
    let kubeconfig: serde_json::Value = serde_json::from_str(&serving.kubeconfig("a")).unwrap();
    kubeconfig["users"][0]["user"]["token"].as_str().unwrap().to_owned()
}

/// What comes back over TLS, until the connection ends.
async fn raw(serving: &Serving, text: &str) -> String {
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
    let kubeconfig: serde_json::Value = serde_json::from_str(&serving.kubeconfig("a")).unwrap();
    let authority = &kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"];
    let pem: k8s_openapi::ByteString = serde_json::from_value(authority.clone()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem.0).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(ring::default_provider().into());
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(serving.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(std::sync::Arc::new(config)).connect(name, stream).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Its end without a farewell is an error.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
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
    eventually("the server notices that they are gone", SOON, async || {
        let open = cluster.requests().iter().filter(|request| request.completed.is_none()).count();
        if open == 0 { Ok(()) } else { Err(format!("{open} are open")) }
    })
    .await
    .unwrap();
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
