//! A Kubernetes API in memory.

mod answer;
mod apply;
mod body;
mod clock;
mod convert;
mod crd;
mod decode;
mod discovery;
mod encode;
mod events;
mod faults;
mod gc;
mod go;
mod list_options;
mod media;
mod names;
mod namespaces;
mod openapi;
mod options;
mod patch;
mod payload;
mod record;
mod request;
mod resources;
mod secrets;
mod selectors;
mod serve;
mod server;
mod service;
mod signal;
mod state;
mod status;
mod steps;
mod store;
mod strategic;
mod strategy;
mod table;
mod times;
mod types;
mod verbs;
mod watch;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kube::Client;

pub use self::body::{Cut, ResponseBody};
pub use self::faults::{Fault, Faults};
pub use self::serve::Serving;
use self::server::Server;
pub use self::service::ApiService;
pub use self::steps::Ready;
use crate::AuditEvent;

/// Where clients live that do not say.
const DEFAULT_NAMESPACE: &str = "default";

/// A cluster without seed is the same each time it is started, but for its clock.
const SEED: u64 = 1;

/// A Kubernetes API in memory, for tests: no process, no port, no waiting. It lives as long as its clients. For kubectl, and for programs in other
/// processes, [`serve`](Self::serve) opens a port.
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

    /// What goes wrong for the clients of `user`, those that are there already too.
    pub fn faults(&self, user: &str) -> Faults {
        self.server.faults.of(user)
    }

    /// Every request that was received so far, in that order.
    pub fn requests(&self) -> Vec<AuditEvent> {
        self.server.record.all()
    }

    /// Forgets the requests that were received so far: for a cluster that lives long, of which nobody asks what they were.
    pub fn forget_requests(&self) {
        self.server.record.forget();
    }

    /// Takes CRDs with CEL rules (`x-kubernetes-validations`) from now on, and does not evaluate these: objects that a real server would
    /// refuse are taken. Without this, such CRDs are refused, by a 501 that names the rule.
    pub fn leave_rules_unevaluated(&self) {
        self.server.state().leaves_rules_unevaluated = true;
    }

    /// Forgets history: a watch or list from a version before now gets a 410. Watches that run and have missed nothing go on.
    pub fn compact(&self) {
        self.server.state().store.compact();
    }

    /// What clients notice when the server restarts: all watches break. Objects stay.
    pub fn restart(&self) {
        for faults in self.server.faults.all() {
            faults.break_watches();
        }
    }

    /// Sets the server's clock forward or back.
    pub fn shift_clock(&self, by: SignedDuration) {
        self.server.clock.shift(by);
    }

    /// What the server's clock shows.
    pub fn now(&self) -> Timestamp {
        self.server.clock.now()
    }

    /// What a client of `user` talks to, for those that are no [`Client`].
    pub fn service(&self, user: &str) -> ApiService {
        ApiService::new(self.server.clone(), user)
    }
}
