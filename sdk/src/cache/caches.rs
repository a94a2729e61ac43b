//! All caches of the process.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::Client;
use kube::core::{ApiResource, ClusterResourceScope};
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::raw::Sink;
use super::state::Status;
use super::watch::{Target, Watch};
use super::{Cache, CacheState, Entity, OwnedCache, WatchState};
use crate::metrics::{Metrics, WatchMetrics};
use crate::process::own;

/// All caches of the process. Cheap to clone; clones share everything.
///
/// Made, and filled, no matter who leads: a standby's caches are warm. A watch costs one request every few minutes, besides
/// what changes. It survives whatever the API server does: it is opened again where it ended, or after a new list, at most
/// once a second and ever less often, up to every ten seconds, as long as that fails. What is wrong is logged when it
/// begins, and when it is over.
///
/// The client should not retry on its own for long: the watch does.
#[derive(Clone)]
pub struct Caches(Arc<Shared>);

/// Which objects of a kind are cached. Kubernetes' own syntax; `None` selects all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selectors {
    /// A label selector, such as `app=web,tier!=cache`.
    pub labels: Option<String>,
    /// A field selector, such as `metadata.name=one`.
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

struct Shared {
    client: Client,
    namespaces: Vec<String>,
    metrics: Metrics,
    registry: Mutex<Registry>,
    /// Something is new in the registry, or in the state of a watch.
    changed: Arc<watch::Sender<()>>,
}

#[derive(Default)]
struct Registry {
    /// `Cache<K>` for each `K`.
    typed: HashMap<(TypeId, Selectors), Box<dyn Any + Send + Sync>>,
    /// By `apiVersion` and plural.
    owned: HashMap<(String, String), OwnedCache>,
    watches: Vec<Arc<Watch>>,
}

// === impl Caches ===

impl Caches {
    /// No caches yet. `namespaces`: those that are watched, one watch each; none: all, in one watch. Kinds without namespaces
    /// are always watched whole.
    #[must_use]
    pub fn new(client: Client, namespaces: Vec<String>, metrics: Metrics) -> Self {
        let (registry, changed) = (Mutex::default(), Arc::new(watch::Sender::new(())));
        Self(Arc::new(Shared { client, namespaces, metrics, registry, changed }))
    }

    /// The cache of whole objects of kind `K`. The same arguments give the same cache.
    #[must_use]
    pub fn typed<K: Entity>(&self, selectors: Selectors) -> Cache<K> {
        let mut registry = self.0.lock();
        let id = (TypeId::of::<K>(), selectors.clone());
        if let Some(cache) = registry.typed.get(&id).and_then(|cache| cache.downcast_ref::<Cache<K>>()) {
            return cache.clone();
        }
        let resource = ApiResource::erase::<K>(&());
        let metrics = self.0.metrics.watch(&resource.kind);
        let cache = Cache::<K>::new(resource.kind.clone(), metrics.clone());
        registry.typed.insert(id, Box::new(cache.clone()));
        let namespaced = TypeId::of::<K::Scope>() != TypeId::of::<ClusterResourceScope>();
        let target = Target { resource, metadata_only: false, namespace: None, selectors };
        self.0.watch(&mut registry, &target, namespaced, &cache.sink(), &metrics);
        cache
    }

    /// The cache of who owns the objects of a kind. The same kind gives the same cache.
    #[must_use]
    pub fn owned(&self, kind: &ApiResource, namespaced: bool) -> OwnedCache {
        let mut registry = self.0.lock();
        let id = (kind.api_version.clone(), kind.plural.clone());
        if let Some(cache) = registry.owned.get(&id) {
            return cache.clone();
        }
        let metrics = self.0.metrics.watch(&kind.kind);
        let cache = OwnedCache::new(&kind.kind, metrics.clone());
        registry.owned.insert(id, cache.clone());
        let (resource, selectors) = (kind.clone(), Selectors::default());
        let target = Target { resource, metadata_only: true, namespace: None, selectors };
        self.0.watch(&mut registry, &target, namespaced, &cache.sink(), &metrics);
        cache
    }

    /// Runs all watches, also of caches that are asked for later, until `stop`. To be called once.
    ///
    /// # Errors
    /// When a watch panics, or a subscriber of its cache.
    ///
    /// # Cancel safety
    /// Dropping it stops the watches.
    pub async fn run(&self, stop: CancellationToken) -> Result<(), CacheError> {
        let mut changed = self.0.changed.subscribe();
        let mut running = JoinSet::new();
        let mut kinds = HashMap::new();
        loop {
            let new: Vec<_> = self.0.lock().watches.iter().skip(kinds.len()).cloned().collect();
            for watch in new {
                let kind = watch.target.resource.kind.clone();
                let task = running.spawn(own(async move { watch.run().await }));
                kinds.insert(task.id(), kind);
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(Err(error)) = running.join_next_with_id() => return Err(ended(&kinds, error)),
                // The sender lives in `self`, so that this can't fail.
                _sender_lives = changed.changed() => {}
            }
        }
        running.shutdown().await;
        Ok(())
    }

    /// Whether every cache was filled once, and every kind is there.
    #[must_use]
    pub fn synced(&self) -> bool {
        self.0.lock().watches.iter().all(|watch| watch.status.state().synced)
    }

    /// Resolves when [`Caches::synced`] is true.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn wait_synced(&self) {
        let mut changed = self.0.changed.subscribe();
        // The sender lives in `self`, so that waiting can't fail.
        while !self.synced() && changed.changed().await.is_ok() {}
    }

    /// How each watch is doing.
    #[must_use]
    pub fn state(&self) -> Vec<CacheState> {
        self.0.lock().watches.iter().map(|watch| watch.status.state()).collect()
    }

    /// All that is known of each watch. Counts its objects.
    #[must_use]
    pub fn watches(&self) -> Vec<WatchState> {
        let watches = self.0.lock().watches.clone();
        let count = |watch: &Watch| watch.sink.count(watch.target.namespace.as_deref());
        watches.iter().map(|watch| watch.status.watch_state(count(watch))).collect()
    }
}

impl Shared {
    /// One watch a namespace. `target` is without.
    fn watch(
        &self,
        registry: &mut Registry,
        target: &Target,
        namespaced: bool,
        sink: &Arc<dyn Sink>,
        metrics: &WatchMetrics,
    ) {
        let mut namespaces: Vec<_> = self.namespaces.iter().filter(|_| namespaced).cloned().map(Some).collect();
        if namespaces.is_empty() {
            namespaces.push(None);
        }
        for namespace in namespaces {
            let status = Status::new(target.resource.clone(), namespace.clone(), self.changed.clone());
            let target = Target { namespace, ..target.clone() };
            let (client, sink, metrics) = (self.client.clone(), sink.clone(), metrics.clone());
            registry.watches.push(Arc::new(Watch { client, target, sink, status, metrics }));
        }
        self.changed.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Caches").field(&self.state()).finish()
    }
}

fn ended(kinds: &HashMap<Id, String>, error: JoinError) -> CacheError {
    let kind = kinds.get(&error.id()).cloned().unwrap_or_default();
    let why = match error.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
        }
        Err(cancelled) => cancelled.to_string(),
    };
    CacheError::Ended { kind, why }
}
