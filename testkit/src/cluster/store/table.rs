//! The objects of one kind.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::history::History;
use super::{Change, ChangeKind, Key, Object};

/// What was asked for lies before what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compacted {
    /// The oldest version that can be asked for.
    pub(crate) oldest: u64,
}

/// The objects of one kind, in the order of namespace and name.
#[derive(Debug, Default)]
pub(crate) struct Table {
    objects: BTreeMap<Key, Arc<Object>>,
    history: History,
}

impl Table {
    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Object>> {
        self.objects.get(key)
    }

    /// All objects as they are now, or those of one namespace.
    pub(crate) fn now<'a>(&'a self, namespace: Option<&'a str>) -> impl Iterator<Item = (&'a Key, &'a Arc<Object>)> {
        let start = namespace.map_or(Bound::Unbounded, |namespace| Bound::Included(Key::new(namespace, "")));
        let all = self.objects.range((start, Bound::Unbounded));
        all.take_while(move |(key, _)| namespace.is_none_or(|namespace| key.namespace == namespace))
    }

    /// All objects as they were at `version`.
    pub(crate) fn at<'a>(
        &'a self,
        version: u64,
        namespace: Option<&'a str>,
    ) -> Result<Vec<(&'a Key, &'a Arc<Object>)>, Compacted> {
        let now = self.now(namespace);
        if self.history.last_version() <= version {
            return Ok(now.collect());
        }
        let mut objects: BTreeMap<&Key, &Arc<Object>> = now.collect();
        for change in self.history.since(version)?.rev() {
            match &change.before {
                _ if namespace.is_some_and(|namespace| change.key.namespace != namespace) => None,
                Some(before) => objects.insert(&change.key, before),
                None => objects.remove(&change.key),
            };
        }
        Ok(objects.into_iter().collect())
    }

    /// What happened after `version`, oldest first.
    pub(crate) fn since(&self, version: u64) -> Result<impl DoubleEndedIterator<Item = &Change>, Compacted> {
        self.history.since(version)
    }

    pub(super) fn put(&mut self, key: Key, object: Arc<Object>) {
        let lean = object.lean();
        let before = self.objects.insert(key.clone(), object).map(|before| before.lean());
        let kind = if before.is_some() { ChangeKind::Modified } else { ChangeKind::Created };
        self.history.push(Change { kind, key, object: lean, before });
    }

    /// Saves the room of an object that was not written again since this version.
    pub(super) fn make_lean(&mut self, key: &Key, version: u64) {
        if let Some(object) = self.objects.get_mut(key).filter(|object| object.version() == version) {
            *object = object.lean();
        }
    }

    pub(super) fn remove(&mut self, key: &Key, last: &Arc<Object>) {
        let before = self.objects.remove(key).map(|before| before.lean());
        self.history.push(Change { kind: ChangeKind::Deleted, key: key.clone(), object: last.lean(), before });
    }

    pub(super) fn forget(&mut self) {
        self.history.forget();
    }
}
