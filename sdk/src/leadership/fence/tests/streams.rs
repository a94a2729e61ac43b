//! Answers that go on: they read, so they pass at any time.

use futures::{AsyncBufReadExt, StreamExt, TryStreamExt};
use kube::api::{WatchEvent, WatchParams};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::socket::Socket;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_after_the_term() {
    let cluster = server(&[]).await;
    let (control, term) = Term::unending(ME);
    let maps = maps(&cluster, &term);
    let mut events = maps.watch(&WatchParams::default(), "0").await.unwrap().boxed();
    maps.create(&PostParams::default(), &map()).await.unwrap();
    control.end(EndReason::Expired);
    let others: Api<ConfigMap> = Api::default_namespaced(cluster.client("another"));
    others.delete("a", &DeleteParams::default()).await.unwrap();
    assert!(matches!(events.try_next().await.unwrap(), Some(WatchEvent::Added(_))));
    assert!(matches!(events.try_next().await.unwrap(), Some(WatchEvent::Deleted(_))));
}

#[tokio::test]
async fn a_log_is_read_line_by_line_also_after_the_term() {
    let (go_on, ended) = oneshot::channel::<()>();
    let pod = |mut connection: TcpStream| async move {
        let _request = connection.read(&mut [0; 4096]).await.unwrap();
        connection.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\none\n\r\n").await.unwrap();
        ended.await.unwrap();
        connection.write_all(b"4\r\ntwo\n\r\n0\r\n\r\n").await.unwrap();
        String::new()
    };
    let socket = Socket::new(pod, || ()).await;
    let (control, term) = Term::unending(ME);
    let client = fence(&socket.client, &term, &Metrics::default());
    let request = Request::get("/api/v1/namespaces/a/pods/b/log?follow=true").body(Vec::new()).unwrap();
    let mut lines = client.request_stream(request).await.unwrap().lines();
    assert_eq!(lines.try_next().await.unwrap().as_deref(), Some("one"));
    control.end(EndReason::Expired);
    go_on.send(()).unwrap();
    assert_eq!(lines.try_next().await.unwrap().as_deref(), Some("two"));
    assert_eq!(control.unanswered(), None);
}
