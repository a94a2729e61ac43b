//! What a test does with a cluster, short enough to be read over.
//!
//! These panic where a test would unwrap anyway, with what is needed to see why.

#![allow(clippy::panic, reason = "for tests: a step that cannot be taken is the end of the test")]

use std::fmt::Debug;
use std::time::Duration;

use futures::TryStreamExt;
use k8s_openapi::NamespaceResourceScope;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::core::{DynamicObject, ResourceExt};
use kube::{Client, CustomResourceExt, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Cluster, DEFAULT_NAMESPACE};

/// Who asks on the test's own behalf, so that the record shows its requests apart.
const TEST: &str = "test";

/// How long an object is waited for: of tokio's time, so nothing with paused time, and enough for whatever an operator puts off.
const WITHIN: Duration = Duration::from_secs(600);

/// A kind of which tests wait until it is ready. Nothing runs pods here, so tests say it themselves.
pub trait Ready: Resource {
    /// The status of one that is ready, given what was wished of it.
    fn ready(object: &Value) -> Value;
}

impl Cluster {
    /// Registers the kind of a CRD, or changes it.
    ///
    /// # Panics
    ///
    /// If it is refused.
    pub async fn install<K: CustomResourceExt>(&self) {
        self.apply_object(&json!(K::crd())).await;
    }

    /// Applies objects written as YAML, as `kubectl apply --server-side` does: any number of documents, in the namespace `default` where they name none.
    ///
    /// # Panics
    ///
    /// If it cannot be read, or one of them is refused.
    pub async fn apply(&self, yaml: &str) {
        let documents: Vec<Value> = match serde_saphyr::from_multiple(yaml) {
            Ok(documents) => documents,
            Err(error) => panic!("this is no YAML: {error}\n{yaml}"),
        };
        for document in documents.iter().filter(|document| !document.is_null()) {
            self.apply_object(document).await;
        }
    }

    /// Waits until there is an object of this name, in the namespace `default`, that `is` says yes to, and gives it.
    ///
    /// # Panics
    ///
    /// If it does not come within ten minutes of tokio's time: with the state that it had last.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: the next call looks at the object as it is then.
    pub async fn until<K>(&self, name: &str, is: impl Fn(&K) -> bool) -> K
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Serialize + Debug,
    {
        let mut last = None;
        match tokio::time::timeout(WITHIN, self.watch_until(name, is, &mut last)).await {
            Ok(Ok(object)) => object,
            Ok(Err(error)) => panic!("cannot watch {} {name}: {error}", K::kind(&())),
            Err(_) => {
                let last = last.map_or_else(
                    || "there is none".to_owned(),
                    |object| serde_json::to_string_pretty(&object).unwrap_or_else(|_| format!("{object:?}")),
                );
                panic!("{} {name} is not as wished after {WITHIN:?}; last: {last}", K::kind(&()))
            }
        }
    }

    /// Writes the status of an object that is there, as whoever runs it would do.
    ///
    /// # Panics
    ///
    /// If the object is not there or the status is refused.
    pub async fn set_status<K>(&self, object: &K)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Serialize + Debug,
    {
        let status = json!(object)["status"].clone();
        self.write_status::<K>(&object.name_any(), &object.namespace().unwrap_or_default(), status).await;
    }

    /// Makes an object of the namespace `default` ready, as if its pods ran.
    ///
    /// # Panics
    ///
    /// If the object is not there.
    pub async fn ready<K>(&self, name: &str)
    where
        K: Ready
            + Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + Serialize
            + Debug,
    {
        let found = self.namespaced::<K>(DEFAULT_NAMESPACE).get(name).await;
        let object = found.unwrap_or_else(|error| panic!("cannot get {} {name}: {error}", K::kind(&())));
        self.write_status::<K>(name, DEFAULT_NAMESPACE, K::ready(&json!(object))).await;
    }

