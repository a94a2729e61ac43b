//! Custom resources: what their schema does to objects: defaults, pruning and validation.

use serde_json::{Value, json};

use super::things::{self, X, crd_of, of_spec, thing};
use super::with;
use crate::ask::Ask;
use crate::case::cases;
use crate::session::Session;

cases!("schema":
    a_custom_object_is_created_and_listed,
    defaults_are_filled_in,
    unknown_fields_are_pruned,
    unknown_fields_are_refused_or_warned_of_as_asked,
    values_of_wrong_types,
    required_fields,
    bounds_and_patterns,
    enums_and_nulls,
    formats,
    several_mistakes_are_all_told,
    whole_numbers_and_strings,
    fields_of_any_kind_are_kept,
    maps_of_values,
    an_update_is_validated,
    a_patch_is_validated,
    a_custom_object_without_spec,
);

/// Creates one thing after the other.
async fn create(s: &mut Session, specs: &[Value]) {
    for (index, spec) in specs.iter().enumerate() {
        s.post(things::ALL, with(thing(&format!("x{index}")), "/spec", spec.clone())).await;
    }
}

async fn a_custom_object_is_created_and_listed(s: &mut Session) {
    s.install(things::crd()).await;
    s.post(things::ALL, thing("x")).await;
    s.get(things::ALL).await;
    s.delete(X).await;
}

async fn defaults_are_filled_in(s: &mut Session) {
    s.install(of_spec(&json!({
        "a": {"type": "string", "default": "x"}, "n": {"type": "integer", "default": 3},
        "deep": {"type": "object", "default": {}, "properties": {"b": {"type": "boolean", "default": true}}},
        "absent": {"type": "object", "properties": {"c": {"type": "string", "default": "y"}}},
        "list": {"type": "array", "items": {"type": "object", "properties": {"d": {"type": "string", "default": "z"}}}},
        "maybe": {"type": "string", "nullable": true, "default": "m"},
    })))
    .await;
    let specs = [
        json!({}),
        json!({"a": "own", "deep": {"b": false}}),
        json!({"a": null, "maybe": null}),
        json!({"list": [{}, {"d": "own"}]}),
        json!({"absent": {}}),
    ];
    create(s, &specs).await;
}

async fn unknown_fields_are_pruned(s: &mut Session) {
    s.install(things::crd()).await;
    s.post(things::ALL, with(with(thing("x"), "/spec/unknown", "x"), "/more", json!({"a": 1}))).await;
    s.merge(X, json!({"spec": {"other": {"deep": 1}}})).await;
    s.post(things::ALL, with(thing("y"), "/metadata/unknown", "x")).await;
}

async fn unknown_fields_are_refused_or_warned_of_as_asked(s: &mut Session) {
    s.install(things::crd()).await;
    let odd = with(with(thing("x"), "/spec/unknown", "x"), "/more", json!({"a": 1}));
    for validation in ["Strict", "Warn", "Ignore", "Never"] {
        s.post(format!("{}?fieldValidation={validation}&dryRun=All", things::ALL), odd.clone()).await;
    }
}

async fn values_of_wrong_types(s: &mut Session) {
    s.install(things::crd()).await;
    let specs = [
        json!({"replicas": "many"}),
        json!({"replicas": 1.5}),
        json!({"title": 5}),
        json!({"tags": "x"}),
        json!({"tags": [1]}),
        json!([]),
        json!("x"),
        json!(null),
        json!({"replicas": null}),
    ];
    create(s, &specs).await;
}

async fn required_fields(s: &mut Session) {
    let spec = json!({"type": "object", "required": ["a", "b"], "properties": {
        "a": {"type": "string"}, "b": {"type": "object", "required": ["c"], "properties": {"c": {"type": "string"}}}}});
    let mut crd = crd_of(&json!({ "spec": spec }));
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["required"] = json!(["spec"]);
    s.install(crd).await;
    create(s, &[json!({}), json!({"a": "x", "b": {}}), json!({"a": "x", "b": {"c": "y"}})]).await;
    let mut bare = thing("bare");
    bare.as_object_mut().expect("an object").remove("spec");
    s.post(things::ALL, bare).await;
}

async fn bounds_and_patterns(s: &mut Session) {
    s.install(of_spec(&json!({
        "n": {"type": "integer", "minimum": 1, "maximum": 10}, "m": {"type": "number", "multipleOf": 0.5},
        "open": {"type": "integer", "minimum": 1, "exclusiveMinimum": true, "maximum": 3, "exclusiveMaximum": true},
        "s": {"type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[a-z]+$"},
        "l": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string"}},
        "o": {"type": "object", "minProperties": 1, "maxProperties": 2, "additionalProperties": {"type": "string"}},
    })))
    .await;
    let specs = [
        json!({"n": 0}),
        json!({"n": 11}),
        json!({"n": 10}),
        json!({"m": 0.7}),
        json!({"open": 1}),
        json!({"open": 3}),
        json!({"s": "a"}),
        json!({"s": "abcd"}),
        json!({"s": "A1"}),
        json!({"s": "äö"}),
        json!({"l": []}),
        json!({"l": ["a", "b", "c"]}),
        json!({"o": {}}),
        json!({"o": {"a": "1", "b": "2", "c": "3"}}),
    ];
    create(s, &specs).await;
}

