//! A server on a real socket, and a client whose connection is a task of its own, as hyper's are.

use std::sync::{Arc, Mutex};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;

pub(super) struct Socket {
    pub(super) client: Client,
    server: JoinHandle<String>,
}

impl Socket {
    /// `serve` gets the server's end of the connection, and returns what it received. `handed_over` is called as soon as the
    /// connection has a request, and before it has written any of it.
    pub(super) async fn new<F>(serve: impl FnOnce(TcpStream) -> F, handed_over: impl Fn() + Send + 'static) -> Self
    where
        F: Future<Output = String> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (far, _) = listener.accept().await.unwrap();
        let server = tokio::spawn(serve(far));
        let (sender, connection) = http1::handshake::<_, Body>(TokioIo::new(near)).await.unwrap();
        tokio::spawn(connection.with_upgrades());
        let sender = Arc::new(Mutex::new(sender));
        let service = tower::service_fn(move |request| {
            let answer = sender.lock().unwrap().send_request(request);
            handed_over();
            answer
        });
        Self { client: Client::new(service, "default"), server }
    }

    /// All that the server received, once its end of the connection is closed.
    pub(super) async fn received(self) -> String {
        drop(self.client);
        self.server.await.unwrap()
    }
}
