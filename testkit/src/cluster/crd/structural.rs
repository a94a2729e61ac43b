//! What makes a schema *structural*: every value has one type, so that objects can be pruned and filled in.

use serde_json::Value;

use super::causes;
use super::formats;
use super::trim;
use super::validate;
use crate::cluster::status::Cause;

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// What is wrong with the schema that lies at `path`, in the order in which the server tells it.
pub(super) fn check(schema: &Value, path: &str) -> Vec<Cause> {
    let mut found = Vec::new();
    merging(schema, path, &mut found);
    // Without the simple things being right, the server looks no further.
    if found.is_empty() {
        structure(schema, Level::Root, path, &mut found);
        found.sort_by_key(|cause| format!("{}: {}", cause.field, cause.message));
    }
    if found.is_empty() {
        defaults(schema, path, &mut found);
    }
    found
}

/// Calls `each` with all schemas directly below, but for those of `allOf` and its like.
fn descend(schema: &Value, path: &str, mut each: impl FnMut(&Value, Level, &str)) {
    if schema["items"].is_object() {
        each(&schema["items"], Level::Item, &format!("{path}.items"));
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        each(field, Level::Field, &format!("{path}.properties[{name}]"));
    }
    if schema["additionalProperties"].is_object() {
        each(&schema["additionalProperties"], Level::Field, &format!("{path}.additionalProperties"));
    }
}

/// Types, and how lists and maps merge.
fn merging(schema: &Value, path: &str, found: &mut Vec<Cause>) {
    let of_type = schema["type"].as_str().unwrap_or_default();
    if !of_type.is_empty() && !TYPES.contains(&of_type) {
        found.push(not_one_of(&format!("{path}.type"), of_type, &TYPES));
    }
    if !schema["$ref"].is_null() {
        found.push(Cause::forbidden(format!("{path}.$ref"), "$ref is not supported"));
    }
    if schema["uniqueItems"] == true {
        let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        found.push(Cause::forbidden(format!("{path}.uniqueItems"), why));
    }
    if schema["additionalProperties"].is_object()
        && schema["properties"].as_object().is_some_and(|fields| !fields.is_empty())
    {
        let why = "additionalProperties and properties are mutual exclusive";
        found.push(Cause::forbidden(format!("{path}.additionalProperties"), why));
    }
    if let Some(list_type) = schema["x-kubernetes-list-type"].as_str() {
        let field = format!("{path}.x-kubernetes-list-type");
        if of_type != "array" {
            found.push(invalid(
                &format!("{path}.type"),
                of_type,
                "must be array if x-kubernetes-list-type is specified",
            ));
        }
        match list_type {
            "map" => list_map(schema, path, found),
            "atomic" | "set" => {}
            other => found.push(not_one_of(&field, other, &["atomic", "set", "map"])),
        }
    } else if schema["x-kubernetes-list-map-keys"].is_array() {
        let why = "must be map if x-kubernetes-list-map-keys is non-empty";
        found.push(Cause::required(format!("{path}.x-kubernetes-list-type"), why));
    }
    if let Some(map_type) = schema["x-kubernetes-map-type"].as_str() {
        if of_type != "object" {
            found.push(invalid(
                &format!("{path}.type"),
                of_type,
                "must be object if x-kubernetes-map-type is specified",
            ));
        }
        if !matches!(map_type, "atomic" | "granular") {
            found.push(not_one_of(&format!("{path}.x-kubernetes-map-type"), map_type, &["atomic", "granular"]));
        }
    }
    descend(schema, path, |schema, _, path| merging(schema, path, found));
}

fn list_map(schema: &Value, path: &str, found: &mut Vec<Cause>) {
    let keys: Vec<&str> =
        schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if keys.is_empty() {
        let why = "must not be empty if x-kubernetes-list-type is map";
        found.push(Cause::required(format!("{path}.x-kubernetes-list-map-keys"), why));
    }
    let items = &schema["items"];
    let of_type = items["type"].as_str().unwrap_or_default();
    if items.is_object() && of_type != "object" {
        let why = "must be object if parent array's x-kubernetes-list-type is map";
        found.push(invalid(&format!("{path}.items.type"), of_type, why));
        return;
    }
    for key in keys {
        let field = format!("{path}.items.properties[{key}]");
        let Some(property) = items["properties"].get(key) else {
            let why = "entries must all be names of item properties";
            found.push(invalid(&format!("{path}.x-kubernetes-list-map-keys"), key, why));
            continue;
        };
        let of_type = property["type"].as_str().unwrap_or_default();
        if matches!(of_type, "array" | "object") {
            let why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
            found.push(invalid(&format!("{field}.type"), of_type, why));
        }
        let is_required = items["required"].as_array().is_some_and(|required| required.iter().any(|name| name == key));
        if property["default"].is_null() && !is_required {
            let why =
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            found.push(Cause::required(format!("{field}.default"), why));
        }
    }
}

