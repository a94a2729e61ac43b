//! Of kinds that are only owned: which object belongs to whom.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::raw::{RawObject, Sink};
use super::subscribers::Subscribers;
use crate::metrics::WatchMetrics;
use crate::workqueue::Key;

/// An object that has (or had) a controller owner was created, changed or deleted.
#[derive(Clone, Debug)]
pub struct OwnedChange {
    /// The controller owner. If it changed, old and new owner are told, each with a change of its own.
    pub owner: Arc<OwnerReference>,
    /// Namespace of the owned object, and so of an owner that has one.
    pub namespace: Option<Arc<str>>,
    /// Name of the owned object.
    pub name: Arc<str>,
    /// Kind of the owned object.
    pub kind: Arc<str>,
    /// Version of the owned object; if it is gone, the last known one.
    pub resource_version: Arc<str>,
    /// It is gone, or belongs to somebody else now.
    pub deleted: bool,
}

/// One watch for metadata of one kind. Cheap to clone; clones are the same cache.
///
/// Of objects that a controller owns it keeps key, UID, version and owner, and nothing at all of others.
#[derive(Clone, Debug)]
pub struct OwnedCache(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    kind: Arc<str>,
    objects: Mutex<HashMap<Key, Owned>>,
    subscribers: Subscribers<OwnedChange>,
    metrics: WatchMetrics,
}

#[derive(Clone, Debug)]
struct Owned {
    uid: String,
    resource_version: Arc<str>,
    owner: Arc<OwnerReference>,
}

impl OwnedChange {
    /// `None` for an object without a controller owner.
    pub(super) fn of<K: kube::Resource>(object: &K, kind: &Arc<str>, deleted: bool) -> Option<Self> {
        let meta = object.meta();
        let owner = meta.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))?;
        Some(Self {
            owner: Arc::new(owner.clone()),
            namespace: meta.namespace.as_deref().map(Into::into),
            name: meta.name.as_deref().unwrap_or_default().into(),
            kind: kind.clone(),
            resource_version: meta.resource_version.as_deref().unwrap_or_default().into(),
            deleted,
        })
    }
}

impl OwnedCache {
    pub(super) fn new(kind: &str, metrics: WatchMetrics) -> Self {
        let (objects, subscribers) = (Mutex::default(), Subscribers::default());
        Self(Arc::new(Shared { kind: kind.into(), objects, subscribers, metrics }))
    }

    /// Calls `on_change` for every change from now on. The changes of one object come in order, one by one; those of
    /// different namespaces that are watched separately may come at once. The watch waits for the call: what takes long
    /// belongs elsewhere. No lock is held meanwhile. A panic ends [`Caches::run`](super::Caches::run).
    pub fn subscribe(&self, on_change: impl Fn(&OwnedChange) + Send + Sync + 'static) {
        self.0.subscribers.add(on_change);
    }

    /// How many objects that a controller owns there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn sink(&self) -> Arc<dyn Sink> {
        self.0.clone()
    }
}

impl Sink for Shared {
    fn put(&self, object: RawObject) {
        let Some(key) = object.key() else { return };
        let new = object.controller_owner().map(|owner| Owned {
            uid: object.uid().to_owned(),
            resource_version: object.resource_version().into(),
            owner: Arc::new(owner),
        });
        let old = self.exchange(&key, new.clone());
        match (old, new) {
            (Some(old), Some(new)) if old.uid == new.uid && old.resource_version == new.resource_version => {}
            (Some(old), Some(new)) if old.uid == new.uid && old.owner.uid == new.owner.uid => {
                self.tell(key, new, false);
            }
            (old, new) => {
                if let Some(old) = old {
                    self.tell(key.clone(), old, true);
                }
                if let Some(new) = new {
                    self.tell(key, new, false);
                }
            }
        }
    }

    fn remove(&self, object: RawObject) {
        let Some(key) = object.key() else { return };
        let is_this_one = self.lock().get(&key).is_some_and(|known| known.uid == object.uid());
        if is_this_one && let Some(old) = self.exchange(&key, None) {
            self.tell(key, old, true);
        }
    }

    fn keep_only(&self, namespace: Option<&str>, listed: &HashSet<Key>) {
        let gone = |key: &Key| {
            let in_scope = namespace.is_none() || namespace == key.namespace.as_deref();
            in_scope && !listed.contains(key)
        };
        let mut gone: Vec<Key> = self.lock().keys().filter(|key| gone(key)).cloned().collect();
        gone.sort_unstable();
        for key in gone {
            if let Some(old) = self.exchange(&key, None) {
                self.tell(key, old, true);
            }
        }
    }

    fn count(&self, namespace: Option<&str>) -> usize {
        self.lock().keys().filter(|key| namespace.is_none() || namespace == key.namespace.as_deref()).count()
    }
}

impl Shared {
    fn exchange(&self, key: &Key, new: Option<Owned>) -> Option<Owned> {
        let is_there = new.is_some();
        let mut objects = self.lock();
        let old = match new {
            Some(new) => objects.insert(key.clone(), new),
            None => objects.remove(key),
        };
        match (old.is_some(), is_there) {
            (false, true) => self.metrics.object_added(),
            (true, false) => self.metrics.object_removed(),
            (true, true) | (false, false) => {}
        }
        old
    }

    fn tell(&self, key: Key, object: Owned, deleted: bool) {
        let Key { namespace, name } = key;
        let Owned { uid: _, resource_version, owner } = object;
        let kind = self.kind.clone();
        self.subscribers.tell(&OwnedChange { owner, namespace, name, kind, resource_version, deleted });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Owned>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "owned_tests.rs"]
mod tests;
