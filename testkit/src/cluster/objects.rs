//! What a test does with objects: brings them, waits for them, plays what a cluster's own controllers would do.

use std::fmt::Debug;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ApiResource, DynamicObject, ListParams, Patch, PatchParams, WatchEvent, WatchParams};
use kube::core::{GroupVersionKind, TypeMeta};
use kube::{CustomResourceExt, Resource, ResourceExt, discovery};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Cluster, DEFAULT_NAMESPACE};

/// Who a test itself is in the record of requests.
const OURSELVES: &str = "test";
/// How long [`Cluster::until`] waits; in paused time that is nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// A kind that a test can wait for.
pub trait Awaited: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static {}

impl<K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static> Awaited for K {}

#[expect(clippy::panic, reason = "for tests, which end here")]
impl Cluster {
    /// Installs the CRD of `K`; it is Established at once.
    ///
    /// # Panics
    /// If the server refuses it.
    pub async fn install<K: CustomResourceExt>(&self) {
        let crds: Api<CustomResourceDefinition> = Api::all(self.client(OURSELVES));
        let (name, crd) = (K::crd_name(), K::crd());
        let params = PatchParams::apply(OURSELVES).force();
        if let Err(error) = crds.patch(name, &params, &Patch::Apply(&crd)).await {
            panic!("the CRD {name} could not be installed: {error}");
        }
    }

    /// Applies each document of `yaml`, in the namespace that it names, else in `default`.
    ///
    /// # Panics
    /// If it can't be read, or the server refuses it.
    pub async fn apply(&self, yaml: &str) {
        let documents: Vec<Option<Value>> = match serde_saphyr::from_multiple(yaml) {
            Ok(documents) => documents,
            Err(error) => panic!("this is no YAML: {error}"),
        };
        for document in documents.into_iter().flatten() {
            self.apply_one(document).await;
        }
    }

    async fn apply_one(&self, document: Value) {
        let object: DynamicObject = match serde_json::from_value(document) {
            Ok(object) => object,
            Err(error) => panic!("this is no object: {error}"),
        };
        let client = self.client(OURSELVES);
        let TypeMeta { api_version, kind } = object.types.clone().unwrap_or_default();
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        let kind = GroupVersionKind::gvk(group, version, &kind);
        let (resource, capabilities) = match discovery::pinned_kind(&client, &kind).await {
            Ok(known) => known,
            Err(error) => panic!("the cluster does not know {kind:?}: {error}"),
        };
        let api: Api<DynamicObject> = match capabilities.scope {
            discovery::Scope::Cluster => Api::all_with(client, &resource),
            discovery::Scope::Namespaced => {
                let namespace = object.namespace().unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
                Api::namespaced_with(client, &namespace, &resource)
            }
        };
        let (name, params) = (object.name_any(), PatchParams::apply(OURSELVES).force());
        if let Err(error) = api.patch(&name, &params, &Patch::Apply(&object)).await {
            panic!("{} {name} could not be applied: {error}", resource.kind);
        }
    }

