//! A Kubernetes API in memory.

mod answer;
mod apply;
mod body;
mod clock;
mod crd;
mod decode;
mod gc;
mod namespaces;
mod options;
mod patch;
mod request;
mod resources;
mod selectors;
mod server;
mod service;
mod state;
mod status;
mod store;
mod strategy;
mod types;
mod verbs;
mod watch;

use std::sync::Arc;

use kube::Client;

pub use self::body::{Cut, ResponseBody};
use self::server::Server;
pub use self::service::ApiService;

/// Where clients live that do not say.
const DEFAULT_NAMESPACE: &str = "default";

/// A cluster without seed is the same each time it is started, but for its clock.
const SEED: u64 = 1;

/// A Kubernetes API in memory, for tests: no process, no port, no waiting. It lives as long as its clients.
#[derive(Clone, Debug)]
pub struct Cluster {
    server: Arc<Server>,
}

impl Cluster {
    /// Starts a cluster with the namespaces that every cluster has.
    #[allow(clippy::unused_async, reason = "as of ControlPlane, so that a test can run on either")]
    pub async fn start() -> Self {
        Self { server: Arc::new(Server::new(SEED)) }
    }

    /// A client of `user`, a name of your choice, by which its requests are recorded and its faults are set.
    pub fn client(&self, user: &str) -> Client {
        Client::new(self.service(user), DEFAULT_NAMESPACE)
    }

    /// What a client of `user` talks to, for those that are no [`Client`].
    pub fn service(&self, user: &str) -> ApiService {
        ApiService::new(self.server.clone(), user)
    }
}