fn structure(schema: &Value, level: Level, path: &str, found: &mut Vec<Cause>) {
    let has = |name: &str| schema[name] == true;
    let of_type = schema["type"].as_str().unwrap_or_default();
    let at = |name: &str| format!("{path}.{name}");
    if of_type == "array" && !schema["items"].is_object() {
        found.push(Cause::required(at("items"), "must be specified"));
    }
    if level == Level::Root && !schema["additionalProperties"].is_null() {
        found.push(Cause::forbidden(at("additionalProperties"), "must not be used at the root"));
    }
    if of_type.is_empty() && !has("x-kubernetes-int-or-string") && !has("x-kubernetes-preserve-unknown-fields") {
        let why = match level {
            Level::Root => "must not be empty at the root",
            Level::Item => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        };
        found.push(Cause::required(at("type"), why));
    }
    if level == Level::Root && !of_type.is_empty() && of_type != "object" {
        found.push(invalid(&at("type"), of_type, "must be object at the root"));
    }
    if has("x-kubernetes-embedded-resource") && of_type != "object" && !of_type.is_empty() {
        found.push(invalid(&at("type"), of_type, "must be object if x-kubernetes-embedded-resource is true"));
    }
    if level == Level::Root {
        metadata(&schema["properties"]["metadata"], path, found);
    }
    let is_int_or_string = |any: &Value| {
        let types: Vec<&str> = any.as_array().into_iter().flatten().filter_map(|of| of["type"].as_str()).collect();
        types == ["integer", "string"]
    };
    for name in ["allOf", "anyOf", "oneOf"] {
        if name == "anyOf" && is_int_or_string(&schema[name]) {
            continue;
        }
        for (index, inner) in schema[name].as_array().into_iter().flatten().enumerate() {
            if !(name == "allOf" && index == 0 && is_int_or_string(&inner["anyOf"])) {
                nested(inner, &format!("{path}.{name}[{index}]"), found);
            }
        }
    }
    if schema["not"].is_object() {
        nested(&schema["not"], &at("not"), found);
    }
    pattern(schema, path, found);
    descend(schema, path, |schema, level, path| structure(schema, level, path, found));
}

/// In `allOf` and its like nothing may be said that is not about values.
fn nested(schema: &Value, path: &str, found: &mut Vec<Cause>) {
    const EMPTY: [&str; 4] = ["type", "title", "description", "x-kubernetes-list-map-keys"];
    const UNDEFINED: [&str; 4] = ["default", "additionalProperties", "x-kubernetes-list-type", "x-kubernetes-map-type"];
    const FALSE: [&str; 4] = [
        "nullable",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-embedded-resource",
        "x-kubernetes-int-or-string",
    ];
    let each = [
        (EMPTY, "must be empty to be structural"),
        (UNDEFINED, "must be undefined to be structural"),
        (FALSE, "must be false to be structural"),
    ];
    for (names, why) in each {
        for name in names.iter().filter(|name| !schema[**name].is_null() && schema[**name] != false) {
            found.push(Cause::forbidden(format!("{path}.{name}"), why));
        }
    }
    if schema["properties"]["metadata"].is_object() {
        found.push(Cause::forbidden(
            format!("{path}.properties[metadata]"),
            "must not be specified in a nested context",
        ));
    }
    for name in ["allOf", "anyOf", "oneOf"] {
        for (index, inner) in schema[name].as_array().into_iter().flatten().enumerate() {
            nested(inner, &format!("{path}.{name}[{index}]"), found);
        }
    }
    pattern(schema, path, found);
    descend(schema, path, |schema, _, path| nested(schema, path, found));
}

/// What metadata is, the server knows; a schema may only narrow down names.
fn metadata(schema: &Value, path: &str, found: &mut Vec<Cause>) {
    let Some(fields) = schema.as_object() else { return };
    let narrows = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .all(|(name, _)| matches!(name.as_str(), "name" | "generateName"));
    let only = fields.keys().all(|name| matches!(name.as_str(), "type" | "properties" | "default"));
    if !narrows || !only {
        let why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        found.push(Cause::forbidden(format!("{path}.properties[metadata]"), why));
    }
}

fn pattern(schema: &Value, path: &str, found: &mut Vec<Cause>) {
    let Some(pattern) = schema["pattern"].as_str() else { return };
    if let Err(error) = formats::pattern_of(pattern) {
        let why = format!("must be a valid regular expression, but isn't: {error}");
        found.push(invalid(&format!("{path}.pattern"), pattern, &why));
    }
}

/// Defaults must be as their own schema wants values to be.
fn defaults(schema: &Value, path: &str, found: &mut Vec<Cause>) {
    if !schema["default"].is_null() {
        let mut filled = schema["default"].clone();
        trim::default(schema, &mut filled);
        let path = format!("{path}.default");
        let wrong = validate::validate(schema, &filled, None).into_iter();
        found.extend(wrong.map(|cause| causes::below(&path, cause)));
    }
    descend(schema, path, |schema, _, path| defaults(schema, path, found));
}

fn invalid(field: &str, value: &str, why: &str) -> Cause {
    Cause::invalid(field, &value.into(), why)
}

fn not_one_of(field: &str, value: &str, allowed: &[&str]) -> Cause {
    let allowed: Vec<Value> = allowed.iter().map(|allowed| (*allowed).into()).collect();
    causes::not_supported(field, &value.into(), &allowed)
}
