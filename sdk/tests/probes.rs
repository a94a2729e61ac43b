//! What kubelets and scrapers are answered.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use futures::StreamExt as _;
use kubeops::health::{AddError, Health, Probes};
use kubeops::host::{Host, Signal};
use kubeops::http::{Server, metrics_router, probes_router};
use kubeops::metrics::Metrics;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tower::ServiceExt as _;

const LOCAL: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Status and body of an answer, without a socket.
async fn get(health: &Health, path: &str) -> (u16, String) {
    request(health, "GET", path).await
}

async fn request(health: &Health, method: &str, path: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let answer = probes_router(health).oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn answer(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

/// Ready, but not leading; alive.
fn standby() -> Health {
    let health = Health::new();
    health.add_sync("caches", Probes::READY | Probes::STARTUP, || Ok("1 kind".to_owned())).unwrap();
    let leading = || Err("guestbook-1_b4c leads".to_owned());
    health.add_sync("leading", Probes::READY.only_listed(), leading).unwrap();
    health.add("elector", Probes::LIVE, async || Ok(String::new())).unwrap();
    health
}

#[tokio::test]
async fn every_probe_answers_ok() {
    let health = standby();
    for path in ["/livez", "/healthz", "/readyz", "/startupz"] {
        assert_eq!(get(&health, path).await, answer(200, "ok"), "{path}");
        assert_eq!(request(&health, "HEAD", path).await, answer(200, ""), "{path}");
        assert_eq!(request(&health, "POST", path).await.0, 405, "{path}");
    }
    assert_eq!(get(&health, "/").await.0, 404);
}

#[tokio::test]
async fn verbose_lists_each_check_of_the_probe() {
    let expected = "[+]shutdown ok\n[+]caches ok: 1 kind\n\
        [-]leading failed: guestbook-1_b4c leads (does not count)\nreadyz check passed\n";
    assert_eq!(get(&standby(), "/readyz?verbose").await, answer(200, expected));
    assert_eq!(get(&standby(), "/healthz?verbose=1").await, answer(200, "[+]elector ok\nhealthz check passed\n"));
}

#[tokio::test]
async fn a_subpath_is_one_check_even_one_that_does_not_count() {
    let health = standby();
    assert_eq!(get(&health, "/readyz/caches").await, answer(200, "ok"));
    let expected = "[-]leading failed: guestbook-1_b4c leads\nreadyz check failed\n";
    assert_eq!(get(&health, "/readyz/leading").await, answer(503, expected));
    assert_eq!(request(&health, "HEAD", "/readyz/leading").await, answer(503, ""));
}

#[tokio::test]
async fn a_subpath_that_the_probe_has_not_is_404() {
    let health = standby();
    for path in ["/readyz/nobody", "/livez/caches", "/readyz/caches/more", "/readyz/"] {
        assert_eq!(get(&health, path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn what_fails_is_503_and_named_unless_excluded() {
    let health = standby();
    health.add_sync("smtp", Probes::READY, || Err("connection refused".to_owned())).unwrap();
    let failed = "[-]smtp failed: connection refused\nreadyz check failed\n";
    assert_eq!(get(&health, "/readyz").await, answer(503, failed));
    assert_eq!(get(&health, "/readyz?exclude=smtp").await, answer(200, "ok"));
    assert_eq!(get(&health, "/readyz?exclude=caches").await, answer(503, failed));
    let (status, text) = get(&health, "/readyz?verbose&exclude=smtp&exclude=snmp").await;
    assert_eq!(status, 200);
    assert!(text.contains("[+]smtp excluded: ok\n"), "{text}");
    assert!(text.contains("warn: no check is named `snmp`"), "{text}");
    assert_eq!(get(&health, "/livez").await, answer(200, "ok"));
}

#[tokio::test]
async fn draining_fails_readiness_alone() {
    let health = standby();
    health.start_draining();
    let failed = "[-]shutdown failed: the process is stopping\nreadyz check failed\n";
    assert_eq!(get(&health, "/readyz").await, answer(503, failed));
    assert_eq!(get(&health, "/livez").await, answer(200, "ok"));
    assert_eq!(get(&health, "/startupz").await, answer(200, "ok"));
}

#[tokio::test(start_paused = true)]
async fn slow_checks_are_cut_off_and_run_at_the_same_time() {
    let health = Health::new();
    for name in ["a", "b", "c"] {
        health.add(name, Probes::LIVE, std::future::pending).unwrap();
    }
    let zero = Instant::now();
    let (status, text) = get(&health, "/livez").await;
    assert_eq!((status, zero.elapsed()), (503, Health::CHECK_TIMEOUT));
    assert!(text.contains("[-]b failed: no answer within 800ms"), "{text}");
    let zero = Instant::now();
    get(&health, "/livez/a").await;
    assert_eq!(zero.elapsed(), Health::CHECK_TIMEOUT, "a check that was cut off is asked again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_check_that_blocks_a_thread_blocks_one_and_no_more() {
    let health = Health::new();
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = std::sync::Mutex::new(blocked);
    let begun = Arc::new(AtomicUsize::new(0));
    let count = begun.clone();
    let block = move || {
        count.fetch_add(1, Ordering::SeqCst);
        let _released = blocked.lock().unwrap().recv();
        Ok(String::new())
    };
    health.add_sync("rude", Probes::LIVE, block).unwrap();
    let (first, second) = tokio::join!(get(&health, "/livez"), get(&health, "/healthz"));
    assert_eq!((first.0, second.0), (503, 503));
    assert_eq!(get(&health, "/livez").await.0, 503);
    assert_eq!(begun.load(Ordering::SeqCst), 1);
    drop(release);
}

#[tokio::test]
async fn a_check_that_panics_has_failed() {
    let health = Health::new();
    health.add_sync("nervous", Probes::LIVE, || panic!("saw a ghost")).unwrap();
    assert_eq!(
        get(&health, "/livez").await,
        answer(503, "[-]nervous failed: the check panicked\nlivez check failed\n")
    );
}

#[test]
fn names_that_cannot_be_a_subpath_are_rejected() {
    let health = Health::new();
    let add = |name: &str| health.add_sync(name, Probes::LIVE, || Ok(String::new()));
    let too_long = "x".repeat(64);
    for name in ["", "a/b", "a b", "a?b", "..", "naïve", "a%2fb", &too_long] {
        assert_eq!(add(name), Err(AddError::InvalidName(name.to_owned())));
    }
    assert_eq!(add("twice"), Ok(()));
    assert_eq!(add("twice"), Err(AddError::Taken("twice".to_owned())));
    assert_eq!(add("shutdown"), Err(AddError::Taken("shutdown".to_owned())));
}

/// One request over a connection of its own, as it came over the wire.
async fn over_the_wire(address: SocketAddr, request: &str) -> String {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

fn get_request(path: &str, accept: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: probe\r\nAccept: {accept}\r\nConnection: close\r\n\r\n")
}

/// Runs `test` while a host runs `server`; then stops it and returns how long that took.
async fn while_served(server: Server, test: impl Future<Output = ()>) -> Duration {
    let (signals, receiver) = futures::channel::mpsc::unbounded::<Signal>();
    let host = Host::new().add("server", server);
    let (stopped, asked) = tokio::join!(host.run(receiver.boxed(), Duration::from_secs(25)), async {
        test.await;
        signals.unbounded_send(Signal::Terminate).unwrap();
        Instant::now()
    });
    stopped.unwrap();
    asked.elapsed()
}

#[tokio::test]
async fn probes_are_served_on_a_free_port() {
    let server = Server::bind("health", LOCAL.into(), probes_router(&standby())).unwrap();
    let address = server.address();
    assert_ne!(address.port(), 0);
    while_served(server, async {
        let answer = over_the_wire(address, &get_request("/readyz", "*/*")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
        let answer = over_the_wire(address, &get_request("/readyz/leading", "*/*")).await;
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn the_unspecified_ipv6_address_takes_ipv4_connections_too() {
    let unspecified = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    let server = Server::bind("health", unspecified, probes_router(&standby())).unwrap();
    let port = server.address().port();
    while_served(server, async {
        let answer = over_the_wire((Ipv4Addr::LOCALHOST, port).into(), &get_request("/livez", "*/*")).await;
        assert!(answer.ends_with("ok"), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn metrics_are_openmetrics_only_for_those_who_ask() {
    let metrics = Metrics::new();
    metrics.transition();
    let server = Server::bind("metrics", LOCAL.into(), metrics_router(&metrics)).unwrap();
    let address = server.address();
    while_served(server, async {
        let plain = over_the_wire(address, &get_request("/metrics", "*/*")).await;
        assert!(plain.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{plain}");
        assert!(plain.contains("\ncontroller_leadership_transitions_total 1\n") && !plain.contains("# EOF"), "{plain}");
        let open = over_the_wire(address, &get_request("/metrics", "application/openmetrics-text;version=1.0.0")).await;
        assert!(
            open.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"),
            "{open}"
        );
        assert!(open.ends_with("# EOF\n"), "{open}");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_never_finishes_its_request_does_not_hold_up_the_stop() {
    let server = Server::bind("health", LOCAL.into(), probes_router(&standby())).unwrap();
    let address = server.address();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let stopping = while_served(server, async {
        connection.write_all(b"GET /livez HTTP/1.1\r\nHost:").await.unwrap();
        // Another answer shows that the server is past the accept of the first connection.
        over_the_wire(address, &get_request("/livez", "*/*")).await;
    })
    .await;
    assert!(stopping < Duration::from_secs(5), "{stopping:?}");
}

#[tokio::test]
async fn a_taken_port_is_told_with_its_address() {
    let taken = Server::bind("health", LOCAL.into(), probes_router(&standby())).unwrap();
    let error = Server::bind("metrics", taken.address(), metrics_router(&Metrics::new())).unwrap_err();
    assert_eq!(error.to_string(), format!("the server for metrics cannot listen on {}", taken.address()));
    let cause = std::error::Error::source(&error).unwrap().downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(cause.kind(), std::io::ErrorKind::AddrInUse);
}
