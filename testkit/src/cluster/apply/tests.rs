//! What the real server answered in the same cases.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::cluster::resources::Resources;

/// A built-in kind.
pub(super) fn kind(api_version: &str, kind: &str) -> Arc<Kind> {
    Resources::default().of_object(api_version, kind).unwrap().clone()
}

/// An object that many write to.
struct Desk {
    kind: Arc<Kind>,
    object: Option<Value>,
    second: i64,
}

impl Desk {
    fn new(api_version: &str, name: &str) -> Self {
        Self { kind: kind(api_version, name), object: None, second: 0 }
    }

    fn whole(&self, fields: &Value) -> Value {
        let mut object =
            json!({"apiVersion": self.kind.api_version(), "kind": self.kind.kind, "metadata": {"name": "a"}});
        for (name, value) in fields.as_object().unwrap() {
            object[name] = value.clone();
        }
        object
    }

    fn writer<'a>(&self, manager: &'a str) -> Writer<'a> {
        Writer { manager, subresource: None, now: Timestamp::from_second(self.second).unwrap() }
    }

    fn apply(&mut self, manager: &str, fields: &Value) -> Result<Value, Status> {
        self.apply_with(manager, fields, false)
    }

    fn force(&mut self, manager: &str, fields: &Value) -> Value {
        self.apply_with(manager, fields, true).unwrap()
    }

    fn apply_with(&mut self, manager: &str, fields: &Value, force: bool) -> Result<Value, Status> {
        self.second += 1;
        let new = apply(&self.kind, self.object.as_ref(), &self.whole(fields), self.writer(manager), force)?;
        self.object = Some(new.clone());
        Ok(new)
    }

    fn update(&mut self, manager: &str, fields: &Value) -> Value {
        self.second += 1;
        let mut new = self.whole(fields);
        track(&self.kind, self.object.as_ref(), &mut new, self.writer(manager));
        self.object = Some(new.clone());
        new
    }

    /// `manager`'s fields.
    fn owned_by(&self, manager: &str) -> Value {
        let entries = self.object.as_ref().unwrap()["metadata"]["managedFields"].as_array().unwrap();
        entries.iter().find(|entry| entry["manager"] == manager).map_or(Value::Null, |entry| entry["fieldsV1"].clone())
    }
}

fn data(data: &Value) -> Value {
    json!({"data": data})
}

#[test]
fn who_creates_owns_what_it_wrote() {
    let mut desk = Desk::new("v1", "ConfigMap");
    desk.update("cr", &json!({"metadata": {"name": "a", "labels": {"l": "1"}}, "data": {"x": "1", "y": "1"}}));
    let expected = json!([{
        "manager": "cr", "operation": "Update", "apiVersion": "v1", "time": "1970-01-01T00:00:01Z", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {".": {}, "f:x": {}, "f:y": {}}, "f:metadata": {"f:labels": {".": {}, "f:l": {}}}},
    }]);
    assert_eq!(desk.object.unwrap()["metadata"]["managedFields"], expected);
}

#[test]
fn what_others_own_is_a_conflict() {
    let mut desk = Desk::new("v1", "ConfigMap");
    desk.update("cr", &data(&json!({"x": "1", "y": "1"})));
    let status = desk.apply("A", &data(&json!({"x": "2", "y": "2"}))).unwrap_err().to_json();
    let message = "Apply failed with 2 conflicts: conflicts with \"cr\" using v1:\n- .data.x\n- .data.y";
    assert_eq!(
        (&status["message"], &status["reason"], &status["code"]),
        (&message.into(), &"Conflict".into(), &409.into())
    );
    let cause = |field: &str| json!({"reason": "FieldManagerConflict", "message": "conflict with \"cr\" using v1", "field": field});
    assert_eq!(status["details"], json!({"causes": [cause(".data.x"), cause(".data.y")]}));

    let one = desk.apply("A", &data(&json!({"x": "2"}))).unwrap_err();
    assert_eq!(one.message, "Apply failed with 1 conflict: conflict with \"cr\" using v1: .data.x");
}

