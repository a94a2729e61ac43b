//! The types of OpenAPI v3, boiled down to what writing needs: fields, how lists and maps merge, and where objects are one piece.
//!
//! A type is `{"fields": {name: shape}}`, with `"atomic": true` if it is one piece. A shape is `"string"`, `"integer"`, `"number"`, `"boolean"`,
//! `"any"`, `"#type"`, or an object:
//! `{"list": "atomic" | "set" | "map", "of": shape}` with `keys` of a map, `defaults` of these keys and, for strategic merge patches, `merge`
//! (its key) and `strategy`;
//! `{"map": "granular" | "atomic", "of": shape}`; `{"atomic": true, "of": "#type"}` (one piece in this place), `{"strategy": …, "of": "#type"}`,
//! `"always": true` marks a field that is there even in an empty object.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{list, text};

#[derive(Default)]
pub(super) struct Types {
    schemas: BTreeMap<String, Value>,
}

/// Leaves out what all names begin with.
pub(super) fn short(name: &str) -> &str {
    let name = name.strip_prefix("io.k8s.").unwrap_or(name);
    name.strip_prefix("api.").or_else(|| name.strip_prefix("apimachinery.pkg.apis.")).unwrap_or(name)
}

impl Types {
    pub(super) fn add(&mut self, open_api: &Value) {
        let schemas = open_api["components"]["schemas"].as_object().into_iter().flatten();
        self.schemas.extend(schemas.map(|(name, schema)| (name.clone(), schema.clone())));
    }

    pub(super) fn of_kind(&self, [group, version, kind]: &[String; 3]) -> Option<String> {
        let wanted = json!({"group": group, "version": version, "kind": kind});
        let mut schemas = self.schemas.iter();
        let found = schemas.find(|(_, schema)| list(&schema["x-kubernetes-group-version-kind"]).eq([&wanted]));
        found.map(|(name, _)| name.clone())
    }

    /// All types that these are made of, by their short names.
    pub(super) fn reachable<'a>(&self, roots: impl Iterator<Item = &'a str>) -> BTreeMap<String, Value> {
        let by_short: BTreeMap<&str, &Value> =
            self.schemas.iter().map(|(name, schema)| (short(name), schema)).collect();
        let mut open: Vec<String> = roots.map(str::to_owned).collect();
        let mut types = BTreeMap::new();
        while let Some(name) = open.pop() {
            let Some(schema) = by_short.get(name.as_str()).filter(|_| !types.contains_key(&name)) else { continue };
            let shapes = schema["properties"].as_object().into_iter().flatten();
            let fields: Map<String, Value> =
                shapes.map(|(name, field)| (name.clone(), self.field(schema, name, field))).collect();
            fields.values().for_each(|shape| references(shape, &mut open));
            let mut of = json!({"fields": fields});
            if schema["x-kubernetes-map-type"] == "atomic" {
                of["atomic"] = true.into();
            }
            types.insert(name, of);
        }
        types
    }

    /// An empty object of a Go type has what is required, if only as null, and the structs that it holds rather than points to:
    /// their default is an empty object.
    fn field(&self, of: &Value, name: &str, schema: &Value) -> Value {
        let is_required = list(&of["required"]).any(|required| required == name);
        let is_always_there = is_required || schema["default"].as_object().is_some_and(Map::is_empty);
        match self.shape(schema) {
            Value::String(name) if is_always_there && name.starts_with('#') => json!({"always": true, "of": name}),
            Value::Object(mut shape) if is_always_there => {
                shape.insert("always".to_owned(), true.into());
                Value::Object(shape)
            }
            shape => shape,
        }
    }

    /// What keys of a list map are if an item does not say.
    fn key_defaults(&self, list_schema: &Value) -> Map<String, Value> {
        let item = reference(&list_schema["items"]).and_then(|name| self.schemas.get(name));
        let default =
            |key: &Value| Some((text(key).to_owned(), item?["properties"][text(key)].get("default")?.clone()));
        list(&list_schema["x-kubernetes-list-map-keys"]).filter_map(default).collect()
    }

    fn shape(&self, schema: &Value) -> Value {
        if let Some(reference) = reference(schema) {
            return self.referenced(reference, schema);
        }
        let mut shape = Map::new();
        match text(&schema["type"]) {
            "array" => {
                shape.insert("list".to_owned(), schema["x-kubernetes-list-type"].as_str().unwrap_or("atomic").into());
                shape.insert("of".to_owned(), self.shape(&schema["items"]));
                let rest = [("keys", "x-kubernetes-list-map-keys"), ("merge", "x-kubernetes-patch-merge-key")];
                copy(&mut shape, schema, &rest);
                copy(&mut shape, schema, &[("strategy", "x-kubernetes-patch-strategy")]);
                let defaults = self.key_defaults(schema);
                if !defaults.is_empty() {
                    shape.insert("defaults".to_owned(), Value::Object(defaults));
                }
                Value::Object(shape)
            }
            "object" if schema["additionalProperties"].is_object() => {
                shape.insert("map".to_owned(), schema["x-kubernetes-map-type"].as_str().unwrap_or("granular").into());
                shape.insert("of".to_owned(), self.shape(&schema["additionalProperties"]));
                Value::Object(shape)
            }
            scalar @ ("string" | "integer" | "number" | "boolean") => scalar.into(),
            _ => "any".into(),
        }
    }

    /// A type by its name; one without fields is no object but what it says itself (`Time` is a string) or anything (`Quantity`).
    fn referenced(&self, name: &str, place: &Value) -> Value {
        let Some(schema) = self.schemas.get(name) else { return "any".into() };
        if !schema["properties"].is_object() {
            return self.shape(schema);
        }
        let mut shape = Map::new();
        copy(&mut shape, place, &[("strategy", "x-kubernetes-patch-strategy")]);
        if place["x-kubernetes-map-type"] == "atomic" {
            shape.insert("atomic".to_owned(), true.into());
        }
        let of = Value::String(format!("#{}", short(name)));
        if shape.is_empty() {
            return of;
        }
        shape.insert("of".to_owned(), of);
        Value::Object(shape)
    }
}