    async fn watch_until<K>(&self, name: &str, is: impl Fn(&K) -> bool, last: &mut Option<K>) -> Result<K, kube::Error>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Serialize + Debug,
    {
        let api = self.namespaced::<K>(DEFAULT_NAMESPACE);
        let field = format!("metadata.name={name}");
        loop {
            let list = api.list(&ListParams::default().fields(&field)).await?;
            let version = list.metadata.resource_version.unwrap_or_default();
            *last = list.items.into_iter().next();
            if let Some(object) = last.as_ref().filter(|object| is(object)) {
                return Ok(object.clone());
            }
            let events = api.watch(&WatchParams::default().fields(&field), &version).await?;
            let mut events = std::pin::pin!(events);
            while let Some(event) = events.try_next().await? {
                match event {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) if is(&object) => return Ok(object),
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => *last = Some(object),
                    WatchEvent::Deleted(_) => *last = None,
                    WatchEvent::Bookmark(_) => {}
                    // Too old: from the beginning.
                    WatchEvent::Error(_) => break,
                }
            }
        }
    }

    async fn apply_object(&self, object: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let known = self.server.state().resources.of_object(&api_version, &kind).cloned();
        let Some(known) = known else { panic!("there is no {api_version} {kind}; is its CRD installed?") };
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        let gvk = kube::core::GroupVersionKind::gvk(group, version, &kind);
        let resource = kube::core::ApiResource::from_gvk_with_plural(&gvk, &known.plural);
        let name = text(&object["metadata"]["name"]);
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or(DEFAULT_NAMESPACE);
        let api: Api<DynamicObject> = if known.namespaced {
            Api::namespaced_with(self.own_client(), namespace, &resource)
        } else {
            Api::all_with(self.own_client(), &resource)
        };
        let result = if name.is_empty() {
            match serde_json::from_value(object.clone()) {
                Ok(object) => api.create(&PostParams::default(), &object).await,
                Err(error) => panic!("this is no object: {error}\n{object}"),
            }
        } else {
            api.patch(&name, &PatchParams::apply(TEST).force(), &Patch::Apply(object)).await
        };
        if let Err(error) = result {
            panic!("cannot apply {kind} {name}: {error}\n{object}");
        }
    }

    async fn write_status<K>(&self, name: &str, namespace: &str, status: Value)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Serialize + Debug,
    {
        let namespace = if namespace.is_empty() { DEFAULT_NAMESPACE } else { namespace };
        let patch = Patch::Merge(json!({"status": status}));
        let written = self.namespaced::<K>(namespace).patch_status(name, &PatchParams::default(), &patch).await;
        if let Err(error) = written {
            panic!("cannot write the status of {} {name}: {error}", K::kind(&()));
        }
    }

    fn namespaced<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.own_client(), namespace)
    }

    fn own_client(&self) -> Client {
        self.client(TEST)
    }
}

impl Ready for k8s_openapi::api::apps::v1::Deployment {
    fn ready(object: &Value) -> Value {
        let replicas = object["spec"]["replicas"].as_i64().unwrap_or(1);
        let condition = |kind: &str, reason: &str| json!({"type": kind, "status": "True", "reason": reason});
        json!({
            "observedGeneration": object["metadata"]["generation"], "replicas": replicas, "updatedReplicas": replicas,
            "readyReplicas": replicas, "availableReplicas": replicas,
            "conditions": [condition("Available", "MinimumReplicasAvailable"), condition("Progressing", "NewReplicaSetAvailable")],
        })
    }
}

impl Ready for k8s_openapi::api::apps::v1::StatefulSet {
    fn ready(object: &Value) -> Value {
        let replicas = object["spec"]["replicas"].as_i64().unwrap_or(1);
        json!({
            "observedGeneration": object["metadata"]["generation"], "replicas": replicas, "readyReplicas": replicas,
            "currentReplicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas,
        })
    }
}

impl Ready for k8s_openapi::api::core::v1::Pod {
    fn ready(_: &Value) -> Value {
        json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})
    }
}
