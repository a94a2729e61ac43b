//! Pods and the lock that they stand for, on a cluster in memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, TypeMeta};
use kube::client::Body;
use kube::core::Resource as _;
use kube::{Api, Client, CustomResourceExt as _};
use kubeops::leadership::life::{LeaderLock, LeaderLockApi, LifeLock};
use kubeops_testkit::cluster::{Fault, Faults};
use kubeops_testkit::{AuditEvent, Cluster};
use serde_json::{Value, json};
use tokio::time::sleep;
use tower::ServiceExt as _;

pub const LOCK: &str = "lock";
/// To the server and back.
const LATENCY: Duration = Duration::from_millis(4);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    ConfigMap,
    LeaderLock(LeaderLockApi),
}

#[derive(Clone)]
pub struct Site {
    pub cluster: Cluster,
    kind: Kind,
}

/// One candidate's way to the lock.
#[derive(Clone)]
pub struct Way(Faults);

impl Site {
    pub async fn start(kind: Kind) -> Self {
        let cluster = Cluster::start().await;
        if let Kind::LeaderLock(api) = kind {
            let crds = Api::all(cluster.client("kubectl"));
            crds.create(&PostParams::default(), &api.definition()).await.unwrap();
        }
        Self { cluster, kind }
    }

    pub fn client(&self, user: &str) -> Client {
        self.cluster.client(user)
    }

    pub fn way(&self, user: &str) -> Way {
        let way = Way(self.cluster.faults(user));
        way.mend();
        way
    }

    pub fn lock(&self, client: Client) -> LifeLock {
        match self.kind {
            Kind::ConfigMap => LifeLock::config_map(client, "default", LOCK),
            Kind::LeaderLock(api) => LifeLock::leader_lock(client, api, "default", LOCK),
        }
    }

    /// A client whose writes arrive up to so many milliseconds late, also those that it has given up by then.
    pub fn late_client(&self, user: &str, most: Arc<AtomicU64>, random: Arc<Mutex<fastrand::Rng>>) -> Client {
        self.client_by(user, move || random.lock().unwrap().u64(0..=most.load(Ordering::SeqCst)))
    }

    /// Likewise, exactly so many.
    pub fn exactly_late_client(&self, user: &str, late: Arc<AtomicU64>) -> Client {
        self.client_by(user, move || late.load(Ordering::SeqCst))
    }

    /// A client of a cluster that takes out all annotations, as an admission webhook may. Counts what is sent.
    pub fn unmarking_client(&self, user: &str, sent: Arc<AtomicU64>) -> Client {
        let service = self.cluster.service(user);
        let way = tower::service_fn(move |request: Request<Body>| {
            sent.fetch_add(1, Ordering::SeqCst);
            let service = service.clone();
            async move {
                let (parts, body) = request.into_parts();
                let bytes = body.collect_bytes().await.unwrap();
                let body = match serde_json::from_slice::<Value>(&bytes) {
                    Ok(mut object) => {
                        object["metadata"].as_object_mut().map(|metadata| metadata.remove("annotations"));
                        Body::from(serde_json::to_vec(&object).unwrap())
                    }
                    Err(_) => Body::from(bytes.to_vec()),
                };
                service.oneshot(Request::from_parts(parts, body)).await
            }
        });
        Client::new(way, "default")
    }

    fn client_by(&self, user: &str, late: impl Fn() -> u64 + Send + Sync + 'static) -> Client {
        let (service, late) = (self.cluster.service(user), Arc::new(late));
        let way = tower::service_fn(move |request: Request<Body>| {
            let late = if request.method() == Method::GET { 0 } else { late() };
            let answer = service.clone().oneshot(request);
            async move {
                let lands = tokio::spawn(async move {
                    sleep(Duration::from_millis(late)).await;
                    answer.await
                });
                lands.await.unwrap()
            }
        });
        Client::new(way, "default")
    }

    fn resource(&self) -> ApiResource {
        let Kind::LeaderLock(api) = self.kind else { return ApiResource::erase::<ConfigMap>(&()) };
        let (group, api_version) = (api.group().to_owned(), api.to_string());
        ApiResource { group, api_version, ..LeaderLock::api_resource() }
    }

    pub fn locks(&self) -> Api<DynamicObject> {
        Api::default_namespaced_with(self.client("kubectl"), &self.resource())
    }

    pub fn pods(&self) -> Api<Pod> {
        Api::default_namespaced(self.client("kubectl"))
    }

    /// Creates a pod that runs; its uid.
    pub async fn pod(&self, name: &str) -> String {
        let pod =
            json!({ "metadata": { "name": name }, "spec": { "containers": [{ "name": "operator", "image": "i" }] } });
        let pod = serde_json::from_value(pod).unwrap();
        let uid = self.pods().create(&PostParams::default(), &pod).await.unwrap().metadata.uid.unwrap();
        self.set_status(name, &json!({ "phase": "Running" })).await;
        uid
    }

    pub async fn set_status(&self, name: &str, status: &Value) {
        let patch = json!({ "status": status });
        self.pods().patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// As the kubelet says it of a pod that it has evicted.
    pub async fn evicted(&self, name: &str) {
        let status = json!({ "phase": "Failed", "reason": "Evicted", "containerStatuses": [
            { "name": "operator", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
              "state": { "terminated": { "exitCode": 137 } } }] });
        self.set_status(name, &status).await;
    }

    /// Deletes a pod at once, as the kubelet does at its end; its lock goes with it.
    pub async fn delete_pod(&self, name: &str) {
        self.pods()
            .delete(name, &DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() })
            .await
            .unwrap();
    }

    /// The pod that owns the lock.
    pub async fn holder(&self) -> Option<String> {
        let lock = self.locks().get_opt(LOCK).await.unwrap()?;
        lock.metadata.owner_references?.first().map(|owner| owner.name.clone())
    }

    pub async fn create(&self, lock: &Value) -> DynamicObject {
        let mut lock: DynamicObject = serde_json::from_value(lock.clone()).unwrap();
        let types = self.resource();
        lock.types = Some(TypeMeta { api_version: types.api_version, kind: types.kind });
        self.locks().create(&PostParams::default(), &lock).await.unwrap()
    }

    /// As the Go operator framework and zio-k8s write it for a pod.
    pub async fn create_for(&self, pod: &str) {
        let owner = self.pods().get(pod).await.unwrap().owner_ref(&()).unwrap();
        let mut lock = json!({ "metadata": { "name": LOCK, "ownerReferences": [owner] } });
        if self.kind != Kind::ConfigMap {
            lock["spec"] = json!({});
        }
        self.create(&lock).await;
    }

    /// Whatever else writes to the lock, if it is there.
    pub async fn change(&self, metadata: &Value) {
        let change = Patch::Merge(json!({ "metadata": metadata }));
        let Err(error) = self.locks().patch(LOCK, &PatchParams::default(), &change).await else { return };
        // A lock that is being deleted gets no finalizer any more.
        assert!(matches!(&error, kube::Error::Api(status) if matches!(status.code, 404 | 422)), "{error}");
    }

    pub async fn delete(&self) {
        self.locks().delete(LOCK, &DeleteParams::default()).await.unwrap();
    }
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

    pub fn end_watches(&self) {
        self.0.end_watches();
    }
}
