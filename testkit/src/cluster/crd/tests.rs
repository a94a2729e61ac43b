//! What the real server answered to the same objects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::cluster::resources::Resources;

/// A kind with one field of each sort.
fn things() -> Arc<Kind> {
    let spec = json!({"type": "object", "required": ["title"], "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^[a-z]+$"},
        "n": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 10, "default": 1, "multipleOf": 1},
        "f": {"type": "number", "exclusiveMinimum": true, "minimum": 1.5},
        "mode": {"type": "string", "enum": ["a", "b"]},
        "ien": {"type": "integer", "enum": [1, 2]},
        "when": {"type": "string", "format": "date-time"},
        "items": {"type": "array", "minItems": 1, "maxItems": 2, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "integer", "default": 7}}}},
        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "port": {"x-kubernetes-int-or-string": true},
        "maybe": {"type": "string", "nullable": true},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 2, "minProperties": 1},
        "emb": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        "b": {"type": "boolean"},
        "one": {"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "string"}}, "oneOf": [{"required": ["x"]}, {"required": ["y"]}]},
        "any": {"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "string"}}, "anyOf": [{"required": ["x"]}, {"required": ["y"]}]},
        "not": {"type": "object", "properties": {"x": {"type": "string"}}, "not": {"required": ["x"]}},
        "all": {"type": "integer", "allOf": [{"minimum": 3}, {"maximum": 1}]},
        "ip": {"type": "string", "format": "ipv4"},
        "odd": {"type": "string", "format": "oddly"},
    }});
    let schema = json!({"type": "object", "properties": {"spec": spec, "status": {"type": "object", "properties": {"x": {"type": "integer"}}}}});
    let mut crd = crd(&schema);
    admit(&mut crd, None).unwrap();
    Arc::new(register(&crd).unwrap().remove(0))
}

fn crd(schema: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.t.example.com"},
        "spec": {
            "group": "t.example.com", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}}}],
        },
    })
}

/// What is wrong with a thing of this spec, as the message shows it.
fn wrong(spec: &Value) -> String {
    let mut thing =
        json!({"apiVersion": "t.example.com/v1", "kind": "Thing", "metadata": {"name": "bad"}, "spec": spec});
    let kind = things();
    prune(&kind, &mut thing);
    default(&kind, &mut thing);
    let causes = validate(&kind, &thing, None, None).err().unwrap_or_default();
    let told: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    told.join(", ")
}

