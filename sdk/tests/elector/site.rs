//! The lock that all candidates stand for, on a cluster in memory, and each one's way to it.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::TryStreamExt as _;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client};
use kubeops::leadership::lock::LeaseLock;
use kubeops_testkit::cluster::{ApiService, Fault, Faults};
use kubeops_testkit::{AuditEvent, Cluster};
use serde_json::{Value, json};

const LOCK: &str = "lock";
/// To the server and back.
const LATENCY: Duration = Duration::from_millis(4);

#[derive(Clone)]
pub struct Site {
    cluster: Cluster,
    leases: Api<Lease>,
    holders: Arc<Mutex<Vec<String>>>,
}

/// One candidate's way to the lock.
#[derive(Clone)]
pub struct Way(Faults);

impl Site {
    pub async fn start() -> Self {
        let cluster = Cluster::start().await;
        let leases = Api::default_namespaced(cluster.client("kubectl"));
        let site = Self { cluster, leases, holders: Arc::default() };
        tokio::spawn(site.clone().note_holders());
        site
    }

    pub fn client(&self, user: &str) -> Client {
        self.cluster.client(user)
    }

    pub fn service(&self, user: &str) -> ApiService {
        self.cluster.service(user)
    }

    pub fn way(&self, user: &str) -> Way {
        let way = Way(self.cluster.faults(user));
        way.mend();
        way
    }

    pub fn faults(&self, user: &str) -> Faults {
        self.cluster.faults(user)
    }

    pub fn lock(&self, client: Client) -> LeaseLock {
        LeaseLock::new(client, "default", LOCK)
    }

    /// Who holds the lock; nobody is an empty name.
    pub async fn holder(&self) -> Option<String> {
        self.leases.get_opt(LOCK).await.unwrap().map(|lease| holder(&lease))
    }

    /// Holders in the order of the accepted writes, each once in a row.
    pub async fn holders(&self) -> Vec<String> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.holders.lock().unwrap().clone()
    }

    pub async fn delete(&self) {
        self.leases.delete(LOCK, &DeleteParams::default()).await.unwrap();
    }

    /// Creates the lock.
    pub async fn create(&self, lease: &Value) {
        let lease = serde_json::from_value(lease.clone()).unwrap();
        self.leases.create(&PostParams::default(), &lease).await.unwrap();
    }

    /// Changes the lock as `kubectl patch --type=merge` does.
    pub async fn merge(&self, patch: &Value) {
        self.leases.patch(LOCK, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    pub async fn annotation(&self, name: &str) -> Option<String> {
        self.leases.get(LOCK).await.unwrap().metadata.annotations?.remove(name)
    }

    /// Writes a holder as somebody with `kubectl edit` would.
    pub async fn write_as_foreigner(&self, name: &str) {
        let lease = json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": { "holderIdentity": name },
            "metadata": { "name": LOCK } });
        self.leases.patch(LOCK, &PatchParams::apply("kubectl").force(), &Patch::Apply(lease)).await.unwrap();
    }

    async fn note_holders(self) {
        let mut seen = pin!(watcher(self.leases.clone(), watcher::Config::default()).applied_objects());
        while let Some(lease) = seen.try_next().await.unwrap() {
            let mut holders = self.holders.lock().unwrap();
            holders.push(holder(&lease));
            holders.dedup();
        }
    }
}

fn holder(lease: &Lease) -> String {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.clone()).unwrap_or_default()
}

impl Way {
    /// All is well.
    pub fn mend(&self) {
        self.0.mend();
        self.0.always(Fault::Latency(LATENCY));
    }

    /// Nothing gets through: calls hang, watches say nothing.
    pub fn cut(&self) {
        self.mend();
        self.0.hang();
    }

    /// Writes are committed, and their answers never come.
    pub fn lose_answers(&self) {
        self.mend();
        self.0.when(AuditEvent::is_write, None, Fault::HangAnswer);
    }

    /// Does this when the next write arrives.
    pub fn at_next_write(&self, then: impl Fn() + Send + Sync + 'static) {
        let arrives = move |request: &AuditEvent| {
            let is_it = request.is_write();
            if is_it {
                then();
            }
            is_it
        };
        self.0.when(arrives, Some(1), Fault::Latency(Duration::ZERO));
    }

    pub fn end_watches(&self) {
        self.0.end_watches();
    }
}