#[test]
fn who_agrees_shares_and_who_forces_takes() {
    let mut desk = Desk::new("v1", "ConfigMap");
    desk.update("cr", &data(&json!({"x": "1", "y": "1"})));
    let shared = desk.apply("A", &data(&json!({"x": "1"}))).unwrap();
    assert_eq!(desk.owned_by("cr"), json!({"f:data": {".": {}, "f:x": {}, "f:y": {}}}));
    assert_eq!(desk.owned_by("A"), json!({"f:data": {"f:x": {}}}));
    assert_eq!(shared["metadata"]["managedFields"][0].get("time"), None, "as on the real server");
    assert_eq!(desk.apply("A", &data(&json!({"x": "1"}))).unwrap(), shared);

    desk.force("A", &data(&json!({"x": "3"})));
    assert_eq!(desk.owned_by("cr"), json!({"f:data": {".": {}, "f:y": {}}}));
    let conflict = desk.apply("B", &data(&json!({"x": "4"}))).unwrap_err();
    assert_eq!(conflict.message, "Apply failed with 1 conflict: conflict with \"A\": .data.x");
}

#[test]
fn what_is_not_applied_any_more_goes_unless_others_own_it() {
    let mut desk = Desk::new("v1", "ConfigMap");
    desk.apply("A", &data(&json!({"x": "1", "y": "1"}))).unwrap();
    desk.apply("B", &data(&json!({"y": "1"}))).unwrap();
    let left = desk.apply("A", &data(&json!({}))).unwrap();
    assert_eq!(left["data"], json!({"y": "1"}));
    assert_eq!(desk.owned_by("A"), json!({"f:data": {}}));
    assert_eq!(desk.owned_by("B"), json!({"f:data": {"f:y": {}}}));
    desk.apply("A", &json!({})).unwrap();
    assert_eq!(desk.owned_by("A"), Value::Null);
    assert_eq!(desk.apply("B", &json!({})).unwrap().get("data"), None);
}

#[test]
fn the_same_again_changes_nothing() {
    let mut desk = Desk::new("apps/v1", "Deployment");
    let deployment = json!({
        "metadata": {"name": "a", "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "u", "controller": true}]},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "w", "image": "i", "ports": [{"containerPort": 80}]}]}},
        },
    });
    let first = desk.force("A", &deployment);
    let expected = json!({
        "f:metadata": {"f:ownerReferences": {r#"k:{"uid":"u"}"#: {}}},
        "f:spec": {
            "f:replicas": {}, "f:selector": {},
            "f:template": {"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {"f:containers": {r#"k:{"name":"w"}"#: {
                ".": {}, "f:image": {}, "f:name": {},
                "f:ports": {r#"k:{"containerPort":80,"protocol":"TCP"}"#: {".": {}, "f:containerPort": {}}},
            }}}},
        },
    });
    assert_eq!(desk.owned_by("A"), expected);
    assert_eq!(desk.force("A", &deployment), first);
}

#[test]
fn a_container_of_others_stays_and_one_s_own_goes() {
    let pod = |names: &[&str]| {
        let containers: Vec<Value> = names.iter().map(|name| json!({"name": name, "image": "i"})).collect();
        json!({"spec": {"containers": containers}})
    };
    let mut desk = Desk::new("v1", "Pod");
    desk.apply("A", &pod(&["a", "b"])).unwrap();
    desk.apply("sidecars", &pod(&["mesh"])).unwrap();
    let left = desk.apply("A", &pod(&["a"])).unwrap();
    let names: Vec<&Value> = left["spec"]["containers"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
    assert_eq!(names, ["a", "mesh"]);
}

#[test]
fn an_update_takes_the_fields_that_it_changes() {
    let mut desk = Desk::new("v1", "ConfigMap");
    desk.apply("A", &data(&json!({"x": "1", "y": "1"}))).unwrap();
    let new = desk.update("kubectl-edit", &data(&json!({"x": "2", "y": "1"})));
    assert_eq!(desk.owned_by("A"), json!({"f:data": {"f:y": {}}}));
    assert_eq!(desk.owned_by("kubectl-edit"), json!({"f:data": {"f:x": {}}}));
    assert_eq!(desk.update("kubectl-edit", &data(&json!({"x": "2", "y": "1"}))), new, "nothing written, nothing noted");
}

#[test]
fn a_deployment_s_own_parts_are_not_owned_by_who_creates_it() {
    let mut desk = Desk::new("apps/v1", "Deployment");
    desk.update("c", &json!({
        "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "strategy": {"type": "Recreate"},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "w", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}}},
        "status": {"replicas": 1},
    }));
    let expected = json!({"f:spec": {
        "f:replicas": {}, "f:selector": {}, "f:strategy": {"f:type": {}},
        "f:template": {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}, "f:spec": {"f:containers": {r#"k:{"name":"w"}"#: {
            ".": {}, "f:name": {},
            "f:ports": {".": {}, r#"k:{"containerPort":80,"protocol":"TCP"}"#: {".": {}, "f:containerPort": {}, "f:protocol": {}}},
        }}}},
    }});
    assert_eq!(desk.owned_by("c"), expected);
}

