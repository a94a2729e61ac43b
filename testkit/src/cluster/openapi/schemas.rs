//! What objects are made of: built-in ones by what is known of their types, custom ones by their CRDs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cluster::resources::Kind;
use crate::cluster::types::{ListKind, MapKind, Shape, Type};

/// The schemas of these kinds and of all that they are made of, by their names.
pub(super) fn of(kinds: &[&Kind]) -> BTreeMap<String, Value> {
    let mut schemas = Schemas::default();
    for kind in kinds {
        let (name, mut schema) = match (&kind.custom, kind.type_name.as_deref()) {
            (Some(custom), _) => (custom_name(kind), schemas.custom(&custom.schema)),
            (None, Some(name)) => (full(name), Type::of(name).map_or(Value::Null, |of| schemas.of_type(of))),
            (None, None) => continue,
        };
        let kind = json!({"group": kind.group, "version": kind.version, "kind": kind.kind});
        schema["x-kubernetes-group-version-kind"] = json!([kind]);
        schemas.done.insert(name, schema);
    }
    schemas.finished()
}

#[derive(Default)]
struct Schemas {
    done: BTreeMap<String, Value>,
    /// Names of types that are referred to.
    open: Vec<String>,
}

impl Schemas {
    fn finished(mut self) -> BTreeMap<String, Value> {
        while let Some(name) = self.open.pop() {
            if !self.done.contains_key(&full(&name))
                && let Some(of) = Type::of(&name)
            {
                let schema = self.of_type(of);
                self.done.insert(full(&name), schema);
            }
        }
        self.done
    }

    fn of_type(&mut self, of: &Type) -> Value {
        let properties: Map<String, Value> =
            of.fields.iter().map(|(name, shape)| (name.clone(), self.shape(shape))).collect();
        let mut schema = json!({"type": "object", "properties": properties});
        if of.atomic {
            schema["x-kubernetes-map-type"] = "atomic".into();
        }
        schema
    }

    /// As its CRD says, and with what every object has.
    fn custom(&mut self, schema: &Value) -> Value {
        let mut schema = schema.clone();
        for field in ["apiVersion", "kind"] {
            schema["properties"][field] = json!({"type": "string"});
        }
        schema["properties"]["metadata"] = self.reference("meta.v1.ObjectMeta");
        schema
    }

    fn reference(&mut self, name: &str) -> Value {
        self.open.push(name.to_owned());
        json!({"allOf": [{"$ref": format!("#/components/schemas/{}", full(name))}]})
    }

    fn shape(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Plain(name) => match (name.as_str(), name.strip_prefix('#')) {
                (_, Some(name)) => self.reference(name),
                ("any", _) => json!({}),
                (scalar, _) => json!({ "type": scalar }),
            },
            Shape::Place { atomic, of, .. } => {
                let mut schema = self.shape(of);
                if *atomic {
                    schema["x-kubernetes-map-type"] = "atomic".into();
                }
                schema
            }
            Shape::Map { map, of, .. } => {
                let mut schema = json!({"type": "object", "additionalProperties": self.shape(of)});
                if *map == MapKind::Atomic {
                    schema["x-kubernetes-map-type"] = "atomic".into();
                }
                schema
            }
            Shape::List { list, of, keys, merge, strategy, .. } => {
                let kind = match list {
                    ListKind::Atomic => "atomic",
                    ListKind::Set => "set",
                    ListKind::Map => "map",
                };
                let mut schema = json!({"type": "array", "items": self.shape(of), "x-kubernetes-list-type": kind});
                if !keys.is_empty() {
                    schema["x-kubernetes-list-map-keys"] = json!(keys);
                }
                for (name, value) in
                    [("x-kubernetes-patch-merge-key", merge), ("x-kubernetes-patch-strategy", strategy)]
                {
                    if let Some(value) = value {
                        schema[name] = value.clone().into();
                    }
                }
                schema
            }
        }
    }
}

/// A type's name as it is published.
fn full(name: &str) -> String {
    let package = match name.split('.').next() {
        Some("meta") => "apimachinery.pkg.apis.",
        Some("apiextensions-apiserver" | "kube-aggregator") => "",
        _ => "api.",
    };
    format!("io.k8s.{package}{name}")
}

/// The group backwards, as in `com.example.v1.Guestbook`.
fn custom_name(kind: &Kind) -> String {
    let group: Vec<&str> = kind.group.rsplit('.').collect();
    format!("{}.{}.{}", group.join("."), kind.version, kind.kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::resources::Resources;

    #[test]
    fn everything_that_is_referred_to_is_there() {
        let resources = Resources::default();
        let kinds: Vec<&Kind> = resources.all().iter().map(|kind| &**kind).collect();
        let schemas = of(&kinds);
        let text = json!(schemas).to_string();
        let referred = text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
        let missing: Vec<&str> = referred.filter(|name| !schemas.contains_key(*name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let containers = &schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"];
        assert_eq!(containers["x-kubernetes-list-map-keys"], json!(["name"]));
    }
}
