//! An object as the API server sent it.

use std::collections::HashSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::core::ApiResource;
use serde::Deserialize;
use serde_json::Value;

use crate::workqueue::Key;

/// Any JSON: reading one never fails, so that an object that does not fit its Rust type stops neither a list nor a watch.
/// It also is the one type that all watches of the SDK are compiled for.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct RawObject(Value);

/// Where a watch puts what it learns. Called by one watch at a time for each namespace.
pub(super) trait Sink: Send + Sync {
    /// The object is like this.
    fn put(&self, object: RawObject);

    /// The object is gone; this is its last version.
    fn remove(&self, object: RawObject);

    /// These are all that there are in this namespace (`None`: at all); what else is known of it is gone.
    fn keep_only(&self, namespace: Option<&str>, listed: &HashSet<Key>);

    /// How many objects are known of this namespace (`None`: at all).
    fn count(&self, namespace: Option<&str>) -> usize;
}

impl RawObject {
    /// Adds the type, which items of a list lack, and drops `managedFields`, which nobody reads and which can be two thirds
    /// of an object.
    pub(super) fn complete(mut self, resource: &ApiResource) -> Self {
        if let Some(object) = self.0.as_object_mut() {
            object.entry("apiVersion").or_insert_with(|| resource.api_version.as_str().into());
            object.entry("kind").or_insert_with(|| resource.kind.as_str().into());
            if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("managedFields");
            }
        }
        self
    }

    /// `None` for what is no Kubernetes object.
    pub(super) fn key(&self) -> Option<Key> {
        let name = self.metadata("name")?;
        Some(Key { namespace: self.metadata("namespace").map(Into::into), name: name.into() })
    }

    pub(super) fn uid(&self) -> &str {
        self.metadata("uid").unwrap_or_default()
    }

    pub(super) fn resource_version(&self) -> &str {
        self.metadata("resourceVersion").unwrap_or_default()
    }

    pub(super) fn controller_owner(&self) -> Option<OwnerReference> {
        let owners = self.0.get("metadata")?.get("ownerReferences")?.as_array()?;
        let controller = owners.iter().find(|owner| owner.get("controller") == Some(&Value::Bool(true)))?;
        OwnerReference::deserialize(controller).ok()
    }

    /// The object as its Rust type.
    pub(super) fn typed<K: serde::de::DeserializeOwned>(self) -> Result<K, serde_json::Error> {
        serde_json::from_value(self.0)
    }

    fn metadata(&self, field: &str) -> Option<&str> {
        self.0.get("metadata")?.get(field)?.as_str()
    }
}
