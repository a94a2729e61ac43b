//! One kube-apiserver of a control plane.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::{Client, Config};
use tokio::sync::Mutex;

use super::OURSELVES;
use super::ground::Ground;
use super::port::Port;
use super::programs;
use crate::{Audit, Error, Process, Proxy};

/// About two seconds on an idle machine; tests start several at once on busy ones.
const READY_WITHIN: Duration = Duration::from_secs(90);

/// Between two looks whether the server is ready.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A request that takes longer is asked again on the way to being ready.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// One API server of a [`ControlPlane`](super::ControlPlane), with a port and an audit log of its own. Users and what they may do are
/// those of the control plane.
///
/// It is killed when this value is dropped; etcd and the directory live as long as any server of the control plane.
#[derive(Debug)]
pub struct ApiServer {
    process: Mutex<Option<Process>>,
    /// In the names of its files.
    name: String,
    port: Port,
    ground: Arc<Ground>,
}

impl ApiServer {
    /// Starts one, and waits until it is ready.
    pub(super) async fn begin(ground: &Arc<Ground>) -> Result<Self, Error> {
        let name = ground.name_of_next_server();
        let server = Self { process: Mutex::default(), name, port: Port::reserve()?, ground: ground.clone() };
        server.start().await?;
        Ok(server)
    }

    /// A client of `user`, as [`ControlPlane::client_for`](super::ControlPlane::client_for), that asks this server.
    ///
    /// # Errors
    ///
    /// If no certificate can be made.
    pub fn client_for(&self, user: &str) -> Result<Client, Error> {
        Ok(Client::try_from(self.config_for(user)?)?)
    }

    /// What a client of `user` that asks this server is made from.
    ///
    /// # Errors
    ///
    /// If no certificate can be made.
    pub fn config_for(&self, user: &str) -> Result<Config, Error> {
        self.config_at(user, self.address())
    }

    /// A kubeconfig of `user` for this server, for other processes. It lasts as long as the control plane.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn kubeconfig_for(&self, user: &str) -> Result<PathBuf, Error> {
        self.kubeconfig_at(user, self.address())
    }

    /// Opens a proxy to this server, for [`ControlPlane::client_via`](super::ControlPlane::client_via) and its like.
    ///
    /// # Errors
    ///
    /// If there is no port or no thread to be had.
    pub fn proxy(&self) -> Result<Proxy, Error> {
        Proxy::open(self.address())
    }

    /// What this server was asked.
    #[must_use]
    pub fn audit(&self) -> Audit {
        Audit::at(self.ground.layout.audit_log(&self.name))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port.number).into()
    }

    /// Kills it. Its clients find their connections closed and no new ones made, as after a crash.
    pub async fn stop(&self) {
        *self.process.lock().await = None;
    }

    /// Starts it again, on the same port, and waits until it is ready. Does nothing if it runs.
    ///
    /// # Errors
    ///
    /// If it ends or does not get ready; then it is stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it is stopped.
    pub async fn start(&self) -> Result<(), Error> {
        let mut running = self.process.lock().await;
        if running.is_some() {
            return Ok(());
        }
        self.port.is_free().await?;
        let Ground { binaries, layout, identities, .. } = &*self.ground;
        let command = programs::api_server(binaries, layout, identities, &self.name, self.port.number)?;
        let mut server = Process::spawn(&command, layout.log_of(&self.name))?;
        let client = self.client_for(OURSELVES)?;
        let start = Instant::now();
        while let Err(last) = ready(&client).await {
            server.still_runs()?;
            if start.elapsed() > READY_WITHIN {
                return Err(server.too_slow("is not ready", start.elapsed(), last));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        *running = Some(server);
        Ok(())
    }

    /// SIGSTOP: it stands still until [`resume`](Self::resume), as on a machine that is suspended. Its clients' connections stay open, and
    /// what they send is taken by the system, which the server finds when it goes on.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub async fn freeze(&self) -> Result<(), Error> {
        self.signal(Process::freeze).await
    }

    /// SIGCONT: it goes on after [`freeze`](Self::freeze).
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub async fn resume(&self) -> Result<(), Error> {
        self.signal(Process::resume).await
    }

    pub(super) fn config_at(&self, user: &str, address: SocketAddr) -> Result<Config, Error> {
        let identities = &self.ground.identities;
        let mut config = Config::new(url(address).try_into()?);
        config.root_cert = Some(vec![identities.authority_der()]);
        config.auth_info = identities.of(user)?.auth_info();
        Ok(config)
    }

    pub(super) fn kubeconfig_at(&self, user: &str, address: SocketAddr) -> Result<PathBuf, Error> {
        let identities = &self.ground.identities;
        identities.of(user)?.write_kubeconfig(&identities.authority_file(), &url(address), address.port())
    }

    async fn signal(&self, send: impl FnOnce(&mut Process) -> Result<(), Error>) -> Result<(), Error> {
        match &mut *self.process.lock().await {
            Some(process) => send(process),
            None => Err(Error::io(format!("signal {}", self.name))(std::io::Error::other("it is stopped"))),
        }
    }
}

fn url(address: SocketAddr) -> String {
    format!("https://{address}")
}

/// Ready, and the namespace is there that tests work in; a task of the server makes it some time after the server called itself ready.
async fn ready(client: &Client) -> Result<(), String> {
    for path in ["/readyz", "/api/v1/namespaces/default"] {
        let request = http::Request::get(path).body(Vec::new()).map_err(|error| error.to_string())?;
        let answer = tokio::time::timeout(ANSWER_WITHIN, client.request_text(request)).await;
        answer.map_err(|_| format!("{path} hangs"))?.map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(())
}
