//! Objects as text.

use std::collections::BTreeMap;

use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::BoxError;

/// How manifests are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// YAML, with a first line that says who wrote it.
    #[default]
    Yaml,
    /// JSON, which has no comments.
    Json,
}

impl Format {
    /// What files of it end with, behind the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }
}

/// One YAML document.
pub(crate) fn yaml(value: &impl Serialize) -> Result<String, BoxError> {
    Ok(serde_saphyr::to_string(value)?)
}

/// JSON for people, with a line feed at its end.
pub(crate) fn json(value: &impl Serialize) -> Result<String, BoxError> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// A value whose keys are written in order, whatever serde_json's features in the program that this is compiled into say: two
/// builds of one operator must write the same.
pub(super) struct Sorted<'a>(pub(super) &'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(elements) => {
                let mut sequence = serializer.serialize_seq(Some(elements.len()))?;
                for element in elements {
                    sequence.serialize_element(&Sorted(element))?;
                }
                sequence.end()
            }
            Value::Object(entries) => {
                let entries: BTreeMap<_, _> = entries.iter().collect();
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, &Sorted(value))?;
                }
                map.end()
            }
            scalar => scalar.serialize(serializer),
        }
    }
}
