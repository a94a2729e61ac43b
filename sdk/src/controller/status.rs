//! What has to be sent for a new status. Pure.

use serde_json::{Map, Value, json};

/// Why a status could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The new status, or the one that was read, is not representable in JSON.
    #[error("the status can't be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The object has changed since it was read. The retry will see the new one.
    #[error("the object has changed since it was read, so its status was not written")]
    Changed(#[source] Box<kube::Error>),
    /// The server refused it, or can't be reached.
    #[error("the status could not be written")]
    Refused(#[source] Box<kube::Error>),
}

impl From<kube::Error> for StatusError {
    fn from(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) if status.is_conflict() => Self::Changed(Box::new(error)),
            _ => Self::Refused(Box::new(error)),
        }
    }
}

/// The JSON merge patch that makes the status `new`, if it is not that already, for the version of the object that was read.
pub(super) fn patch(version: Option<&str>, old: &Value, new: &Value) -> Option<Value> {
    let status = difference(old, new)?;
    Some(json!({ "metadata": { "resourceVersion": version }, "status": status }))
}

/// The merge patch from `old` to `new`; `None` if there is nothing to do. Members that `new` lacks are set to null, which is
/// what takes them away; a null in `new` is the same as nothing.
fn difference(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key, &Value::Null));
    let changes = new
        .iter()
        .chain(gone)
        .filter_map(|(key, value)| {
            let before = old.get(key).unwrap_or(&Value::Null);
            Some((key.clone(), difference(before, value)?))
        })
        .collect::<Map<_, _>>();
    (!changes.is_empty()).then_some(Value::Object(changes))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{difference, patch};

    /// RFC 7396, section 2.
    fn merge(target: &Value, patch: &Value) -> Value {
        let Value::Object(patch) = patch else { return patch.clone() };
        let mut merged = target.as_object().cloned().unwrap_or_default();
        for (key, value) in patch {
            let before = merged.remove(key).unwrap_or(Value::Null);
            if !value.is_null() {
                merged.insert(key.clone(), merge(&before, value));
            }
        }
        Value::Object(merged)
    }

    #[test]
    fn the_patch_makes_the_old_status_the_new_one() {
        let statuses = [
            Value::Null,
            json!({}),
            json!({ "a": 1 }),
            json!({ "a": 1, "b": { "c": 2, "d": [1, 2] } }),
            json!({ "b": { "d": [2] } }),
            json!({ "b": "text" }),
        ];
        for old in &statuses {
            for new in statuses.iter().filter(|status| !status.is_null()) {
                let merged = difference(old, new).map_or_else(|| old.clone(), |patch| merge(old, &patch));
                assert_eq!(&merged, new, "from {old}");
            }
        }
    }

    #[test]
    fn a_status_that_is_already_there_is_not_sent() {
        let status = json!({ "a": 1, "b": { "c": [1] } });
        assert_eq!(patch(Some("7"), &status, &status), None);
        assert_eq!(patch(Some("7"), &json!({ "a": 1 }), &json!({ "a": 1, "b": null })), None);
    }

    #[test]
    fn the_version_that_was_read_is_tested() {
        let patch = patch(Some("7"), &Value::Null, &json!({ "a": 1 }));
        assert_eq!(patch, Some(json!({ "metadata": { "resourceVersion": "7" }, "status": { "a": 1 } })));
    }
}
