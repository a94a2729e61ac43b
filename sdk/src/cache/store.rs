//! The objects of one kind.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::workqueue::Key;

/// What the API server was last seen to have. Cheap to clone; clones see the same.
///
/// Objects are shared, never copied: whoever keeps one keeps that version. `metadata.managedFields` is not there.
pub struct Store<K>(Arc<RwLock<HashMap<Key, Arc<K>>>>);

impl<K> Store<K> {
    /// The object, if there is one.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<K>> {
        self.read().get(key).cloned()
    }

    /// All objects, in no order.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<K>> {
        self.read().values().cloned().collect()
    }

    /// The keys of all objects, in their order: what is done for each is the same in each run of a simulation.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self.read().keys().cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    /// How many there are in this namespace (`None`: at all).
    pub(super) fn count(&self, namespace: Option<&str>) -> usize {
        self.read().keys().filter(|key| namespace.is_none() || namespace == key.namespace.as_deref()).count()
    }

    pub(super) fn put(&self, key: Key, object: Arc<K>) -> Option<Arc<K>> {
        self.write().insert(key, object)
    }

    pub(super) fn remove(&self, key: &Key) -> Option<Arc<K>> {
        self.write().remove(key)
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Key, Arc<K>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Key, Arc<K>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Clone for Store<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K> Default for Store<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K> fmt::Debug for Store<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("objects", &self.len()).finish()
    }
}
