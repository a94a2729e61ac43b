//! What is known of the place that a value lies in: how it merges, and what lies below.

use std::collections::BTreeMap;

use serde_json::Value;

use super::path::{Scalar, Step};
use crate::cluster::resources::Kind;
use crate::cluster::types::{ListKind, MapKind, Shape, Type};

const OBJECT_META: &str = "meta.v1.ObjectMeta";

/// A place in an object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// Nothing is known: objects merge, lists are one piece.
    Unknown,
    /// A value of a built-in type.
    BuiltIn(&'a Shape),
    /// An object of a built-in type.
    Object(&'a Type),
    /// What a CRD's schema describes.
    Schema(&'a Value),
    /// A custom object, or one that is embedded in another: a schema, and `metadata`.
    Whole(&'a Value),
}

/// How a value is merged and owned.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form<'a> {
    /// As one piece.
    Piece,
    /// Field by field.
    Fields,
    /// Item by item.
    Items(ListOf<'a>),
}

/// A list whose items have an identity.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListOf<'a> {
    kind: ListKind,
    pub(super) item: Place<'a>,
    keys: Keys<'a>,
    defaults: Option<&'a BTreeMap<String, Value>>,
}

#[derive(Clone, Copy, Debug)]
enum Keys<'a> {
    BuiltIn(&'a [String]),
    Schema(&'a Value),
}

impl<'a> Place<'a> {
    /// A whole object of this kind.
    pub(super) fn of(kind: &'a Kind) -> Self {
        match (&kind.custom, &kind.type_name) {
            (Some(custom), _) => Self::Whole(&custom.schema),
            (None, Some(name)) => Type::of(name).map_or(Self::Unknown, Self::Object),
            (None, None) => Self::Unknown,
        }
    }

    fn of_shape(shape: &'a Shape) -> Self {
        match shape {
            Shape::Plain(name) if name == "any" => Self::Unknown,
            // The place is one piece although its type is not.
            Shape::Place { atomic: true, .. } => Self::BuiltIn(shape),
            _ => shape.object().map_or(Self::BuiltIn(shape), Self::Object),
        }
    }

    fn of_schema(schema: &'a Value) -> Self {
        if schema["x-kubernetes-embedded-resource"] == true { Self::Whole(schema) } else { Self::Schema(schema) }
    }

    /// What lies in the field `name`, and whether it is a field of the type rather than a key of a map.
    pub(super) fn field(self, name: &str) -> (Self, bool) {
        match self {
            Self::Whole(_) if name == "metadata" => (Type::of(OBJECT_META).map_or(Self::Unknown, Self::Object), true),
            Self::Whole(_) if matches!(name, "apiVersion" | "kind") => (Self::Unknown, true),
            Self::Whole(schema) | Self::Schema(schema) => match schema["properties"].get(name) {
                Some(field) => (Self::of_schema(field), true),
                None if schema["additionalProperties"].is_object() => {
                    (Self::of_schema(&schema["additionalProperties"]), false)
                }
                None => (Self::Unknown, false),
            },
            Self::Object(of) => {
                of.fields.get(name).map_or((Self::Unknown, false), |shape| (Self::of_shape(shape), true))
            }
            Self::BuiltIn(Shape::Map { of, .. }) => (Self::of_shape(of), false),
            Self::BuiltIn(_) | Self::Unknown => (Self::Unknown, false),
        }
    }

    /// What lies in the items of the list that lies here.
    pub(super) fn item(self) -> Self {
        self.list().map_or(Self::Unknown, |list| list.item)
    }

    /// Whether the field `name` is there even in an empty object.
    pub(super) fn always_has(self, name: &str) -> bool {
        match self {
            Self::Object(of) => of.fields.get(name).is_some_and(Shape::is_always_there),
            Self::Whole(_) => name == "metadata",
            Self::BuiltIn(_) | Self::Schema(_) | Self::Unknown => false,
        }
    }

    /// How `value`, if it lies here, is merged.
    pub(super) fn form(self, value: &Value) -> Form<'a> {
        match value {
            Value::Object(_) if self.is_atomic_object() => Form::Piece,
            Value::Object(_) => Form::Fields,
            Value::Array(_) => self.list().map_or(Form::Piece, Form::Items),
            _ => Form::Piece,
        }
    }

    fn is_atomic_object(self) -> bool {
        match self {
            Self::BuiltIn(Shape::Map { map, .. }) => *map == MapKind::Atomic,
            Self::BuiltIn(Shape::Place { atomic, .. }) => *atomic,
            Self::Object(of) => of.atomic,
            Self::Schema(schema) | Self::Whole(schema) => schema["x-kubernetes-map-type"] == "atomic",
            Self::BuiltIn(_) | Self::Unknown => false,
        }
    }

    fn list(self) -> Option<ListOf<'a>> {
        match self {
            Self::BuiltIn(Shape::List { list, of, keys, defaults, .. }) if *list != ListKind::Atomic => {
                let (item, keys) = (Self::of_shape(of), Keys::BuiltIn(keys));
                Some(ListOf { kind: *list, item, keys, defaults: Some(defaults) })
            }
            Self::Schema(schema) => {
                let kind = match schema["x-kubernetes-list-type"].as_str()? {
                    "set" => ListKind::Set,
                    "map" => ListKind::Map,
                    _ => return None,
                };
                let keys = Keys::Schema(&schema["x-kubernetes-list-map-keys"]);
                Some(ListOf { kind, item: Self::of_schema(&schema["items"]), keys, defaults: None })
            }
            _ => None,
        }
    }

    /// What a field of a custom object is if nobody says so.
    fn default_of(self, field: &str) -> Option<&'a Value> {
        match self {
            Self::Schema(schema) | Self::Whole(schema) => schema["properties"].get(field)?.get("default"),
            Self::Object(_) | Self::BuiltIn(_) | Self::Unknown => None,
        }
    }

    /// What a value here has to be, of JSON's types. `None` where anything may be, or nothing is known.
    pub(super) fn scalar(self) -> Option<&'static str> {
        match self {
            Self::BuiltIn(Shape::Plain(name)) => match name.as_str() {
                "string" => Some("string"),
                "boolean" => Some("boolean"),
                "integer" | "number" => Some("numeric"),
                _ => None,
            },
            Self::Schema(schema) if schema["x-kubernetes-int-or-string"] == true => None,
            Self::Schema(schema) => match schema["type"].as_str()? {
                "string" => Some("string"),
                "boolean" => Some("boolean"),
                "integer" | "number" => Some("numeric"),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it is known which fields there are, so that others are wrong.
    pub(super) fn is_closed(self) -> bool {
        match self {
            Self::Object(of) => !of.fields.is_empty(),
            Self::Schema(schema) | Self::Whole(schema) => {
                schema["properties"].is_object()
                    && !schema["additionalProperties"].is_object()
                    && schema["x-kubernetes-preserve-unknown-fields"] != true
            }
            Self::BuiltIn(_) | Self::Unknown => false,
        }
    }
}

impl<'a> ListOf<'a> {
    /// How `item` is told apart from the others.
    pub(super) fn step(&self, item: &Value) -> Result<Step, String> {
        if self.kind == ListKind::Set {
            return match item {
                Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
                Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
                Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
                value => Ok(Step::Value(Scalar(value.clone()))),
            };
        }
        let Some(fields) = item.as_object() else {
            let what = if item.is_null() { "a null element" } else { "non-map elements" };
            return Err(format!("associative list with keys may not have {what}"));
        };
        let names = self.keys();
        let mut keys: Vec<(String, Scalar)> = Vec::with_capacity(names.len());
        for name in &names {
            let default = || self.defaults.map_or_else(|| self.item.default_of(name), |defaults| defaults.get(*name));
            let value = fields.get(*name).or_else(default);
            keys.extend(value.map(|value| ((*name).to_owned(), Scalar(value.clone()))));
        }
        if keys.is_empty() {
            let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
            return Err(format!(
                "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
                names.join(" ")
            ));
        }
        keys.sort();
        Ok(Step::Key(keys))
    }

    fn keys(&self) -> Vec<&'a str> {
        match self.keys {
            Keys::BuiltIn(keys) => keys.iter().map(String::as_str).collect(),
            Keys::Schema(keys) => keys.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
        }
    }
}
