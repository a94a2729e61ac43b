//! Who wants to be told.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

type Callback<T> = Arc<dyn Fn(&T) + Send + Sync>;

/// Callbacks, in the order in which they came. No lock is held while they are called.
pub(super) struct Subscribers<T>(RwLock<Arc<Vec<Callback<T>>>>);

impl<T> Subscribers<T> {
    pub(super) fn add(&self, callback: impl Fn(&T) + Send + Sync + 'static) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut longer = Vec::clone(&list);
        longer.push(Arc::new(callback));
        *list = Arc::new(longer);
    }

    pub(super) fn tell(&self, what: &T) {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        for callback in list.iter() {
            callback(what);
        }
    }
}

impl<T> Default for Subscribers<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T> fmt::Debug for Subscribers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.read().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_tuple("Subscribers").field(&count).finish()
    }
}