    /// Waits, on a watch, until the object `name` in the namespace `default` (or `namespace/name`) is as `wanted` says, and returns
    /// it.
    ///
    /// # Panics
    /// After a minute (of tokio's time), with the last state of the object.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn until<K: Awaited>(&self, name: &str, wanted: impl Fn(&K) -> bool) -> K {
        self.until_object(name, |object: Option<&K>| object.filter(|object| wanted(object)).cloned()).await
    }

    /// Waits until there is no object of that name.
    ///
    /// # Panics
    /// As [`Cluster::until`].
    pub async fn until_gone<K: Awaited>(&self, name: &str) {
        self.until_object(name, |object: Option<&K>| object.is_none().then_some(())).await;
    }

    async fn until_object<K: Awaited, T>(&self, name: &str, wanted: impl Fn(Option<&K>) -> Option<T>) -> T {
        let (namespace, name) = name.split_once('/').unwrap_or((DEFAULT_NAMESPACE, name));
        let resource = ApiResource::erase::<K>(&());
        let client = self.client(OURSELVES);
        let api: Api<DynamicObject> = match self.is_namespaced(&resource).await {
            true => Api::namespaced_with(client, namespace, &resource),
            false => Api::all_with(client, &resource),
        };
        let mut last: Option<K> = None;
        let seen = tokio::time::timeout(PATIENCE, follow(&api, name, &mut last, &wanted)).await;
        match seen {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => panic!("{} {name} could not be watched: {error}", resource.kind),
            Err(_) => panic!("{} {name} is not as it should be after {PATIENCE:?}; last: {last:#?}", resource.kind),
        }
    }

    /// Sets an object's status, as the controller would that a cluster has for its kind.
    ///
    /// # Panics
    /// If the server refuses it.
    pub async fn set_status<K: Awaited + Serialize>(&self, object: &K) {
        let status = match serde_json::to_value(object) {
            Ok(mut value) => json!({ "status": value["status"].take() }),
            Err(error) => panic!("the object can't be written as JSON: {error}"),
        };
        self.patch_status::<K>(object.meta().namespace.as_deref(), &object.name_any(), &status).await;
    }

    /// Says that a Deployment, StatefulSet, ReplicaSet or DaemonSet of the namespace `default` is as its spec says, because nothing
    /// runs pods here.
    ///
    /// # Panics
    /// If it is not there.
    pub async fn ready<K: Awaited + Serialize>(&self, name: &str) {
        let object = self.until(name, |_: &K| true).await;
        let spec = serde_json::to_value(&object).unwrap_or_default();
        let replicas = spec["spec"]["replicas"].as_i64().unwrap_or(1);
        let generation = object.meta().generation;
        let status = json!({ "status": {
            "observedGeneration": generation, "replicas": replicas, "updatedReplicas": replicas,
            "readyReplicas": replicas, "availableReplicas": replicas,
            "conditions": [{ "type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": "" }],
        }});
        self.patch_status::<K>(Some(DEFAULT_NAMESPACE), name, &status).await;
    }

    async fn patch_status<K: Awaited>(&self, namespace: Option<&str>, name: &str, status: &Value) {
        let resource = ApiResource::erase::<K>(&());
        let client = self.client(OURSELVES);
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        if let Err(error) = api.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await {
            panic!("the status of {} {name} could not be set: {error}", resource.kind);
        }
    }

    async fn is_namespaced(&self, resource: &ApiResource) -> bool {
        let kind = GroupVersionKind::gvk(&resource.group, &resource.version, &resource.kind);
        match discovery::pinned_kind(&self.client(OURSELVES), &kind).await {
            Ok((_, capabilities)) => capabilities.scope == discovery::Scope::Namespaced,
            Err(error) => panic!("the cluster does not know {kind:?}: {error}"),
        }
    }
}

/// Lists the one object, then watches it; a watch that ends is followed by another list.
async fn follow<K: Awaited, T>(
    api: &Api<DynamicObject>,
    name: &str,
    last: &mut Option<K>,
    wanted: &impl Fn(Option<&K>) -> Option<T>,
) -> Result<T, kube::Error> {
    let selector = format!("metadata.name={name}");
    loop {
        let list = api.list(&ListParams::default().fields(&selector)).await?;
        *last = list.items.into_iter().next().map(typed).transpose()?;
        if let Some(found) = wanted(last.as_ref()) {
            return Ok(found);
        }
        let version = list.metadata.resource_version.unwrap_or_default();
        let mut events = api.watch(&WatchParams::default().fields(&selector), &version).await?.boxed();
        while let Some(event) = events.try_next().await? {
            *last = match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => Some(typed(object)?),
                WatchEvent::Deleted(_) => None,
                WatchEvent::Bookmark(_) => continue,
                WatchEvent::Error(_) => break,
            };
            if let Some(found) = wanted(last.as_ref()) {
                return Ok(found);
            }
        }
    }
}

fn typed<K: DeserializeOwned>(object: DynamicObject) -> Result<K, kube::Error> {
    let value = serde_json::to_value(object).map_err(kube::Error::SerdeError)?;
    serde_json::from_value(value).map_err(kube::Error::SerdeError)
}
