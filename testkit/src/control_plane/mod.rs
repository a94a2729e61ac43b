//! An etcd and a kube-apiserver of the test's own.

mod api_server;
mod binaries;
mod ground;
mod identities;
mod port;
mod programs;
mod rights;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::{Client, Config};

pub use self::api_server::ApiServer;
pub use self::binaries::Binaries;
use self::ground::Ground;
use crate::{Audit, Error, Process, Proxy};

/// Who asks on the test kit's own behalf, so that the test's own users stand in the audit log with nothing but what the test did.
const OURSELVES: &str = "kubeops-testkit";

/// The user of [`ControlPlane::client`] and [`ControlPlane::kubectl`].
const ADMIN: &str = "admin";

/// A real Kubernetes control plane of the test's own: etcd and kube-apiserver, on request also the controllers for garbage collection
/// and namespaces. No nodes, no pods.
///
/// RBAC is on. Everything dies with this value (and the servers that it [has added](Self::add_api_server)), or with the test's process however
/// that ends.
/// All methods take `&self`, so one plane may be shared by the tasks of a test.
#[derive(Debug)]
pub struct ControlPlane {
    // In the order of their end: who asks goes before who answers, the directory last.
    controller_manager: Mutex<Option<Process>>,
    api_server: ApiServer,
    ground: Arc<Ground>,
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
        let ground = Arc::new(Ground::prepare(binaries)?);
        let api_server = ApiServer::begin(&ground).await?;
        Ok(Self { controller_manager: Mutex::default(), api_server, ground })
    }

    /// Starts one more API server on the same etcd, as control planes that are to be always there have several, and waits until it is
    /// ready. The methods of this value go on to speak of the first; requests to the other stand in [its own log](ApiServer::audit).
    ///
    /// ```no_run
    /// # async fn example(plane: &kubeops_testkit::ControlPlane) -> Result<(), kubeops_testkit::Error> {
    /// let other = plane.add_api_server().await?;
    /// let client = other.client_for("replica-a")?;
    /// other.freeze().await?; // `client` waits, and clients of the first server do not
    /// other.resume().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If it ends or does not get ready.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it is stopped.
    pub async fn add_api_server(&self) -> Result<ApiServer, Error> {
        ApiServer::begin(&self.ground).await
    }

    /// The first API server, of which the methods of this value speak.
    #[must_use]
    pub fn api_server(&self) -> &ApiServer {
        &self.api_server
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
        self.api_server.config_for(user)
    }

    /// As [`config_for`](Self::config_for), by way of a proxy.
    ///
    /// # Errors
    ///
    /// If no certificate can be made.
    pub fn config_via(&self, user: &str, proxy: &Proxy) -> Result<Config, Error> {
        self.api_server.config_at(user, proxy.address())
    }

    /// A kubeconfig of `user`, for other processes. It lasts as long as the control plane.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn kubeconfig_for(&self, user: &str) -> Result<PathBuf, Error> {
        self.api_server.kubeconfig_for(user)
    }

    /// As [`kubeconfig_for`](Self::kubeconfig_for), by way of a proxy.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn kubeconfig_via(&self, user: &str, proxy: &Proxy) -> Result<PathBuf, Error> {
        self.api_server.kubeconfig_at(user, proxy.address())
    }

    /// `kubectl` as the user `admin`; a call with other rights sets `KUBECONFIG` anew.
    ///
    /// # Errors
    ///
    /// If its kubeconfig cannot be written.
    pub fn kubectl(&self) -> Result<tokio::process::Command, Error> {
        let mut kubectl = tokio::process::Command::new(self.ground.binaries.path("kubectl")?);
        kubectl.env("KUBECONFIG", self.kubeconfig_for(ADMIN)?);
        // Its cache of what the server offers belongs to this server alone.
        kubectl.env("KUBECACHEDIR", self.ground.layout.root.join("kubectl-cache")).kill_on_drop(true);
        Ok(kubectl)
    }

    /// Opens a proxy to the API server, for [`client_via`](Self::client_via), [`config_via`](Self::config_via) and [`kubeconfig_via`](Self::kubeconfig_via).
    ///
    /// # Errors
    ///
    /// If there is no port or no thread to be had.
    pub fn proxy(&self) -> Result<Proxy, Error> {
        self.api_server.proxy()
    }

    /// What the API server was asked.
    #[must_use]
    pub fn audit(&self) -> Audit {
        self.api_server.audit()
    }

    /// Where the API server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.api_server.address()
    }

    /// The directory of this control plane, with its programs' logs; removed with it. A place for a test's own files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.ground.layout.root
    }

    /// Kills the API server; etcd stays. Its clients find their connections closed and no new ones made, as after a crash.
    pub async fn stop_api_server(&self) {
        self.api_server.stop().await;
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
        self.api_server.start().await
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
        self.ground.identities.limit(user)?;
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
            let Ground { binaries, layout, .. } = &*self.ground;
            let command = programs::controller_manager(binaries, layout, &kubeconfig)?;
            *running = Some(Process::spawn(&command, layout.log_of("kube-controller-manager"))?);
        }
        Ok(())
    }
}
