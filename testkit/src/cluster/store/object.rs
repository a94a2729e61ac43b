//! One object at one version, and where it lies.

use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::Value;

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
    value: Value,
    version: u64,
    /// All but `apiVersion` and `kind`, as it goes over the wire; made once however many watches and lists send it.
    json: OnceLock<Bytes>,
}

impl Object {
    pub(crate) fn new(mut value: Value, version: u64) -> Self {
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("resourceVersion".to_owned(), Value::String(version.to_string()));
        }
        Self { value, version, json: OnceLock::new() }
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// All fields but `apiVersion` and `kind`, each with a comma before it, without braces.
    ///
    /// These two depend on who asks: a kind may be served at several versions, and lists of built-in kinds leave them out.
    pub(crate) fn fields_json(&self) -> &Bytes {
        self.json.get_or_init(|| {
            let mut out = Vec::new();
            for (name, value) in self.value.as_object().into_iter().flatten() {
                if name == "apiVersion" || name == "kind" {
                    continue;
                }
                out.push(b',');
                // A `Value` always serializes: its keys are strings and its numbers finite.
                let _ = serde_json::to_writer(&mut out, name);
                out.push(b':');
                let _ = serde_json::to_writer(&mut out, value);
            }
            Bytes::from(out)
        })
    }

    pub(crate) fn metadata(&self, field: &str) -> Option<&Value> {
        self.value.get("metadata")?.get(field)
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
