//! Of kinds that are only owned: which object belongs to whom.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

/// An object that has (or had) a controller owner was created, changed or deleted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OwnedChange {
    /// The controller owner. If it changed, old and new owner are told, each with a change of its own.
    pub owner: Arc<OwnerReference>,
    /// Namespace of the owned object, and so of an owner that has one.
    pub namespace: Option<Arc<str>>,
    /// Name of the owned object.
    pub name: Arc<str>,
    /// Kind of the owned object.
    pub kind: Arc<str>,
    /// Version of the owned object, the last known one if it was deleted.
    pub resource_version: Arc<str>,
    /// It is gone, or belongs to somebody else now.
    pub deleted: bool,
}

/// One watch for metadata of one kind. Cheap to clone; clones are the same cache.
#[derive(Clone, Debug)]
pub struct OwnedCache {}

impl OwnedCache {
    pub(super) fn new() -> Self {
        Self {}
    }

    /// Calls `on_change` for every change from now on.
    pub fn subscribe(&self, _on_change: impl Fn(&OwnedChange) + Send + Sync + 'static) {}
}