#[test]
fn notes_can_be_given_up_but_not_forgotten() {
    let mut desk = Desk::new("v1", "ConfigMap");
    desk.apply("A", &data(&json!({"x": "1"}))).unwrap();
    desk.update("old-client", &data(&json!({"x": "1", "y": "1"})));
    assert_eq!(desk.owned_by("A"), json!({"f:data": {"f:x": {}}}));
    let none = desk.update("c", &json!({"metadata": {"name": "a", "managedFields": [{}]}, "data": {"x": "2"}}));
    assert_eq!(none["metadata"].get("managedFields"), None);
    desk.update("c", &data(&json!({"x": "3"})));
    let conflict = desk.apply("A", &data(&json!({"x": "4"}))).unwrap_err();
    assert_eq!(
        conflict.message,
        "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.x"
    );
}

#[test]
fn what_cannot_be_applied_is_refused_as_by_the_server() {
    let mut desk = Desk::new("v1", "ConfigMap");
    let refusal = |desk: &mut Desk, fields: Value| {
        let status = desk.apply("A", &fields).unwrap_err();
        (status.code, status.message)
    };
    let of_secret = refusal(&mut desk, json!({"kind": "Secret"}));
    assert_eq!(of_secret, (400, "invalid object type: /v1, Kind=Secret".to_owned()));
    let managed = refusal(&mut desk, json!({"metadata": {"name": "a", "managedFields": [{}]}}));
    assert_eq!(managed, (400, "metadata.managedFields must be nil".to_owned()));
    let unknown = refusal(&mut desk, json!({"foo": 1}));
    let message = "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .foo: field not declared in schema";
    assert_eq!(unknown, (500, message.to_owned()));
    let with_uid = json!({"metadata": {"name": "a", "uid": "1", "resourceVersion": "1"}});
    let message = "Operation cannot be fulfilled on configmaps \"a\": uid mismatch: the provided object specified uid 1, and no existing object was found";
    assert_eq!(refusal(&mut desk, with_uid), (409, message.to_owned()));
}

#[test]
fn null_is_applied_as_nothing_but_owned() {
    let mut desk = Desk::new("v1", "ConfigMap");
    let new = desk.apply("A", &data(&json!({"x": "1", "y": null}))).unwrap();
    assert_eq!(new["data"], json!({"x": "1"}));
}

#[test]
fn a_status_is_applied_apart() {
    let mut desk = Desk::new("apps/v1", "Deployment");
    desk.apply("A", &json!({"spec": {"replicas": 1}, "status": {"replicas": 7}})).unwrap();
    assert_eq!(desk.owned_by("A"), json!({"f:spec": {"f:replicas": {}}}));
    let status = json!({"spec": {"replicas": 2}, "status": {"conditions": [{"type": "Available", "status": "True"}]}});
    let writer = Writer { subresource: Some("status"), ..desk.writer("S") };
    desk.object = Some(apply(&desk.kind, desk.object.as_ref(), &desk.whole(&status), writer, false).unwrap());
    let condition = json!({".": {}, "f:status": {}, "f:type": {}});
    assert_eq!(desk.owned_by("S"), json!({"f:status": {"f:conditions": {r#"k:{"type":"Available"}"#: condition}}}));
    assert_eq!(desk.object.unwrap()["metadata"]["managedFields"][1]["subresource"], "status");
}
