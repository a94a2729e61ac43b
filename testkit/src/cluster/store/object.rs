//! One object at one version, and where it lies.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::{Map, Value};

/// As deep may JSON be that is read, `managedFields` included, which are a few levels deeper than what they tell of.
const DEEPEST: usize = 100;

/// What the JSON of an object is kept without, as it depends on who asks: a kind may be served at several versions, and lists of
/// built-in kinds leave them out.
const TYPES: [&str; 2] = ["apiVersion", "kind"];

/// Where an object lies in its table. Without namespace for what is in none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

/// One object at one version. It never changes: each write makes a new one, and who holds an old one keeps it.
#[derive(Debug)]
pub(crate) struct Object {
    kept: Arc<Kept>,
    /// The whole as a tree, which takes several times the room of its JSON: only of objects that are written and looked into.
    value: OnceLock<Value>,
}

/// What is at hand of every object.
#[derive(Debug)]
struct Kept {
    version: u64,
    /// What it says of each of [`TYPES`].
    types: [Option<Value>; 2],
    /// Without `managedFields`.
    metadata: Map<String, Value>,
    /// All but [`TYPES`], as it goes over the wire, however many watches and lists send it.
    json: Bytes,
    /// Where in it the metadata is.
    metadata_json: Range<usize>,
    /// Whether the tree can be read from the JSON again.
    is_readable: bool,
}

impl Object {
    pub(crate) fn new(mut value: Value, version: u64) -> Self {
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("resourceVersion".to_owned(), Value::String(version.to_string()));
        }
        Self { kept: Arc::new(Kept::new(&value, version)), value: OnceLock::from(value) }
    }

    /// The same in less room, for who does not look into it again soon.
    pub(crate) fn lean(self: &Arc<Self>) -> Arc<Self> {
        if self.kept.is_readable {
            Arc::new(Self { kept: self.kept.clone(), value: OnceLock::new() })
        } else {
            self.clone()
        }
    }

    pub(crate) fn value(&self) -> &Value {
        self.value.get_or_init(|| self.kept.read())
    }

    pub(crate) fn version(&self) -> u64 {
        self.kept.version
    }

    /// All fields but `apiVersion` and `kind`, each with a comma before it, without braces.
    pub(crate) fn fields_json(&self) -> &[u8] {
        &self.kept.json
    }

    /// Of the metadata alone.
    pub(crate) fn metadata_json(&self) -> &[u8] {
        self.kept.json.get(self.kept.metadata_json.clone()).unwrap_or_default()
    }

    /// Any field but `managedFields`.
    pub(crate) fn metadata(&self, field: &str) -> Option<&Value> {
        self.kept.metadata.get(field)
    }

    pub(crate) fn uid(&self) -> &str {
        self.metadata("uid").and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn owner_uids(&self) -> impl Iterator<Item = &str> {
        let owners = self.metadata("ownerReferences").and_then(Value::as_array);
        owners.into_iter().flatten().filter_map(|owner| owner["uid"].as_str())
    }

    pub(crate) fn is_terminating(&self) -> bool {
        self.metadata("deletionTimestamp").is_some()
    }
}

impl Kept {
    fn new(value: &Value, version: u64) -> Self {
        let mut json = Vec::new();
        let mut metadata_json = 0..0;
        for (name, value) in value.as_object().into_iter().flatten().filter(|(name, _)| !TYPES.contains(&name.as_str()))
        {
            json.push(b',');
            // A `Value` always serializes: its keys are strings and its numbers finite.
            let _ = serde_json::to_writer(&mut json, name);
            json.push(b':');
            let start = json.len();
            let _ = serde_json::to_writer(&mut json, value);
            if name == "metadata" {
                metadata_json = start..json.len();
            }
        }
        let metadata = value["metadata"].as_object().into_iter().flatten().filter(|(name, _)| *name != "managedFields");
        Self {
            version,
            types: TYPES.map(|name| value.get(name).cloned()),
            metadata: metadata.map(|(name, value)| (name.clone(), value.clone())).collect(),
            json: Bytes::from(json.into_boxed_slice()),
            metadata_json,
            is_readable: is_shallow(value, DEEPEST),
        }
    }

    fn read(&self) -> Value {
        let fields = self.json.get(1..).unwrap_or_default();
        let text = [b"{", fields, b"}"].concat();
        let mut value: Value = serde_json::from_slice(&text).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            let types = TYPES.into_iter().zip(&self.types);
            fields.extend(types.filter_map(|(name, said)| Some((name.to_owned(), said.clone()?))));
        }
        value
    }
}

fn is_shallow(value: &Value, levels: usize) -> bool {
    match value {
        Value::Object(fields) => levels > 0 && fields.values().all(|value| is_shallow(value, levels - 1)),
        Value::Array(items) => levels > 0 && items.iter().all(|value| is_shallow(value, levels - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lean_object_is_the_same_object() {
        let value = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "managedFields": [{"manager": "m"}], "labels": {"b": "\"c\"\n"}},
            "data": {"float": 0.1, "large": u64::MAX, "small": i64::MIN, "null": null, "list": [1, {}, []]},
        });
        let object = Arc::new(Object::new(value, 7));
        let lean = object.lean();
        assert!(lean.value.get().is_none(), "there is nothing lean about it");
        assert_eq!(lean.value(), object.value());
        assert_eq!((lean.version(), lean.metadata("resourceVersion")), (7, Some(&json!("7"))));
        assert_eq!(serde_json::from_slice::<Value>(lean.metadata_json()).unwrap(), object.value()["metadata"]);
    }

    #[test]
    fn what_is_too_deep_to_be_read_again_stays_as_it_is() {
        let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
        let object = Arc::new(Object::new(json!({"metadata": {}, "spec": deep}), 7));
        assert_eq!(object.lean().value(), object.value());
    }
}
