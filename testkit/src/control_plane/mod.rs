//! An etcd and a kube-apiserver of the test's own.

mod binaries;
mod identities;
mod port;
mod programs;
mod rights;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::{Client, Config};
use tempfile::TempDir;

pub use self::binaries::Binaries;
use self::identities::Identities;
use self::port::Port;
use self::programs::Layout;
use crate::process::Janitor;
use crate::{Audit, Error, Process, Proxy, audit};

/// About two seconds on an idle machine; tests start several at once on busy ones.
const READY_WITHIN: Duration = Duration::from_secs(90);

/// Between two looks whether the server is ready.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A request that takes longer is asked again on the way to being ready.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Who asks on the test kit's own behalf, so that the test's own users stand in the audit log with nothing but what the test did.
const OURSELVES: &str = "kubeops-testkit";

/// The user of [`ControlPlane::client`] and [`ControlPlane::kubectl`].
const ADMIN: &str = "admin";

/// A real Kubernetes control plane of the test's own: etcd and kube-apiserver, on request also the controllers for garbage collection
/// and namespaces. No nodes, no pods.
///
/// RBAC is on. Everything dies with this value, or with the test's process however that ends.
/// All methods take `&self`, so one plane may be shared by the tasks of a test.
#[derive(Debug)]
pub struct ControlPlane {
    // In the order of their end: who asks goes before who answers, the directory last.
    controller_manager: Mutex<Option<Process>>,
    api_server: tokio::sync::Mutex<Option<Process>>,
    _etcd: Process,
    identities: Identities,
    port: Port,
    binaries: Binaries,
    layout: Layout,
    _janitor: Janitor,
    _directory: TempDir,
}

impl ControlPlane {
    /// Starts a control plane with the programs that [`Binaries::find`] finds, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// If there are no programs, or one of them ends or does not get ready; the end of its log is in the error.
    ///
    /// # Cancel safety
    ///
    /// Dropped halfway, all that was started ends.
    pub async fn start() -> Result<Self, Error> {
        Self::start_with(Binaries::find()?).await
    }

    /// Starts a control plane with these programs.
    ///
    /// # Errors
    ///
    /// As of [`start`](Self::start).
    ///
    /// # Cancel safety
    ///
    /// Dropped halfway, all that was started ends.
    pub async fn start_with(binaries: Binaries) -> Result<Self, Error> {
        let directory = tempfile::Builder::new().prefix("kubeops-testkit-").tempdir();
        let directory = directory.map_err(Error::io("create a directory"))?;
        let janitor = Janitor::watch(directory.path())?;
        let layout = Layout { root: directory.path().to_owned() };
        let policy = layout.audit_policy();
        fs::write(&policy, audit::POLICY).map_err(Error::io(format!("write {}", policy.display())))?;
        let etcd = Process::spawn(&programs::etcd(&binaries, &layout)?, layout.log_of("etcd"))?;
        let plane = Self {
            controller_manager: Mutex::default(),
            api_server: tokio::sync::Mutex::default(),
            _etcd: etcd,
            identities: Identities::create(layout.identities())?,
            port: Port::reserve()?,
            binaries,
            layout,
            _janitor: janitor,
            _directory: directory,
        };
        plane.start_api_server().await?;
        Ok(plane)
    }

    /// A client that may do everything, as the user `admin`.
    ///
    /// # Errors
    ///
    /// If no certificate can be made.
    pub fn client(&self) -> Result<Client, Error> {
        self.client_for(ADMIN)
    }

    /// A client of `user`, a name of your choice, by which its requests are found in the [`audit`](Self::audit) log. It may do everything, unless
    /// [`limited_user`](Self::limited_user) said otherwise.
    ///
    /// # Errors
    ///
    /// If no certificate can be made.
    pub fn client_for(&self, user: &str) -> Result<Client, Error> {
        Ok(Client::try_from(self.config_for(user)?)?)
    }

    /// As [`client_for`](Self::client_for), by way of a proxy.
    ///
    /// # Errors
    ///
    /// If no certificate can be made.
    pub fn client_via(&self, user: &str, proxy: &Proxy) -> Result<Client, Error> {
        Ok(Client::try_from(self.config_via(user, proxy)?)?)
    }

    /// What a client of `user` is made from.
    ///
    /// # Errors
    ///
    /// If no certificate can be made.
    pub fn config_for(&self, user: &str) -> Result<Config, Error> {
        self.config(user, self.address())
    }

    /// As [`config_for`](Self::config_for), by way of a proxy.
    ///
    /// # Errors
    ///
    /// If no certificate can be made.
    pub fn config_via(&self, user: &str, proxy: &Proxy) -> Result<Config, Error> {
        self.config(user, proxy.address())
    }

