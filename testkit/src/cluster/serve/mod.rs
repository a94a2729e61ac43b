//! The cluster for other processes: over TLS, each user by a token.

mod access;
mod gate;
mod listener;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use axum::Router;
use k8s_openapi::ByteString;
use serde_json::json;
use tokio::sync::oneshot;

pub(crate) use self::access::Access;
use self::listener::TlsListener;
use super::Cluster;
use super::server::Server;
use crate::{Error, kubeconfig};

/// A cluster that other processes can ask, until this is dropped: then its port is closed, and so is every connection.
///
/// It is served by a thread of its own, so it goes on while the test blocks, and it goes by real time. The cluster itself lives on, and may be served
/// again: kubeconfigs stay valid, if the address is the same.
///
/// kubectl works against it, but for what needs pods that run (`logs`, `exec`) and for the commands that make objects themselves and send them as
/// protobuf, which is refused with a 415: `create namespace`, `create configmap` and the like, `autoscale`, `auth`. `create -f` and `apply` do.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use k8s_openapi::api::core::v1::Namespace;
/// use kube::config::{KubeConfigOptions, Kubeconfig};
/// use kube::{Api, Client, Config};
/// use kubeops_testkit::Cluster;
///
/// let cluster = Cluster::start().await;
/// let serving = cluster.serve(([127, 0, 0, 1], 0).into()).await?;
///
/// // To a file, this is what `KUBECONFIG` names for kubectl.
/// let kubeconfig = Kubeconfig::from_yaml(&serving.kubeconfig("alice"))?;
/// let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
/// let namespaces: Api<Namespace> = Api::all(Client::try_from(config)?);
/// assert_eq!(namespaces.list(&Default::default()).await?.items.len(), 4);
///
/// assert_eq!(cluster.requests()[0].user, "alice");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    server: Arc<Server>,
    authority: String,
    /// Dropped to end the thread.
    running: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Cluster {
    /// Serves it over TLS at `address` (port 0: a free one) until the value is dropped.
    ///
    /// Not for clients in a test with paused time: while they wait for a socket, tokio lets their timeouts pass.
    ///
    /// # Errors
    ///
    /// [`Error::PortTaken`] if somebody else listens there; others if the address is none of this machine's, or there is no thread to be had.
    ///
    /// # Cancel safety
    ///
    /// Dropped halfway, the port is closed.
    pub async fn serve(&self, address: SocketAddr) -> Result<Serving, Error> {
        let authority = self.server.access.authority()?;
        let tls = listener::tls(&authority.server(address.ip())?)?;
        let failed = || Error::io(format!("serve the cluster at {address}"));
        let listener = std::net::TcpListener::bind(address).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => Error::PortTaken { address },
            _ => failed()(error),
        })?;
        listener.set_nonblocking(true).map_err(failed())?;
        let bound = listener.local_addr().map_err(failed())?;
        let app = Router::new().fallback(gate::answer).with_state(self.server.clone());
        let (ready, started) = oneshot::channel();
        let (running, stopped) = oneshot::channel();
        let run = move || run(|| TlsListener::new(listener, tls), app, ready, stopped);
        let thread = thread::Builder::new().name("cluster".to_owned()).spawn(run).map_err(failed())?;
        let serving = Serving {
            address: bound,
            server: self.server.clone(),
            authority: authority.pem(),
            running: Some(running),
            thread: Some(thread),
        };
        let started = started.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()));
        started.map(|()| serving).map_err(failed())
    }
}

/// Serves until `running`, the other end of `stopped`, is dropped. All that belongs to connections ends with its runtime.
fn run(
    listen: impl FnOnce() -> io::Result<TlsListener>,
    app: Router,
    ready: oneshot::Sender<io::Result<()>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(ready.send(Err(error))),
    };
    runtime.block_on(async {
        let listener = match listen() {
            Ok(listener) => listener,
            Err(error) => return drop(ready.send(Err(error))),
        };
        // Nobody waits any more: then `stopped` is at its end, too.
        drop(ready.send(Ok(())));
        tokio::select! {
            _ = stopped => {}
            ended = axum::serve(listener, app) => tracing::error!(?ended, "the cluster is not served any more"),
        }
    });
}

impl Serving {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// As in `https://127.0.0.1:6443`.
    #[must_use]
    pub fn url(&self) -> String {
        let mut address = self.address;
        // Who listens everywhere is asked here.
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        format!("https://{address}")
    }

    /// What `user`, any name of your choice, asks with: the text of a kubeconfig that needs no other file, valid at once. Its context is
    /// `kubeops-testkit`, its namespace `default`. The requests are recorded under this name, and its [faults](Cluster::faults) strike.
    #[must_use]
    pub fn kubeconfig(&self, user: &str) -> String {
        let authority = ByteString(self.authority.clone().into_bytes());
        let cluster = json!({ "server": self.url(), "certificate-authority-data": authority });
        kubeconfig::text(&cluster, &json!({ "token": self.server.access.token_of(user) }))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.running = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that served the cluster panicked");
        }
    }
}