#[test]
fn values_are_refused_in_the_server_s_words() {
    let expected = [
        (json!({}), "spec.title: Required value"),
        (json!({"title": null}), "spec.title: Required value"),
        (json!({"title": ""}), r#"spec.title: Invalid value: "": spec.title in body should be at least 1 chars long"#),
        (json!({"title": "toolong"}), "spec.title: Too long: may not be more than 5 bytes"),
        (json!({"title": "AB"}), r#"spec.title: Invalid value: "AB": spec.title in body should match '^[a-z]+$'"#),
        (
            json!({"title": 3}),
            r#"spec.title: Invalid value: "integer": spec.title in body must be of type string: "integer""#,
        ),
        (json!("x"), r#"spec: Invalid value: "string": spec in body must be of type object: "string""#),
    ];
    for (spec, message) in expected {
        assert_eq!(wrong(&spec), message, "{spec}");
    }
}

#[test]
fn fields_are_refused_in_the_server_s_words() {
    let expected = [
        (json!({"n": -1}), "spec.n: Invalid value: -1: spec.n in body should be greater than or equal to 0"),
        (json!({"n": 11}), "spec.n: Invalid value: 11: spec.n in body should be less than or equal to 10"),
        (json!({"n": "x"}), r#"spec.n: Invalid value: "string": spec.n in body must be of type integer: "string""#),
        (
            json!({"n": 1.5}),
            r#"spec.n: Invalid value: "float64": spec.n in body must be of type int32: "float64", <nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.n, spec.n: Invalid value: 1.5: spec.n in body should be a multiple of 1"#,
        ),
        (
            json!({"n": 2_147_483_648_i64}),
            r#"<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.n, spec.n: Invalid value: 2147483648: spec.n in body should be less than or equal to 10"#,
        ),
        (json!({"f": 1.5}), "spec.f: Invalid value: 1.5: spec.f in body should be greater than 1.5"),
        (json!({"f": 1}), "spec.f: Invalid value: 1: spec.f in body should be greater than 1"),
        (json!({"mode": "c"}), r#"spec.mode: Unsupported value: "c": supported values: "a", "b""#),
        (
            json!({"mode": 3}),
            r#"spec.mode: Invalid value: "integer": spec.mode in body must be of type string: "integer", spec.mode: Unsupported value: 3: supported values: "a", "b""#,
        ),
        (json!({"ien": 3}), r#"spec.ien: Unsupported value: 3: supported values: "1", "2""#),
        (json!({"when": "x"}), r#"spec.when: Invalid value: "x": spec.when in body must be of type date-time: "x""#),
        (
            json!({"when": 3}),
            r#"spec.when: Invalid value: "int64": spec.when in body must be of type date-time: "int64""#,
        ),
        (json!({"items": []}), "spec.items: Invalid value: 0: spec.items in body should have at least 1 items"),
        (json!({"items": [{}]}), "spec.items[0].k: Required value"),
        (json!({"items": [{"k": "a"}, {"k": "a"}]}), r#"spec.items[1]: Duplicate value: {"k":"a"}"#),
        (json!({"items": [{"k": "a"}, {"k": "b"}, {"k": "c"}]}), "spec.items: Too many: 3: must have at most 2 items"),
        (
            json!({"items": {"k": 1}}),
            r#"spec.items: Invalid value: "object": spec.items in body must be of type array: "object""#,
        ),
        (
            json!({"items": [null]}),
            r#"spec.items[0]: Invalid value: "null": spec.items[0] in body must be of type object: "null""#,
        ),
        (json!({"tags": ["a", "a"]}), r#"spec.tags[1]: Duplicate value: "a""#),
        (
            json!({"tags": [1]}),
            r#"spec.tags[0]: Invalid value: "integer": spec.tags[0] in body must be of type string: "integer""#,
        ),
        (
            json!({"port": true}),
            r#"spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean""#,
        ),
        (
            json!({"port": 1.5}),
            r#"spec.port: Invalid value: "number": spec.port in body must be of type integer,string: "number""#,
        ),
        (
            json!({"map": {"a": "x"}}),
            r#"spec.map.a: Invalid value: "string": spec.map.a in body must be of type integer: "string""#,
        ),
        (json!({"map": {"a": 1, "b": 1, "c": 1}}), "spec.map: Too many: 3: must have at most 2 items"),
        (json!({"map": {"a": null}}), "spec.map: Invalid value: 0: spec.map in body should have at least 1 properties"),
        (json!({"emb": {"a": 1}}), "spec.emb.apiVersion: Required value, spec.emb.kind: Required value"),
        (
            json!({"one": {}}),
            r#"<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found none valid, spec.one.x: Required value"#,
        ),
        (
            json!({"one": {"x": "", "y": ""}}),
            r#"<nil>: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found 2 valid alternatives"#,
        ),
        (
            json!({"any": {}}),
            r#"<nil>: Invalid value: "": "spec.any" must validate at least one schema (anyOf), spec.any.x: Required value"#,
        ),
        (json!({"not": {"x": "a"}}), r#"<nil>: Invalid value: "": "spec.not" must not validate the schema (not)"#),
        (
            json!({"all": 2}),
            r#"spec.all: Invalid value: 2: spec.all in body should be greater than or equal to 3, spec.all: Invalid value: 2: spec.all in body should be less than or equal to 1, <nil>: Invalid value: "": "spec.all" must validate all the schemas (allOf). None validated"#,
        ),
        (json!({"ip": "x"}), r#"spec.ip: Invalid value: "x": spec.ip in body must be of type ipv4: "x""#),
    ];
    for (mut spec, message) in expected {
        spec["title"] = "a".into();
        assert_eq!(wrong(&spec), message, "{spec}");
    }
}

#[test]
fn good_values_are_taken() {
    for mut spec in [
        json!({"n": null}),
        json!({"when": "2020-01-01T00:00:00.123456+02:00"}),
        json!({"items": [{"k": "a", "z": 1}]}),
        json!({"port": 1}),
        json!({"port": "http"}),
        json!({"maybe": null}),
        json!({"odd": "x"}),
        json!({"f": 2, "b": true, "one": {"x": ""}, "any": {"x": "", "y": ""}, "not": {}}),
        json!({"emb": {"apiVersion": "v1", "kind": "X"}}),
    ] {
        spec["title"] = "a".into();
        assert_eq!(wrong(&spec), "", "{spec}");
    }
}

#[test]
fn what_was_wrong_before_may_stay_until_it_is_touched() {
    let kind = things();
    let thing = |title: &str, n: i32| json!({"spec": {"title": title, "n": n, "tags": ["a", "a"]}});
    validate(&kind, &thing("TOO OLD", 2), Some(&thing("TOO OLD", 1)), None).unwrap();
    assert!(validate(&kind, &thing("TOO NEW", 1), Some(&thing("TOO OLD", 1)), None).is_err());
}

fn refused(crd: &Value) -> String {
    let causes = admit(&mut crd.clone(), None).err().unwrap_or_default();
    let told: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    told.join(", ")
}

#[test]
fn a_crd_is_filled_in_as_by_the_server() {
    let mut crd = crd(&json!({"type": "object"}));
    admit(&mut crd, None).unwrap();
    assert_eq!(
        crd["spec"]["names"],
        json!({"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"})
    );
    assert_eq!(crd["spec"]["conversion"], json!({"strategy": "None"}));
    assert_eq!(
        crd["status"],
        json!({"conditions": null, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": ["v1"]})
    );
}

#[test]
fn a_wrong_crd_is_refused_in_the_server_s_words() {
    let with = |pointer: &str, value: Value| {
        let mut crd = crd(&json!({"type": "object"}));
        *crd.pointer_mut(pointer).unwrap() = value;
        refused(&crd)
    };
    assert_eq!(
        with("/metadata/name", json!("x.y")),
        r#"metadata.name: Invalid value: "x.y": must be spec.names.plural+"."+spec.group"#
    );
    assert_eq!(with("/spec/scope", Value::Null), "spec.scope: Required value");
    assert_eq!(
        with("/spec/scope", json!("Foo")),
        r#"spec.scope: Unsupported value: "Foo": supported values: "Cluster", "Namespaced""#
    );
    assert_eq!(
        with("/spec/names", json!({"plural": "things"})),
        "spec.names.singular: Required value, spec.names.kind: Required value, spec.names.listKind: Required value"
    );
    assert_eq!(with("/spec/versions/0/schema", json!({})), "spec.versions[0].schema.openAPIV3Schema: Required value");
    assert_eq!(
        with("/spec/versions", json!([])),
        "spec.versions: Invalid value: []: must have exactly one version marked as storage version, status.storedVersions: Invalid value: null: must have at least one stored version"
    );
    assert_eq!(
        with("/spec/versions/0/subresources", json!({"scale": {}})),
        "spec.subresources.scale.specReplicasPath: Required value, spec.subresources.scale.statusReplicasPath: Required value"
    );
}

#[test]
fn a_schema_that_is_not_structural_is_refused_in_the_server_s_words() {
    let root = |schema: Value| refused(&crd(&schema));
    assert_eq!(
        root(json!({"type": "string"})),
        r#"spec.validation.openAPIV3Schema.type: Invalid value: "string": must be object at the root"#
    );
    assert_eq!(root(json!({})), "spec.validation.openAPIV3Schema.type: Required value: must not be empty at the root");
    let expected = [
        (json!({}), "type: Required value: must not be empty for specified object fields"),
        (
            json!({"type": "foo"}),
            r#"type: Unsupported value: "foo": supported values: "array", "boolean", "integer", "number", "object", "string""#,
        ),
        (json!({"type": "array"}), "items: Required value: must be specified"),
        (
            json!({"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"]}),
            "items.properties[a].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
        ),
        (
            json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "foo"}),
            r#"x-kubernetes-list-type: Unsupported value: "foo": supported values: "atomic", "set", "map""#,
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "string"}, "properties": {"a": {"type": "string"}}}),
            "additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ),
        (
            json!({"type": "string", "default": 3}),
            r#"default: Invalid value: "integer":  in body must be of type string: "integer""#,
        ),
        (
            json!({"type": "string", "minLength": 3, "default": "a"}),
            r#"default: Invalid value: "a":  in body should be at least 3 chars long"#,
        ),
        (json!({"type": "string", "$ref": "#/x"}), "$ref: Forbidden: $ref is not supported"),
        (
            json!({"type": "object", "anyOf": [{"type": "object"}]}),
            "anyOf[0].type: Forbidden: must be empty to be structural",
        ),
    ];
    for (field, message) in expected {
        let schema = json!({"type": "object", "properties": {"spec": field}});
        assert_eq!(root(schema), format!("spec.validation.openAPIV3Schema.properties[spec].{message}"));
    }
}

#[test]
fn what_names_a_served_kind_cannot_change() {
    let mut old = crd(&json!({"type": "object"}));
    admit(&mut old, None).unwrap();
    assert!(establish(&mut old, &Resources::default(), &json!("2026-01-01T00:00:00Z")));
    for (pointer, field, value) in [
        ("/spec/scope", "spec.scope", "Cluster"),
        ("/spec/group", "spec.group", "x.y"),
        ("/spec/names/kind", "spec.names.kind", "Thong"),
        ("/spec/names/plural", "spec.names.plural", "thangs"),
    ] {
        let mut new = old.clone();
        *new.pointer_mut(pointer).unwrap() = value.into();
        let causes = admit(&mut new, Some(&old)).unwrap_err();
        assert_eq!(causes, [Cause::invalid(field, &value.into(), "field is immutable")]);
    }
}

#[test]
fn rules_and_what_else_is_not_evaluated_are_named() {
    let rules = json!([{"rule": "self.size() < 3"}]);
    let schema =
        json!({"type": "object", "properties": {"spec": {"type": "string", "x-kubernetes-validations": rules}}});
    let message = supported(&crd(&schema), false).unwrap_err().message;
    assert!(message.contains(r#""self.size() < 3" at version v1, properties, spec"#), "{message}");
    supported(&crd(&schema), true).unwrap();
    supported(&crd(&json!({"type": "object"})), false).unwrap();
    let mut webhook = crd(&json!({"type": "object"}));
    webhook["spec"]["conversion"] = json!({"strategy": "Webhook"});
    assert!(supported(&webhook, true).unwrap_err().message.contains("webhook"));
}

#[test]
fn names_that_another_kind_of_the_group_has_are_not_accepted() {
    let mut resources = Resources::default();
    let mut first = crd(&json!({"type": "object"}));
    admit(&mut first, None).unwrap();
    assert!(establish(&mut first, &resources, &json!("now")));
    resources.replace("things.t.example.com", register(&first).unwrap());
    assert!(establish(&mut first, &resources, &json!("later")), "a kind is not in its own way");

    let mut second = crd(&json!({"type": "object"}));
    second["metadata"]["name"] = "thingies.t.example.com".into();
    second["spec"]["names"]["plural"] = "thingies".into();
    admit(&mut second, None).unwrap();
    assert!(!establish(&mut second, &resources, &json!("now")));
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "False", "lastTransitionTime": "now", "reason": reason, "message": message});
    let expected = json!([
        condition("NamesAccepted", "ListKindConflict", "\"ThingList\" is already in use"),
        condition("Established", "NotAccepted", "not all names are accepted"),
    ]);
    assert_eq!(second["status"]["conditions"], expected);
    assert_eq!(second["status"]["acceptedNames"], json!({"plural": "thingies", "kind": ""}));
}

#[test]
fn a_status_is_looked_at_alone_and_told_from_there() {
    let wrong = json!({"spec": {"title": 3}, "status": {"x": "a"}});
    let causes = validate(&things(), &wrong, Some(&json!({"spec": {"title": 4}})), Some("status")).unwrap_err();
    let told: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    assert_eq!(told, [r#"status.x: Invalid value: "string": x in body must be of type integer: "string""#]);
}
