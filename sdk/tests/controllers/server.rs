//! A cluster in memory, and somebody who changes what controllers watch there.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::ApiResource;
use kube::{Client, Resource};
use kubeops_testkit::cluster::{Fault, Faults};
use kubeops_testkit::{AuditEvent, Cluster};
use serde_json::{Value, json};

/// Who runs the controllers.
const REPLICA: &str = "replica-a";
const SOMEBODY: &str = "somebody";

/// Cheap to clone; clones are the same server.
#[derive(Clone)]
pub(crate) struct Server(pub(crate) Cluster);

/// One kind there, in the namespace of the tests.
pub(crate) struct Objects(Api<DynamicObject>, ApiResource);

impl Server {
    pub(crate) async fn start() -> Self {
        Self(Cluster::start().await)
    }

    /// The client of the controllers.
    pub(crate) fn client(&self) -> Client {
        self.0.client(REPLICA)
    }

    pub(crate) fn of<K: Resource<DynamicType = ()>>(&self) -> Objects {
        let resource = ApiResource::erase::<K>(&());
        Objects(Api::default_namespaced_with(self.0.client(SOMEBODY), &resource), resource)
    }

    pub(crate) fn config_maps(&self) -> Objects {
        self.of::<ConfigMap>()
    }

    pub(crate) fn faults(&self) -> Faults {
        self.0.faults(REPLICA)
    }

    /// The next writes of the controllers take a second, so that somebody else may be faster.
    pub(crate) fn delay_writes(&self, count: usize) {
        self.faults().when(AuditEvent::is_write, Some(count), Fault::Latency(Duration::from_secs(1)));
    }

    /// The controllers' writes so far, as `patch shops/a` or `patch shops/a/status`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let writes = self.0.requests().into_iter().filter(|request| request.user == REPLICA && request.is_write());
        let tell = |write: AuditEvent| {
            let path = [write.resource, write.name, write.subresource].join("/");
            format!("{} {}", write.verb, path.trim_end_matches('/'))
        };
        writes.map(tell).collect()
    }
}

impl Objects {
    /// Creates an object, or merges what it says into the one that is there.
    pub(crate) async fn put(&self, name: &str, object: Value) {
        let (params, patch) = (PatchParams::default(), Patch::Merge(&object));
        if self.get(name).await.is_some() {
            self.0.patch(name, &params, &patch).await.unwrap();
        } else {
            let mut new = json!(DynamicObject::new(name, &self.1));
            json_patch::merge(&mut new, &object);
            self.0.create(&PostParams::default(), &serde_json::from_value(new).unwrap()).await.unwrap();
        }
        if object.get("status").is_some() {
            self.0.patch_status(name, &params, &patch).await.unwrap();
        }
    }

    pub(crate) async fn get(&self, name: &str) -> Option<Value> {
        self.0.get_opt(name).await.unwrap().map(|object| json!(object))
    }

    pub(crate) async fn list(&self) -> Vec<Value> {
        let all = self.0.list(&ListParams::default()).await.unwrap();
        all.items.into_iter().map(|object| json!(object)).collect()
    }

    pub(crate) async fn delete(&self, name: &str) {
        self.0.delete(name, &DeleteParams::default()).await.unwrap();
    }
}

/// Lets everything happen that needs no time to speak of.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}
