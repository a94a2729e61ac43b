//! Whole objects of one kind.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::raw::{RawObject, Sink};
use super::subscribers::Subscribers;
use super::{Entity, OwnedChange, Store};
use crate::metrics::WatchMetrics;
use crate::workqueue::Key;

/// What happened to an object.
#[derive(Clone, Debug)]
pub enum Change<K> {
    /// It is new, or new to this process.
    Created(Arc<K>),
    /// It has another version.
    Modified {
        /// As it was last seen.
        old: Arc<K>,
        /// As it is.
        new: Arc<K>,
    },
    /// It is gone, or no longer selected; this is the last that was known of it.
    Deleted(Arc<K>),
}

/// One watch and one store of whole objects. Cheap to clone; clones are the same cache.
///
/// An object that was deleted and created again under its name, seen or not, is [`Change::Deleted`] and then
/// [`Change::Created`]. What is deleted while the watch is down is told once it is up again.
///
/// An object that does not fit `K` is logged and counted, once a version. It stays out of the store; if an earlier version
/// of it did fit, that one stays, and nothing is told until a version fits again or the object is gone: so a version that
/// this program is too old for does not look like a deletion.
#[derive(Debug)]
pub struct Cache<K>(Arc<Shared<K>>);

#[derive(Debug)]
struct Shared<K> {
    kind: String,
    store: Store<K>,
    subscribers: Subscribers<Change<K>>,
    /// Version of each object whose newest version does not fit, so that it is told only once.
    unfit: Mutex<HashMap<Key, String>>,
    metrics: WatchMetrics,
}

impl<K: Entity> Cache<K> {
    pub(super) fn new(kind: String, metrics: WatchMetrics) -> Self {
        let (store, subscribers, unfit) = (Store::default(), Subscribers::default(), Mutex::default());
        Self(Arc::new(Shared { kind, store, subscribers, unfit, metrics }))
    }

    /// Calls `on_change` for every change from now on, after the store has it. The changes of one object come in order, one
    /// by one; those of different namespaces that are watched separately may come at once. The watch waits for the call:
    /// what takes long belongs elsewhere. No lock is held meanwhile. A panic ends [`Caches::run`](super::Caches::run).
    pub fn subscribe(&self, on_change: impl Fn(&Change<K>) + Send + Sync + 'static) {
        self.0.subscribers.add(on_change);
    }

    /// Calls `on_change` as [`OwnedCache::subscribe`](super::OwnedCache::subscribe) does, but after the store of this cache has
    /// the change: another cache of the same kind may be ahead of it, or behind.
    pub fn subscribe_owned(&self, on_change: impl Fn(&OwnedChange) + Send + Sync + 'static) {
        let kind: Arc<str> = self.0.kind.as_str().into();
        self.subscribe(move |change| {
            let (old, new) = match change {
                Change::Created(new) => (None, Some(new)),
                Change::Modified { old, new } => (Some(old), Some(new)),
                Change::Deleted(old) => (Some(old), None),
            };
            let old = old.and_then(|old| OwnedChange::of(&**old, &kind, true));
            let new = new.and_then(|new| OwnedChange::of(&**new, &kind, false));
            let same_owner = |old: &OwnedChange| new.as_ref().is_some_and(|new| new.owner.uid == old.owner.uid);
            let parted = old.filter(|old| !same_owner(old));
            parted.iter().chain(&new).for_each(&on_change);
        });
    }

    /// The objects.
    #[must_use]
    pub fn store(&self) -> Store<K> {
        self.0.store.clone()
    }

    pub(super) fn sink(&self) -> Arc<dyn Sink> {
        self.0.clone()
    }
}

impl<K> Clone for Cache<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Entity> Sink for Shared<K> {
    fn put(&self, object: RawObject) {
        let Some(key) = object.key() else { return };
        if self.store.get(&key).is_some_and(|old| uid(&*old) != object.uid()) {
            // First, so that nobody can work on the new object without knowing that the old one is gone.
            self.drop_out(&key, None);
        }
        let old = self.store.get(&key);
        if old.as_ref().is_some_and(|old| version(&**old) == object.resource_version()) {
            return;
        }
        let new_version = object.resource_version().to_owned();
        match object.typed::<K>() {
            Ok(new) => {
                self.unfit().remove(&key);
                self.exchange(key, old, Arc::new(new));
            }
            Err(error) => self.is_unfit(&key, &new_version, &error),
        }
    }

    fn remove(&self, object: RawObject) {
        let Some(key) = object.key() else { return };
        self.unfit().remove(&key);
        // A deletion of another object of that name says nothing of this one.
        if self.store.get(&key).is_some_and(|known| uid(&*known) == object.uid()) {
            self.drop_out(&key, object.typed().ok().map(Arc::new));
        }
    }

    fn keep_only(&self, namespace: Option<&str>, listed: &HashSet<Key>) {
        let gone = |key: &Key| {
            let in_scope = namespace.is_none() || namespace == key.namespace.as_deref();
            in_scope && !listed.contains(key)
        };
        self.unfit().retain(|key, _| !gone(key));
        for key in self.store.keys().iter().filter(|key| gone(key)) {
            self.drop_out(key, None);
        }
    }

    fn count(&self, namespace: Option<&str>) -> usize {
        self.store.count(namespace)
    }
}

impl<K: Entity> Shared<K> {
    fn exchange(&self, key: Key, old: Option<Arc<K>>, new: Arc<K>) {
        self.store.put(key, new.clone());
        match old {
            Some(old) => self.subscribers.tell(&Change::Modified { old, new }),
            None => {
                self.metrics.object_added();
                self.subscribers.tell(&Change::Created(new));
            }
        }
    }

    fn drop_out(&self, key: &Key, newest: Option<Arc<K>>) {
        if let Some(known) = self.store.remove(key) {
            self.metrics.object_removed();
            self.subscribers.tell(&Change::Deleted(newest.unwrap_or(known)));
        }
    }

    fn is_unfit(&self, key: &Key, version: &str, error: &serde_json::Error) {
        let known = self.unfit().insert(key.clone(), version.to_owned());
        if known.as_deref() != Some(version) {
            self.metrics.undeserializable();
            let kind = &self.kind;
            tracing::warn!(%kind, object = %key, version, %error, "{kind} {key} does not fit its Rust type: left out");
        }
    }

    fn unfit(&self) -> MutexGuard<'_, HashMap<Key, String>> {
        self.unfit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn uid<K: kube::Resource>(object: &K) -> &str {
    object.meta().uid.as_deref().unwrap_or_default()
}

fn version<K: kube::Resource>(object: &K) -> &str {
    object.meta().resource_version.as_deref().unwrap_or_default()
}
