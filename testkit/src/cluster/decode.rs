//! Reading the objects of built-in kinds as the server's own types do: unknown fields are dropped and told, values of another type refused.

use serde_json::Value;

use super::go;
use super::resources::Kind;
use super::times;
use super::types::{Shape, Type};

/// What reading an object found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// Paths of fields that were dropped because nobody knows them.
    pub(crate) unknown: Vec<String>,
    /// The first value that is of another type, as Go tells it.
    pub(crate) mismatch: Option<String>,
}

/// Drops from `object` what its type does not know. Does nothing for custom kinds.
pub(crate) fn decode(kind: &Kind, object: &mut Value) -> Decoded {
    let mut decoded = Decoded::default();
    if let Some(of) = kind.type_name.as_deref().and_then(Type::of) {
        decoded.fields(of, object, "", &kind.kind);
    }
    decoded
}

impl Decoded {
    fn fields(&mut self, of: &Type, value: &mut Value, path: &str, owner: &str) {
        let Value::Object(fields) = value else { return };
        fields.retain(|name, value| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let Some(shape) = of.fields.get(name) else {
                self.unknown.push(path);
                return false;
            };
            self.value(shape, value, &path, owner);
            !is_left_out(owner, name, shape, value)
        });
    }

    fn value(&mut self, shape: &Shape, value: &mut Value, path: &str, owner: &str) {
        if value.is_null() {
            return;
        }
        match shape {
            Shape::Plain(name) => match (name.as_str(), shape.object()) {
                (name, Some(of)) if value.is_object() => self.fields(of, value, path, short(name)),
                ("string", None) if value.is_string() => self.time(value, path),
                (name, None) if is_scalar(name, value) => {}
                (name, None) => self.differs(go_type(name), value, path, owner),
                (name, Some(_)) => self.differs(&format!("v1.{}", short(name)), value, path, owner),
            },
            Shape::Place { of, .. } => self.value(of, value, path, owner),
            Shape::List { of, .. } => match value {
                Value::Array(items) => {
                    for (index, item) in items.iter_mut().enumerate() {
                        self.value(of, item, &format!("{path}[{index}]"), owner);
                    }
                }
                other => self.differs(&format!("[]{}", of_name(of)), other, path, owner),
            },
            Shape::Map { of, .. } => match value {
                Value::Object(fields) => {
                    for value in fields.values_mut() {
                        if value.is_null() && matches!(&**of, Shape::Plain(name) if name == "string") {
                            *value = "".into();
                        }
                        self.value(of, value, path, owner);
                    }
                }
                other => self.differs(&format!("map[string]{}", of_name(of)), other, path, owner),
            },
        }
    }

    /// Times become as the server writes them.
    fn time(&mut self, value: &mut Value, path: &str) {
        let name = path.rsplit('.').next().unwrap_or(path);
        let Some(text) = value.as_str().filter(|_| times::is_time(name)) else { return };
        match times::read(name, text) {
            Ok(time) => *value = time.into(),
            Err(message) => drop(self.mismatch.get_or_insert(message)),
        }
    }

    fn differs(&mut self, wanted: &str, value: &Value, path: &str, owner: &str) {
        let message = mismatch(value, &format!("{owner}.{path}"), wanted);
        self.mismatch.get_or_insert(message);
    }
}

/// How the server tells that a value is not of the type that its field has.
pub(crate) fn mismatch(value: &Value, field: &str, wanted: &str) -> String {
    let found = match value {
        Value::Number(number) if wanted.starts_with("int") => format!("number {number}"),
        other => go::kind_of(other).to_owned(),
    };
    format!("json: cannot unmarshal {found} into Go struct field {field} of type {wanted}")
}

/// Of what is empty, the server's types show lists and maps only where they always do.
fn is_left_out(owner: &str, name: &str, shape: &Shape, value: &Value) -> bool {
    /// Always shown, although the server's OpenAPI does not say so.
    const ALWAYS: [(&str, &str); 4] =
        [("ClusterRole", "rules"), ("Role", "rules"), ("EndpointSlice", "endpoints"), ("EndpointSlice", "ports")];
    match (shape, value) {
        (_, Value::Null) => true,
        (Shape::List { always: false, .. }, Value::Array(items)) => {
            items.is_empty() && !ALWAYS.contains(&(owner, name))
        }
        (Shape::Map { always: false, .. }, Value::Object(fields)) => fields.is_empty(),
        _ => false,
    }
}

/// The name of a type without its package.
fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn is_scalar(name: &str, value: &Value) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => true,
    }
}

fn go_type(name: &str) -> &str {
    match name {
        "integer" => "int32",
        "number" => "float64",
        "boolean" => "bool",
        other => other,
    }
}

fn of_name(shape: &Shape) -> &str {
    match shape {
        Shape::Plain(name) => go_type(name).trim_start_matches('#'),
        _ => "struct",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::resources::Resources;
    use super::*;

    fn read(api_version: &str, kind: &str, mut object: Value) -> (Decoded, Value) {
        let resources = Resources::default();
        let decoded = decode(resources.of_object(api_version, kind).unwrap(), &mut object);
        (decoded, object)
    }

    #[test]
    fn what_no_type_knows_is_dropped_and_told() {
        let container = json!({"name": "c", "imagee": "i"});
        let (decoded, object) = read("v1", "Pod", json!({"spec": {"containers": [container]}, "bogus": 1}));
        assert_eq!(decoded.unknown, ["bogus", "spec.containers[0].imagee"]);
        assert_eq!(object, json!({"spec": {"containers": [{"name": "c"}]}}));
    }

    #[test]
    fn a_value_of_another_type_is_refused_as_go_does() {
        let (decoded, _) = read("v1", "ConfigMap", json!({"data": {"a": 1}}));
        let message = "json: cannot unmarshal number into Go struct field ConfigMap.data of type string";
        assert_eq!(decoded.mismatch.as_deref(), Some(message));
    }

    #[test]
    fn ports_may_have_names_and_quantities_be_numbers() {
        let port = json!({"port": 80, "targetPort": "http"});
        let limits = json!({"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": 1}}}]}});
        assert_eq!(read("v1", "Service", json!({"spec": {"ports": [port]}})).0, Decoded::default());
        assert_eq!(read("v1", "Pod", limits).0, Decoded::default());
    }
}
