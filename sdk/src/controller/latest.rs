//! Read your writes: what the server answered to the controller's own patches, until the watch has caught up.
//!
//! Without it, a reconcile right behind one that wrote would see the object as it was before, and its own status write
//! would be refused as a conflict.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cache::{Entity, Store};
use crate::workqueue::Key;

/// A store, and what was written to its objects since.
#[derive(Debug)]
pub(super) struct Latest<K> {
    store: Store<K>,
    written: Mutex<HashMap<Key, Arc<K>>>,
}

impl<K: Entity> Latest<K> {
    pub(super) fn new(store: Store<K>) -> Self {
        Self { store, written: Mutex::default() }
    }

    /// The newest that is known of an object that is still in the store.
    pub(super) fn get(&self, key: &Key) -> Option<Arc<K>> {
        let mut written = self.lock();
        let Some(stored) = self.store.get(key) else {
            written.remove(key);
            return None;
        };
        match written.entry(key.clone()) {
            Entry::Occupied(own) if is_newer(&**own.get(), &*stored) => Some(own.get().clone()),
            Entry::Occupied(own) => {
                own.remove();
                Some(stored)
            }
            Entry::Vacant(_) => Some(stored),
        }
    }

    /// The server answered with this.
    pub(super) fn wrote(&self, key: &Key, object: Arc<K>) {
        let mut written = self.lock();
        // The store may have it already, or know that it is gone: the watch can be faster than the answer.
        if self.store.get(key).is_some_and(|stored| is_newer(&*object, &*stored)) {
            written.insert(key.clone(), object);
        }
    }

    /// The store has this now, or nothing.
    pub(super) fn seen(&self, key: &Key, stored: Option<&K>) {
        if let Entry::Occupied(own) = self.lock().entry(key.clone())
            && stored.is_none_or(|stored| !is_newer(&**own.get(), stored))
        {
            own.remove();
        }
    }

    pub(super) fn store(&self) -> &Store<K> {
        &self.store
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<K>>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Versions of one kind can be compared as numbers (KEP-5504); one that is none is never newer.
fn is_newer<K: Entity>(object: &K, than: &K) -> bool {
    let number = |object: &K| object.meta().resource_version.as_ref()?.parse::<u128>().ok();
    match (number(object), number(than)) {
        (Some(object), Some(than)) => object.cmp(&than) == Ordering::Greater,
        (None, _) | (_, None) => false,
    }
}
