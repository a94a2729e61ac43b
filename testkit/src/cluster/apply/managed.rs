//! `metadata.managedFields`: who owns which fields.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::set::FieldSet;

/// Whoever does not say its name.
const UNKNOWN_MANAGER: &str = "unknown";

/// As many managers of updates are told apart; the older ones become one.
const MOST_UPDATERS: usize = 10;
const OLD_UPDATERS: &str = "ancient-changes";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Apply,
    /// Create, update and all patches but apply.
    Update,
}

/// What tells entries apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Manager {
    pub(super) name: String,
    pub(super) operation: Operation,
    /// Who applies in another version is the same manager, who updates is not: empty for those who apply.
    version: String,
    pub(super) subresource: String,
}

/// What a manager owns.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) fields: FieldSet,
    pub(super) api_version: String,
    /// Of its last write that changed something; the real server leaves it out of entries that changed nothing from the start.
    pub(super) time: Option<String>,
}

/// All entries of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Managed(pub(super) BTreeMap<Manager, Entry>);

impl Manager {
    pub(super) fn new(name: &str, operation: Operation, api_version: &str, subresource: &str) -> Self {
        let name = if name.is_empty() { UNKNOWN_MANAGER } else { name }.to_owned();
        let version = if operation == Operation::Update { api_version } else { "" }.to_owned();
        Self { name, operation, version, subresource: subresource.to_owned() }
    }

    /// As messages of conflicts name it.
    pub(super) fn shown(&self) -> String {
        let Self { name, operation, version, subresource } = self;
        let below = if subresource.is_empty() { String::new() } else { format!(" with subresource {subresource:?}") };
        match operation {
            Operation::Apply => format!("{name:?}{below}"),
            Operation::Update => format!("{name:?}{below} using {version}"),
        }
    }
}

impl Managed {
    /// `None` if there is an entry that makes no sense.
    pub(super) fn parse(entries: &Value) -> Option<Self> {
        let entries = entries.as_array().into_iter().flatten().map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default();
            let operation = match text("operation") {
                "Apply" => Operation::Apply,
                "Update" => Operation::Update,
                _ => return None,
            };
            if text("apiVersion").is_empty() || text("fieldsType") != "FieldsV1" {
                return None;
            }
            let fields =
                if entry["fieldsV1"].is_null() { FieldSet::default() } else { FieldSet::parse(&entry["fieldsV1"])? };
            let manager = Manager::new(text("manager"), operation, text("apiVersion"), text("subresource"));
            let (api_version, time) = (text("apiVersion").to_owned(), entry["time"].as_str().map(str::to_owned));
            Some((manager, Entry { fields, api_version, time }))
        });
        entries.collect::<Option<_>>().map(Self)
    }

    /// As the server writes it: who applies first, then by time.
    pub(super) fn to_json(&self) -> Value {
        let mut entries: Vec<(&Manager, &Entry)> = self.0.iter().collect();
        entries.sort_by(|(a, a_entry), (b, b_entry)| {
            let by_time = || a_entry.time.cmp(&b_entry.time);
            a.operation.cmp(&b.operation).then_with(by_time).then_with(|| a.cmp(b))
        });
        let entries = entries.into_iter().map(|(manager, entry)| {
            let operation = if manager.operation == Operation::Apply { "Apply" } else { "Update" };
            let mut json = json!({
                "manager": manager.name, "operation": operation, "apiVersion": entry.api_version, "fieldsType": "FieldsV1",
            });
            // Not within `json!`, which would copy it.
            json["fieldsV1"] = entry.fields.to_json();
            if let Some(time) = &entry.time {
                json["time"] = time.clone().into();
            }
            if !manager.subresource.is_empty() {
                json["subresource"] = manager.subresource.clone().into();
            }
            json
        });
        entries.collect()
    }

    /// Puts them into an object, or takes the field away if there are none.
    pub(super) fn write(&self, object: &mut Value) {
        let Some(object) = object.as_object_mut() else { return };
        let metadata = object.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
        let Some(metadata) = metadata.as_object_mut() else { return };
        if self.0.is_empty() {
            metadata.remove("managedFields");
        } else {
            metadata.insert("managedFields".to_owned(), self.to_json());
        }
    }

    /// Makes one entry of the oldest ones if there are too many, as the server does.
    pub(super) fn cap_updaters(&mut self) {
        let mut updaters: Vec<(Option<String>, Manager)> = self
            .0
            .iter()
            .filter(|(manager, _)| manager.operation == Operation::Update)
            .map(|(manager, entry)| (entry.time.clone(), manager.clone()))
            .collect();
        updaters.sort();
        let mut count = updaters.len();
        let mut first_of_version: BTreeMap<String, Manager> = BTreeMap::new();
        for (time, manager) in updaters {
            if count <= MOST_UPDATERS {
                return;
            }
            let Some(first) = first_of_version.get(&manager.version).cloned() else {
                first_of_version.insert(manager.version.clone(), manager);
                continue;
            };
            let bucket = Manager::new(OLD_UPDATERS, Operation::Update, &manager.version, "");
            let Some(entry) = self.0.remove(&manager) else { continue };
            let before = self.0.remove(&bucket).or_else(|| self.0.remove(&first));
            let fields = before.map_or_else(|| entry.fields.clone(), |before| before.fields.union(&entry.fields));
            self.0.insert(bucket, Entry { fields, api_version: entry.api_version, time });
            count -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn updater(name: &str, second: usize) -> Value {
        json!({
            "manager": name, "operation": "Update", "apiVersion": "v1", "time": format!("2026-01-01T00:00:{second:02}Z"),
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {format!("f:{name}"): {}}},
        })
    }

    #[test]
    fn entries_are_read_as_they_are_written() {
        let entries = json!([
            {"manager": "a", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {}}},
            updater("b", 0),
        ]);
        assert_eq!(Managed::parse(&entries).unwrap().to_json(), entries);
        assert_eq!(Managed::parse(&json!([{"manager": "a", "operation": "Take"}])), None);
    }

    #[test]
    fn managers_are_shown_as_the_server_does() {
        let shown = |operation, subresource| Manager::new("a", operation, "apps/v1", subresource).shown();
        assert_eq!(shown(Operation::Apply, ""), r#""a""#);
        assert_eq!(shown(Operation::Update, ""), r#""a" using apps/v1"#);
        assert_eq!(shown(Operation::Update, "status"), r#""a" with subresource "status" using apps/v1"#);
    }

    #[test]
    fn the_oldest_of_too_many_updaters_become_one() {
        let entries: Vec<Value> = (0..12).map(|index| updater(&format!("m{index:02}"), index)).collect();
        let mut managed = Managed::parse(&Value::Array(entries)).unwrap();
        managed.cap_updaters();
        let names: Vec<&str> = managed.0.keys().map(|manager| manager.name.as_str()).collect();
        assert_eq!(names.len(), 10);
        assert_eq!(names[..2], ["ancient-changes", "m03"]);
        let old = managed.0.values().next().unwrap();
        assert_eq!(old.fields.to_json(), json!({"f:data": {"f:m00": {}, "f:m01": {}, "f:m02": {}}}));
        assert_eq!(old.time.as_deref(), Some("2026-01-01T00:00:02Z"));
    }
}
