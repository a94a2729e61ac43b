//! Exec and its like: connections that go on after their answer.

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::socket::Socket;
use super::*;
use crate::leadership::TermControl;

const SWITCHING: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: key\r\n\r\n";

/// Switches protocols, then sends back what it receives until there is no more.
async fn echo(mut connection: TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    connection.write_all(SWITCHING).await.unwrap();
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = connection.read(&mut buffer).await {
        received.extend(&buffer[..count]);
        if connection.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    String::from_utf8(received).unwrap()
}

fn exec() -> Request<Body> {
    let request = Request::get("/api/v1/namespaces/a/pods/b/exec?command=sh");
    request.header("connection", "Upgrade").header(UPGRADE, "websocket").body(Body::empty()).unwrap()
}

/// An exec that is under way, as kube's client opens it.
async fn open() -> (Socket, TermControl, TokioIo<Upgraded>) {
    let socket = Socket::new(echo, || ()).await;
    let (control, term) = Term::unending(ME);
    let answer = fence(&socket.client, &term, &Metrics::default()).send(exec()).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-accept"], "key", "the answer is the server's own");
    let mut stream = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    stream.write_all(b"ls").await.unwrap();
    let mut echoed = [0; 2];
    stream.read_exact(&mut echoed).await.unwrap();
    assert_eq!(&echoed, b"ls");
    (socket, control, stream)
}

#[tokio::test]
async fn an_upgraded_connection_is_cut_when_the_term_ends() {
    let (socket, control, mut stream) = open().await;
    assert!(control.unanswered().is_some(), "what is sent on it is a write");
    control.end(EndReason::Expired);
    assert!(!matches!(stream.read(&mut [0; 16]).await, Ok(1..)));
    let _broken = stream.write_all(b"rm").await;
    assert_eq!(socket.received().await, "ls");
    assert!(control.unanswered().is_some(), "nobody knows what became of the command");
}

#[tokio::test]
async fn an_upgraded_connection_that_was_closed_does_not_hold_back_a_release() {
    let (socket, control, mut stream) = open().await;
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0);
    assert_eq!(socket.received().await, "ls");
    let settled = async {
        while control.unanswered().is_some() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), settled).await.expect("it is known to be over");
}

#[tokio::test]
async fn no_connection_is_upgraded_after_the_term() {
    let socket = Socket::new(echo, || panic!("nothing is sent")).await;
    let (control, term) = Term::unending(ME);
    control.end(EndReason::Expired);
    let error = fence(&socket.client, &term, &Metrics::default()).send(exec()).await.unwrap_err();
    assert!(is_fenced(&error) && format!("{error:?}").contains("sent: false"), "{error:?}");
}
