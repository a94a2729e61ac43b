//! Label and field selectors.

mod fields;
mod labels;

use serde_json::Value;

use self::fields::Field;
use self::labels::Requirement;
pub(crate) use self::labels::of_object;
use super::resources::Kind;
use super::status::Status;
use super::store::{Key, Object};

/// What a list or watch leaves in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<Field>,
}

impl Selector {
    /// Reads both; what cannot be read, or is no field to select by, is an error as on the real server.
    pub(crate) fn read(kind: &Kind, labels: &str, fields: &str) -> Result<Self, Status> {
        Ok(Self { labels: labels::read(labels).map_err(Status::bad_request)?, fields: fields::read(kind, fields)? })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn matches(&self, key: &Key, object: &Object) -> bool {
        let labels = object.metadata("labels");
        let label = |name: &str| labels.and_then(|labels| labels.get(name)).and_then(Value::as_str);
        self.labels.iter().all(|requirement| requirement.holds(label))
            && self.fields.iter().all(|field| field.holds(key, object))
    }
}