async fn enums_and_nulls(s: &mut Session) {
    s.install(of_spec(&json!({
        "e": {"type": "string", "enum": ["a", "b"]}, "i": {"type": "integer", "enum": [1, 2]},
        "maybe": {"type": "string", "nullable": true}, "sure": {"type": "string"},
    })))
    .await;
    let specs = [json!({"e": "c"}), json!({"e": "a", "i": 3}), json!({"maybe": null}), json!({"sure": null})];
    create(s, &specs).await;
}

async fn formats(s: &mut Session) {
    let format = |name: &str| json!({"type": "string", "format": name});
    s.install(of_spec(&json!({
        "time": format("date-time"), "date": format("date"), "uuid": format("uuid"), "bytes": format("byte"),
        "ip": format("ipv4"), "mail": format("email"), "odd": format("nobody-knows"), "uri": format("uri"),
        "small": {"type": "integer", "format": "int32"}, "large": {"type": "integer", "format": "int64"},
    })))
    .await;
    let specs = [
        json!({"time": "2025-01-01T00:00:00Z"}),
        json!({"time": "yesterday"}),
        json!({"date": "2025-13-01"}),
        json!({"uuid": "x"}),
        json!({"bytes": "%%"}),
        json!({"ip": "1.2.3"}),
        json!({"mail": "x"}),
        json!({"odd": "x"}),
        json!({"uri": "x"}),
        json!({"small": 4_000_000_000_u64}),
        json!({"large": 4_000_000_000_u64}),
    ];
    create(s, &specs).await;
}

async fn several_mistakes_are_all_told(s: &mut Session) {
    s.install(of_spec(&json!({
        "a": {"type": "string", "maxLength": 2}, "n": {"type": "integer", "minimum": 1},
        "list": {"type": "array", "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}}}},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
    })))
    .await;
    create(s, &[json!({"a": "long", "n": 0, "list": [{}, {"k": 5}], "map": {"x y": "z"}})]).await;
}

async fn whole_numbers_and_strings(s: &mut Session) {
    s.install(of_spec(&json!({
        "either": {"x-kubernetes-int-or-string": true}, "n": {"type": "number"}, "i": {"type": "integer"},
    })))
    .await;
    let specs = [
        json!({"either": 5}),
        json!({"either": "5%"}),
        json!({"either": true}),
        json!({"n": 1}),
        json!({"n": 1.0}),
        json!({"i": 2.0}),
    ];
    create(s, &specs).await;
}

async fn fields_of_any_kind_are_kept(s: &mut Session) {
    s.install(of_spec(&json!({
        "any": {"x-kubernetes-preserve-unknown-fields": true},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
            "known": {"type": "object", "properties": {"a": {"type": "string"}}}}},
        "inner": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
    })))
    .await;
    let specs = [
        json!({"any": {"x": [1, {"y": null}]}}),
        json!({"any": 5}),
        json!({"open": {"b": 1, "known": {"a": "1", "c": "gone"}}}),
        json!({"inner": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"a": 1}}}),
        json!({"inner": {"a": 1}}),
    ];
    create(s, &specs).await;
}

async fn maps_of_values(s: &mut Session) {
    s.install(of_spec(&json!({
        "strings": {"type": "object", "additionalProperties": {"type": "string"}},
        "objects": {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}},
        "open": {"type": "object", "additionalProperties": true},
    })))
    .await;
    let specs = [
        json!({"strings": {"a": "b"}, "objects": {"x": {}, "y": {"a": 2, "b": 3}}, "open": {"z": {"w": 1}}}),
        json!({"strings": {"a": 5}}),
        json!({"objects": {"x": {"a": "b"}}}),
    ];
    create(s, &specs).await;
}

async fn an_update_is_validated(s: &mut Session) {
    s.install(things::crd()).await;
    s.post(things::ALL, thing("x")).await;
    s.put(X, thing("x")).await;
    let made = s.get(X).await;
    s.put(X, with(made.body.clone(), "/spec/replicas", -1)).await;
    s.put(X, with(made.body.clone(), "/spec/replicas", 2)).await;
    s.put(X, with(made.body, "/spec/replicas", 3)).await;
}

async fn a_patch_is_validated(s: &mut Session) {
    s.install(things::crd()).await;
    s.post(things::ALL, thing("x")).await;
    s.merge(X, json!({"spec": {"replicas": -1}})).await;
    s.merge(X, json!({"spec": {"title": null}})).await;
    s.json_patch(X, json!([{"op": "add", "path": "/spec/tags", "value": [1]}])).await;
    s.ask(Ask::new("PATCH", X).text("application/strategic-merge-patch+json", "{}")).await;
    s.merge(format!("{X}?fieldValidation=Strict"), json!({"spec": {"unknown": 1}})).await;
}

async fn a_custom_object_without_spec(s: &mut Session) {
    s.install(things::crd()).await;
    let bare = json!({"apiVersion": "$ns.example.com/v1", "kind": "Thing", "metadata": {"name": "x"}});
    s.post(things::ALL, bare).await;
    s.merge(X, json!({"spec": {}})).await;
}
