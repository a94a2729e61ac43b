//! All caches of the process.

use kube::Client;
use kube::core::ApiResource;
use tokio_util::sync::CancellationToken;

use super::{Cache, CacheState, Entity, OwnedCache};
use crate::metrics::Metrics;

/// All caches of the process. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Caches {}

/// Which objects of a kind are cached. Kubernetes' own syntax; `None` selects all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selectors {
    /// A label selector.
    pub labels: Option<String>,
    /// A field selector.
    pub fields: Option<String>,
}

/// Why [`Caches::run`] ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// A watch panicked, or a subscriber of its cache did.
    #[error("the watch of {kind} ended: {why}")]
    Ended {
        /// The kind that was watched.
        kind: String,
        /// What it panicked with.
        why: String,
    },
}

impl Caches {
    /// No caches yet. `namespaces`: those that are watched, one watch each; none: all, in one watch.
    #[must_use]
    pub fn new(_client: Client, _namespaces: Vec<String>, _metrics: Metrics) -> Self {
        Self {}
    }

    /// The cache of whole objects of kind `K`. The same arguments give the same cache.
    #[must_use]
    pub fn typed<K: Entity>(&self, _selectors: Selectors) -> Cache<K> {
        Cache::new()
    }

    /// The cache of who owns the objects of a kind. The same kind gives the same cache.
    #[must_use]
    pub fn owned(&self, _kind: &ApiResource, _namespaced: bool) -> OwnedCache {
        OwnedCache::new()
    }

    /// Runs all watches, also of caches that are asked for later, until `stop`.
    ///
    /// # Errors
    /// When a watch ends early, or panics.
    pub async fn run(&self, stop: CancellationToken) -> Result<(), CacheError> {
        stop.cancelled().await;
        Ok(())
    }

    /// Whether every cache was filled once, and every kind is there.
    #[must_use]
    pub fn synced(&self) -> bool {
        false
    }

    /// Resolves when [`Caches::synced`] is true.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn wait_synced(&self) {}

    /// How each watch is doing.
    #[must_use]
    pub fn state(&self) -> Vec<CacheState> {
        Vec::new()
    }
}
