//! Objects that went away during the term, until `deleted` has been called for them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::workqueue::Key;

/// The last known objects of those that are gone, oldest first. Takes them in only while a term runs.
#[derive(Debug)]
pub(super) struct Tombstones<K>(Mutex<State<K>>);

#[derive(Debug)]
struct State<K> {
    open: bool,
    gone: HashMap<Key, VecDeque<Arc<K>>>,
}

impl<K> Tombstones<K> {
    /// A term begins.
    pub(super) fn open(&self) {
        self.lock().open = true;
    }

    /// A term is over: what it did not get to is forgotten.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.open = false;
        state.gone.clear();
    }

    /// An object is gone.
    pub(super) fn add(&self, key: Key, object: Arc<K>) {
        let mut state = self.lock();
        if state.open {
            state.gone.entry(key).or_default().push_back(object);
        }
    }

    /// The one that went first. It stays, so that a failure or panic does not lose it.
    pub(super) fn first(&self, key: &Key) -> Option<Arc<K>> {
        self.lock().gone.get(key)?.front().cloned()
    }

    /// The one that went first has been dealt with.
    pub(super) fn remove_first(&self, key: &Key) {
        let mut state = self.lock();
        let Some(gone) = state.gone.get_mut(key) else { return };
        gone.pop_front();
        if gone.is_empty() {
            state.gone.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Default for Tombstones<K> {
    fn default() -> Self {
        Self(Mutex::new(State { open: false, gone: HashMap::new() }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Tombstones;
    use crate::workqueue::Key;

    fn key(name: &str) -> Key {
        Key { namespace: None, name: name.into() }
    }

    #[test]
    fn each_object_of_one_name_is_kept_in_order_until_it_is_dealt_with() {
        let tombstones = Tombstones::default();
        tombstones.open();
        tombstones.add(key("a"), Arc::new(1));
        tombstones.add(key("a"), Arc::new(2));
        assert_eq!(tombstones.first(&key("a")).as_deref(), Some(&1));
        assert_eq!(tombstones.first(&key("a")).as_deref(), Some(&1));
        tombstones.remove_first(&key("a"));
        assert_eq!(tombstones.first(&key("a")).as_deref(), Some(&2));
        tombstones.remove_first(&key("a"));
        assert_eq!(tombstones.first(&key("a")), None);
    }

    #[test]
    fn what_goes_outside_of_a_term_is_not_kept_nor_carried_into_the_next() {
        let tombstones = Tombstones::default();
        tombstones.add(key("a"), Arc::new(1));
        tombstones.open();
        assert_eq!(tombstones.first(&key("a")), None);
        tombstones.add(key("a"), Arc::new(2));
        tombstones.close();
        tombstones.open();
        assert_eq!(tombstones.first(&key("a")), None);
    }
}