    /// A kubeconfig of `user`, for other processes. It lasts as long as the control plane.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn kubeconfig_for(&self, user: &str) -> Result<PathBuf, Error> {
        self.kubeconfig(user, self.address())
    }

    /// As [`kubeconfig_for`](Self::kubeconfig_for), by way of a proxy.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn kubeconfig_via(&self, user: &str, proxy: &Proxy) -> Result<PathBuf, Error> {
        self.kubeconfig(user, proxy.address())
    }

    /// `kubectl` as the user `admin`; a call with other rights sets `KUBECONFIG` anew.
    ///
    /// # Errors
    ///
    /// If its kubeconfig cannot be written.
    pub fn kubectl(&self) -> Result<tokio::process::Command, Error> {
        let mut kubectl = tokio::process::Command::new(self.binaries.path("kubectl")?);
        kubectl.env("KUBECONFIG", self.kubeconfig_for(ADMIN)?);
        // Its cache of what the server offers belongs to this server alone.
        kubectl.env("KUBECACHEDIR", self.layout.root.join("kubectl-cache")).kill_on_drop(true);
        Ok(kubectl)
    }

    /// Opens a proxy to the API server, for [`client_via`](Self::client_via), [`config_via`](Self::config_via) and [`kubeconfig_via`](Self::kubeconfig_via).
    ///
    /// # Errors
    ///
    /// If there is no port or no thread to be had.
    pub fn proxy(&self) -> Result<Proxy, Error> {
        Proxy::open(self.address())
    }

    /// What the API server was asked.
    #[must_use]
    pub fn audit(&self) -> Audit {
        Audit::at(self.layout.audit_log())
    }

    /// Where the API server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port.number).into()
    }

    /// The directory of this control plane, with its programs' logs; removed with it. A place for a test's own files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.layout.root
    }

    /// Kills the API server; etcd stays. Its clients find their connections closed and no new ones made, as after a crash.
    pub async fn stop_api_server(&self) {
        *self.api_server.lock().await = None;
    }

    /// Starts the API server again, on the same port and data, and waits until it is ready.
    /// Does nothing if it runs.
    ///
    /// # Errors
    ///
    /// If it ends or does not get ready; then it is stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it is stopped.
    pub async fn start_api_server(&self) -> Result<(), Error> {
        let mut running = self.api_server.lock().await;
        if running.is_some() {
            return Ok(());
        }
        self.port.is_free().await?;
        let command = programs::api_server(&self.binaries, &self.layout, &self.identities, self.port.number)?;
        let mut server = Process::spawn(&command, self.layout.log_of("kube-apiserver"))?;
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

    /// Stops the API server and starts it again.
    ///
    /// # Errors
    ///
    /// As of [`start_api_server`](Self::start_api_server).
    ///
    /// # Cancel safety
    ///
    /// Dropped halfway, the API server may be stopped.
    pub async fn restart_api_server(&self) -> Result<(), Error> {
        self.stop_api_server().await;
        self.start_api_server().await
    }

    /// Makes `user` one that may do only what `rules` grant, in all namespaces; called again, the rules are replaced. The server
    /// knows of it within milliseconds after.
    ///
    /// # Errors
    ///
    /// If the user has been given out as an admin before, or the API server refuses the rules.
    pub async fn limited_user(&self, user: &str, rules: &[PolicyRule]) -> Result<(), Error> {
        self.identities.limit(user)?;
        rights::grant(&self.client_for(OURSELVES)?, user, rules).await
    }

    /// Starts the controllers for garbage collection (children go with their owners) and for namespaces (a deleted one is emptied). It does not wait for
    /// them: what they do is seen seconds later. Does nothing if they run.
    ///
    /// # Errors
    ///
    /// If there is no kube-controller-manager among the programs.
    pub fn start_controller_manager(&self) -> Result<(), Error> {
        let mut running = self.controller_manager.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_none() {
            let kubeconfig = self.kubeconfig_for("system:kube-controller-manager")?;
            let command = programs::controller_manager(&self.binaries, &self.layout, &kubeconfig)?;
            *running = Some(Process::spawn(&command, self.layout.log_of("kube-controller-manager"))?);
        }
        Ok(())
    }

    fn config(&self, user: &str, address: SocketAddr) -> Result<Config, Error> {
        let mut config = Config::new(url(address).try_into()?);
        config.root_cert = Some(vec![self.identities.authority_der()]);
        config.auth_info = self.identities.of(user)?.auth_info();
        Ok(config)
    }

    fn kubeconfig(&self, user: &str, address: SocketAddr) -> Result<PathBuf, Error> {
        self.identities.of(user)?.write_kubeconfig(&self.identities.authority_file(), &url(address), address.port())
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
