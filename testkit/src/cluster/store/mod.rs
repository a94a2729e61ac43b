//! The objects, and what happened to them: plain data, with neither clock nor I/O.
//!
//! One counter gives every write of the whole store its version, as etcd's revision does. Each table keeps a history of its writes,
//! from which watches read at their own pace and lists look back in time; what falls out of it is *compacted*.

mod history;
mod object;
mod table;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;

pub(crate) use self::history::{Change, ChangeKind};
pub(crate) use self::object::{Key, Object};
pub(crate) use self::table::{Compacted, Table};

/// The first version is not 0 nor 1, as these mean "any" in requests.
const FIRST_VERSION: u64 = 100;

/// As many objects, those that were written last, are kept ready to be changed again; of the others, less is kept. Some megabytes at most.
const READY: usize = 1_000;

/// All objects of a cluster.
#[derive(Debug)]
pub(crate) struct Store {
    version: u64,
    /// Nothing older can be asked for. Who has read on from an older version before goes on, if nothing was missed.
    compacted: u64,
    tables: BTreeMap<Arc<str>, Table>,
    /// By the uid of an owner: what says that it belongs to it.
    dependents: BTreeMap<String, BTreeSet<(Arc<str>, Key)>>,
    /// Tables written to since [`Store::take_written`] was called last: whose watches have something to read.
    written: Vec<Arc<str>>,
    /// What was written last, oldest first, with its version.
    recent: VecDeque<(Arc<str>, Key, u64)>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            version: FIRST_VERSION,
            compacted: 0,
            tables: BTreeMap::new(),
            dependents: BTreeMap::new(),
            written: Vec::new(),
            recent: VecDeque::new(),
        }
    }
}

impl Store {
    /// The version of the last write.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Nothing older can be asked for.
    pub(crate) fn compacted(&self) -> u64 {
        self.compacted
    }

    /// The table of this name, if something was ever written to it.
    pub(crate) fn table(&self, table: &str) -> Option<&Table> {
        self.tables.get(table)
    }

    /// All tables by name.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (&Arc<str>, &Table)> {
        self.tables.iter()
    }

    pub(crate) fn get(&self, table: &str, key: &Key) -> Option<&Arc<Object>> {
        self.tables.get(table)?.get(key)
    }

    /// Writes an object, new or changed, under the next version.
    pub(crate) fn put(&mut self, table: &Arc<str>, key: Key, value: Value) -> Arc<Object> {
        let version = self.next_version(table);
        let object = Arc::new(Object::new(value, version));
        let before = self.get(table, &key).cloned();
        self.note_owners(table, &key, before.as_deref(), Some(&object));
        self.recent.push_back((table.clone(), key.clone(), version));
        self.table_mut(table).put(key, object.clone());
        if self.recent.len() > READY
            && let Some((table, key, version)) = self.recent.pop_front()
        {
            self.table_mut(&table).make_lean(&key, version);
        }
        object
    }

    /// Takes an object away. Gives its last state, under the version of its end.
    pub(crate) fn remove(&mut self, table: &Arc<str>, key: &Key) -> Option<Arc<Object>> {
        let live = self.get(table, key)?.clone();
        let version = self.next_version(table);
        let object = Arc::new(Object::new(live.value().clone(), version));
        self.table_mut(table).remove(key, &object);
        self.note_owners(table, key, Some(&live), None);
        Some(object)
    }

    /// What says that it belongs to the object of this uid.
    pub(crate) fn dependents(&self, uid: &str) -> Vec<(Arc<str>, Key)> {
        self.dependents.get(uid).into_iter().flatten().cloned().collect()
    }

    fn note_owners(&mut self, table: &Arc<str>, key: &Key, before: Option<&Object>, after: Option<&Object>) {
        for uid in before.into_iter().flat_map(Object::owner_uids) {
            if let Some(dependents) = self.dependents.get_mut(uid) {
                dependents.remove(&(table.clone(), key.clone()));
                if dependents.is_empty() {
                    self.dependents.remove(uid);
                }
            }
        }
        for uid in after.into_iter().flat_map(Object::owner_uids) {
            self.dependents.entry(uid.to_owned()).or_default().insert((table.clone(), key.clone()));
        }
    }

    /// Forgets the history of every table: who wants to watch or list from before now gets "too old".
    pub(crate) fn compact(&mut self) {
        self.compacted = self.version;
        self.tables.values_mut().for_each(Table::forget);
    }

    pub(crate) fn take_written(&mut self) -> Vec<Arc<str>> {
        std::mem::take(&mut self.written)
    }

    /// Wakes the watches of a table to which nothing was written.
    pub(crate) fn wake(&mut self, table: &Arc<str>) {
        self.written.push(table.clone());
    }

    fn next_version(&mut self, table: &Arc<str>) -> u64 {
        self.version += 1;
        if self.written.last() != Some(table) {
            self.written.push(table.clone());
        }
        self.version
    }

    fn table_mut(&mut self, table: &Arc<str>) -> &mut Table {
        self.tables.entry(table.clone()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn put(store: &mut Store, name: &str, data: u32) -> u64 {
        let value = json!({"metadata": {"name": name, "namespace": "a"}, "data": data});
        store.put(&Arc::from("things"), Key::new("a", name), value).version()
    }

    fn names_at(store: &Store, version: u64) -> Result<Vec<(String, Value)>, Compacted> {
        let objects = store.table("things").unwrap().at(version, None)?;
        Ok(objects.into_iter().map(|(key, object)| (key.name.clone(), object.value()["data"].clone())).collect())
    }

    #[test]
    fn an_object_carries_the_version_of_its_write() {
        let mut store = Store::default();
        let version = put(&mut store, "x", 1);
        let object = store.get("things", &Key::new("a", "x")).unwrap();
        assert_eq!(object.value()["metadata"]["resourceVersion"], json!(version.to_string()));
    }

    #[test]
    fn a_list_looks_back_to_an_earlier_version() {
        let mut store = Store::default();
        put(&mut store, "x", 1);
        let early = put(&mut store, "y", 1);
        put(&mut store, "y", 2);
        store.remove(&Arc::from("things"), &Key::new("a", "x"));
        put(&mut store, "z", 1);
        assert_eq!(names_at(&store, early).unwrap(), [("x".to_owned(), json!(1)), ("y".to_owned(), json!(1))]);
        assert_eq!(
            names_at(&store, store.version()).unwrap(),
            [("y".to_owned(), json!(2)), ("z".to_owned(), json!(1))]
        );
    }

    #[test]
    fn what_was_compacted_is_neither_listed_nor_watched() {
        let mut store = Store::default();
        let early = put(&mut store, "x", 1);
        put(&mut store, "x", 2);
        store.compact();
        assert!(names_at(&store, early).is_err());
        assert!(names_at(&store, store.version()).is_ok());
        let table = store.table("things").unwrap();
        assert!(table.since(early).is_err());
        assert_eq!(table.since(store.version()).unwrap().count(), 0);
    }

    #[test]
    fn the_end_of_an_object_has_a_version_of_its_own() {
        let mut store = Store::default();
        let version = put(&mut store, "x", 1);
        let gone = store.remove(&Arc::from("things"), &Key::new("a", "x")).unwrap();
        assert!(gone.version() > version);
        let change = store.table("things").unwrap().since(version).unwrap().next().unwrap();
        assert_eq!((change.kind, change.object.version()), (ChangeKind::Deleted, gone.version()));
    }
}