fn reference(schema: &Value) -> Option<&str> {
    let direct = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    direct?.strip_prefix("#/components/schemas/")
}

fn copy(shape: &mut Map<String, Value>, schema: &Value, names: &[(&str, &str)]) {
    for (ours, theirs) in names {
        if !schema[*theirs].is_null() {
            shape.insert((*ours).to_owned(), schema[*theirs].clone());
        }
    }
}

fn references(shape: &Value, into: &mut Vec<String>) {
    match shape {
        Value::String(name) => into.extend(name.strip_prefix('#').map(str::to_owned)),
        shape => {
            if let Some(of) = shape.get("of") {
                references(of, into);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> Types {
        let mut types = Types::default();
        types.add(&json!({"components": {"schemas": {
            "io.k8s.api.core.v1.Pod": {
                "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Pod"}],
                "properties": {"spec": {"default": {}, "allOf": [{"$ref": "#/components/schemas/io.k8s.api.core.v1.PodSpec"}]}},
            },
            "io.k8s.api.core.v1.PodSpec": {"properties": {
                "since": {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.Time"},
                "nodeSelector": {"type": "object", "additionalProperties": {"type": "string"}, "x-kubernetes-map-type": "atomic"},
                "containers": {
                    "type": "array", "items": {"$ref": "#/components/schemas/io.k8s.api.core.v1.Container"},
                    "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                    "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge",
                },
            }},
            "io.k8s.api.core.v1.Container": {"properties": {"name": {"type": "string"}}},
            "io.k8s.api.core.v1.Unused": {"properties": {"name": {"type": "string"}}},
            "io.k8s.apimachinery.pkg.apis.meta.v1.Time": {"type": "string"},
        }}}));
        types
    }

    #[test]
    fn a_kind_s_type_is_found_and_what_it_is_made_of() {
        let root = types().of_kind(&["", "v1", "Pod"].map(str::to_owned)).unwrap();
        let reachable = types().reachable([short(&root)].into_iter());
        assert_eq!(reachable.keys().collect::<Vec<_>>(), ["core.v1.Container", "core.v1.Pod", "core.v1.PodSpec"]);
    }

    #[test]
    fn shapes_tell_how_lists_and_maps_merge() {
        let reachable = types().reachable(["core.v1.PodSpec"].into_iter());
        let fields = &reachable["core.v1.PodSpec"]["fields"];
        assert_eq!(fields["since"], "string");
        assert_eq!(fields["nodeSelector"], json!({"map": "atomic", "of": "string"}));
        let containers =
            json!({"list": "map", "of": "#core.v1.Container", "keys": ["name"], "merge": "name", "strategy": "merge"});
        assert_eq!(fields["containers"], containers);
    }
}
