//! One step of the way to a field, as `managedFields` and the messages of conflicts write it.

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Map, Value};

/// A step from an object to one of its fields, or from a list to one of its items. The order is the server's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Field(String),
    /// An item of a list map, by its keys in the order of their names.
    Key(Vec<(String, Scalar)>),
    /// An item of a set: the value itself.
    Value(Scalar),
    /// An item of a list without either. Nothing here makes one; clients may send them in `managedFields`.
    Index(i64),
}

/// A value that stands for itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scalar(pub(super) Value);

impl Step {
    pub(super) fn field(name: &str) -> Self {
        Self::Field(name.to_owned())
    }

    /// As in `f:spec`, `k:{"name":"web"}`, `v:"a"`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (form, rest) = text.split_at_checked(2)?;
        match form {
            "f:" => Some(Self::field(rest)),
            "k:" => {
                // A map of serde_json is in the order of names.
                let keys: Map<String, Value> = serde_json::from_str(rest).ok()?;
                Some(Self::Key(keys.into_iter().map(|(name, value)| (name, Scalar(value))).collect()))
            }
            "v:" => serde_json::from_str(rest).ok().map(|value| Self::Value(Scalar(value))),
            "i:" => rest.parse().ok().map(Self::Index),
            _ => None,
        }
    }

    /// What [`Step::parse`] reads.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => {
                let keys: Map<String, Value> =
                    keys.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
                format!("k:{}", Value::Object(keys))
            }
            Self::Value(value) => format!("v:{}", value.0),
            Self::Index(index) => format!("i:{index}"),
        }
    }
}

/// As the messages of conflicts have it: `.spec`, `[name="web"]`, `[="a"]`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(keys) => {
                let keys: Vec<String> = keys.iter().map(|(name, value)| format!("{name}={}", value.0)).collect();
                write!(f, "[{}]", keys.join(","))
            }
            Self::Value(value) => write!(f, "[={}]", value.0),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

impl Eq for Scalar {}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers, then strings, then truth values, then the rest by its text.
impl Ord for Scalar {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |value: &Value| match value {
            Value::Number(_) => 0,
            Value::String(_) => 1,
            Value::Bool(_) => 2,
            Value::Array(_) | Value::Object(_) => 3,
            Value::Null => 4,
        };
        match (&self.0, &other.0) {
            (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => a.as_f64().unwrap_or_default().total_cmp(&b.as_f64().unwrap_or_default()),
            },
            (Value::String(a), Value::String(b)) => a.cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (a, b) => rank(a).cmp(&rank(b)).then_with(|| a.to_string().cmp(&b.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_as_they_are_written() {
        for text in ["f:spec", r#"k:{"containerPort":80,"protocol":"TCP"}"#, r#"v:"a""#, "v:1", "i:3"] {
            assert_eq!(Step::parse(text).unwrap().to_text(), text);
        }
        assert_eq!([Step::parse("x:y"), Step::parse("f"), Step::parse("k:1")], [None, None, None]);
    }

    #[test]
    fn messages_show_steps_as_the_server_does() {
        let shown = |text: &str| Step::parse(text).unwrap().to_string();
        assert_eq!(shown("f:spec"), ".spec");
        assert_eq!(shown(r#"k:{"containerPort":80,"protocol":"TCP"}"#), r#"[containerPort=80,protocol="TCP"]"#);
        assert_eq!(shown(r#"v:"a""#), r#"[="a"]"#);
    }
}
