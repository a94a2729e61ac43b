//! Writes whose bytes are pulled late: connections and queues have tasks of their own, which go on when nobody waits any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::socket::Socket;
use super::*;
use crate::leadership::TermControl;
use crate::leadership::clock::{Clock, Moment};

/// A term of ten seconds.
fn timed(clock: Clock) -> (TermControl, Term) {
    let end = clock.read() + Duration::from_secs(10);
    Term::until(1, ME.to_owned(), None, clock, end)
}

/// Of a process that stands still: it is late, and nobody is told.
fn stopped(late: &Arc<AtomicBool>) -> Clock {
    let late = late.clone();
    Clock::from_fn(move || Moment::new(Duration::from_secs(if late.load(Ordering::SeqCst) { 20 } else { 0 })))
}

/// Answers each request with an empty object.
async fn answer(mut connection: TcpStream) -> String {
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = connection.read(&mut buffer).await {
        received.extend(&buffer[..count]);
        connection.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    }
    String::from_utf8(received).unwrap()
}

/// Writes something, and returns what the server received of it. `late`: the process stands still after the connection has the
/// request and before it writes it.
async fn write(method: Method, body: &str, late: bool) -> (Result<Response<Body>, kube::Error>, String, bool) {
    let is_late = Arc::new(AtomicBool::new(false));
    let (control, term) = timed(stopped(&is_late));
    let socket = Socket::new(answer, move || is_late.store(late, Ordering::SeqCst)).await;
    let request = Request::builder().method(method).uri("/api/v1/things").body(Body::from(body.as_bytes().to_vec()));
    let outcome = fence(&socket.client, &term, &Metrics::default()).send(request.unwrap()).await;
    (outcome, socket.received().await, control.unanswered().is_none())
}

#[tokio::test]
async fn bytes_that_a_connection_has_not_written_when_the_term_ends_never_leave() {
    for (method, body) in [(Method::PATCH, "{\"a\": 1}"), (Method::DELETE, "")] {
        let (outcome, received, settled) = write(method.clone(), body, true).await;
        let error = outcome.unwrap_err();
        assert!(is_fenced(&error) && format!("{error:?}").contains("sent: false"), "{error:?}");
        assert_eq!((&*received, settled), ("", true), "{method}");
    }
}

#[tokio::test]
async fn a_fenced_body_is_sent_with_its_length_and_not_in_chunks() {
    let (outcome, received, settled) = write(Method::PATCH, "{\"a\": 1}", false).await;
    assert_eq!((outcome.unwrap().status(), settled), (StatusCode::CREATED, true));
    assert!(received.contains("content-length: 8\r\n") && received.ends_with("\r\n\r\n{\"a\": 1}"), "{received}");
    assert!(!received.contains("transfer-encoding"), "{received}");
    let (_, received, _) = write(Method::DELETE, "", false).await;
    assert!(received.starts_with("DELETE /api/v1/things HTTP/1.1\r\n"), "{received}");
    assert!(!received.contains("transfer-encoding"), "{received}");
}

/// A client that gets to its connection only after `wait`, and then tells what it could pull of the body.
fn slow(wait: Duration) -> (Client, mpsc::UnboundedReceiver<kube::Result<usize>>) {
    let (pulled, written) = mpsc::unbounded_channel();
    let service = tower::service_fn(move |request: Request<Body>| {
        let pulled = pulled.clone();
        let connection = tokio::spawn(async move {
            sleep(wait).await;
            pulled.send(request.into_body().collect_bytes().await.map(|bytes| bytes.len())).unwrap();
            std::future::pending::<kube::Result<Response<Body>>>().await
        });
        async { connection.await.unwrap() }
    });
    (Client::new(service, "default"), written)
}

async fn create(client: &Client, term: &Term) -> kube::Error {
    let maps: Api<ConfigMap> = Api::default_namespaced(fence(client, term, &Metrics::default()));
    maps.create(&PostParams::default(), &map()).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_write_that_waits_for_its_connection_until_the_term_is_over_is_known_not_to_be_sent() {
    let (control, term) = timed(Clock::tokio());
    let (client, mut written) = slow(Duration::from_secs(11));
    let error = create(&client, &term).await;
    assert!(is_fenced(&error) && format!("{error:?}").contains("sent: false"), "{error:?}");
    assert_eq!(control.unanswered(), None, "it does not hold back a release");
    assert!(is_fenced(&written.recv().await.unwrap().unwrap_err()));
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_bytes_have_left_holds_back_a_release() {
    let (control, term) = timed(Clock::tokio());
    let (client, mut written) = slow(Duration::from_secs(9));
    let error = create(&client, &term).await;
    assert!(is_fenced(&error) && format!("{error:?}").contains("sent: true"), "{error:?}");
    assert!(control.unanswered().is_some());
    assert!(written.recv().await.unwrap().unwrap() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_dropped_before_it_has_left_never_leaves() {
    let (control, term) = timed(Clock::tokio());
    let (client, mut written) = slow(Duration::from_secs(5));
    let _elapsed = timeout(Duration::from_secs(1), create(&client, &term)).await.unwrap_err();
    assert_eq!(control.unanswered(), None);
    assert!(is_fenced(&written.recv().await.unwrap().unwrap_err()), "though the term goes on");
}

#[tokio::test]
async fn a_write_without_a_connection_is_known_not_to_be_sent() {
    let refused = tower::service_fn(|_: Request<Body>| async {
        Err::<Response<Body>, _>(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))
    });
    let (control, term) = Term::unending(ME);
    let error = create(&Client::new(refused, "default"), &term).await;
    assert!(!is_fenced(&error));
    assert_eq!(control.unanswered(), None);
}
