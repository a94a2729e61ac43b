//! The objects of one kind.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::workqueue::Key;

/// What the API server was last seen to have. Cheap to clone; clones see the same.
#[derive(Debug)]
pub struct Store<K>(Arc<RwLock<HashMap<Key, Arc<K>>>>);

impl<K> Store<K> {
    /// The object, if there is one.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<K>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// All objects, in no order.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<K>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
