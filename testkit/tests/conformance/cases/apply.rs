//! Server-side apply, and who owns what.

use serde_json::{Value, json};

use super::things::{self, X as THING};
use super::{CONFIG_MAPS, config_map, with};
use crate::ask::Ask;
use crate::case::cases;
use crate::session::Session;

cases!("apply":
    an_apply_creates,
    an_apply_that_changes_nothing_keeps_the_version,
    a_field_left_out_goes,
    a_field_of_another_is_a_conflict,
    a_conflict_over_several_fields,
    a_field_of_another_is_taken_by_force,
    the_same_value_is_owned_by_both,
    a_shared_field_left_out_stays,
    a_field_of_another_is_not_removed,
    an_update_owns_what_it_changed,
    an_update_takes_a_field_from_an_applier,
    an_apply_without_manager_is_refused,
    an_apply_with_managed_fields_is_refused,
    an_apply_of_another_name_or_kind_is_refused,
    an_apply_with_an_old_version_is_refused,
    an_apply_with_a_uid_of_what_is_not_there,
    force_is_for_applies_alone,
    an_apply_that_is_no_object,
    a_create_and_a_patch_own_what_they_wrote,
    an_apply_of_the_status,
    finalizers_are_a_set,
    owner_references_are_merged_by_uid,
    labels_of_two_appliers,
    a_list_of_a_custom_object_is_atomic,
    a_list_of_a_custom_object_is_merged_by_its_keys,
    a_dry_run_applies_nothing,
    an_apply_to_a_terminating_object,
    managers_can_be_cleared,
    an_apply_prunes_unknown_fields,
    managers_have_the_time_of_the_server,
);

const X: &str = "/api/v1/namespaces/$ns/configmaps/x";

fn x(data: Value) -> Value {
    with(config_map("x"), "/data", data)
}

fn by(manager: &str) -> String {
    format!("{X}?fieldManager={manager}")
}

fn forced_by(manager: &str) -> String {
    format!("{X}?fieldManager={manager}&force=true")
}

async fn an_apply_creates(s: &mut Session) {
    s.compares_managers = true;
    s.apply(by("a"), x(json!({"key": "1"}))).await;
    s.get(X).await;
}

async fn an_apply_that_changes_nothing_keeps_the_version(s: &mut Session) {
    s.compares_managers = true;
    s.apply(by("a"), x(json!({"key": "1"}))).await;
    s.apply(by("a"), x(json!({"key": "1"}))).await;
    s.apply(forced_by("a"), x(json!({"key": "1"}))).await;
    s.get(X).await;
}

async fn a_field_left_out_goes(s: &mut Session) {
    s.compares_managers = true;
    s.apply(by("a"), x(json!({"key": "1", "other": "2"}))).await;
    s.apply(by("a"), x(json!({"key": "1"}))).await;
    s.apply(by("a"), x(json!(null))).await;
}

async fn a_field_of_another_is_a_conflict(s: &mut Session) {
    s.apply(by("a"), x(json!({"key": "1"}))).await;
    s.apply(by("b"), x(json!({"key": "2"}))).await;
}

async fn a_conflict_over_several_fields(s: &mut Session) {
    s.apply(by("a"), x(json!({"key": "1", "more": "1"}))).await;
    s.apply(by("b"), x(json!({"other": "1"}))).await;
    s.put(format!("{X}?fieldManager=c"), x(json!({"key": "1", "more": "1", "other": "2", "last": "1"}))).await;
    s.apply(by("d"), x(json!({"key": "2", "more": "2", "other": "3", "last": "2"}))).await;
}

async fn a_field_of_another_is_taken_by_force(s: &mut Session) {
    s.compares_managers = true;
    s.apply(by("a"), x(json!({"key": "1", "other": "1"}))).await;
    s.apply(forced_by("b"), x(json!({"key": "2"}))).await;
    s.apply(by("a"), x(json!({"other": "1"}))).await;
}

async fn the_same_value_is_owned_by_both(s: &mut Session) {
    s.compares_managers = true;
    s.apply(by("a"), x(json!({"key": "1"}))).await;
    s.apply(by("b"), x(json!({"key": "1"}))).await;
    s.apply(by("a"), x(json!({"key": "2"}))).await;
}

async fn a_shared_field_left_out_stays(s: &mut Session) {
    s.compares_managers = true;
    s.apply(by("a"), x(json!({"key": "1"}))).await;
    s.apply(by("b"), x(json!({"key": "1"}))).await;
    s.apply(by("a"), x(json!({}))).await;
    s.apply(by("b"), x(json!({}))).await;
}

async fn a_field_of_another_is_not_removed(s: &mut Session) {
    s.compares_managers = true;
    s.apply(by("a"), x(json!({"key": "1"}))).await;
    s.apply(by("b"), x(json!({"other": "1"}))).await;
    s.get(X).await;
}

async fn an_update_owns_what_it_changed(s: &mut Session) {
    s.compares_managers = true;
    s.post(format!("{CONFIG_MAPS}?fieldManager=maker"), config_map("x")).await;
    s.put(format!("{X}?fieldManager=changer"), x(json!({"key": "1", "other": "2"}))).await;
    s.put(X, x(json!({"other": "3"}))).await;
}

async fn an_update_takes_a_field_from_an_applier(s: &mut Session) {
    s.compares_managers = true;
    s.apply(by("a"), x(json!({"key": "1"}))).await;
    s.merge(format!("{X}?fieldManager=b"), json!({"data": {"key": "2"}})).await;
    s.apply(by("a"), x(json!({"key": "1"}))).await;
    s.apply(forced_by("a"), x(json!({"key": "1"}))).await;
}

async fn an_apply_without_manager_is_refused(s: &mut Session) {
    s.apply(X, config_map("x")).await;
    s.apply(by(&"x".repeat(129)), config_map("x")).await;
}

async fn an_apply_with_managed_fields_is_refused(s: &mut Session) {
    let entry =
        json!({"manager": "a", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {}});
    s.apply(by("a"), with(config_map("x"), "/metadata/managedFields", json!([entry]))).await;
}

async fn an_apply_of_another_name_or_kind_is_refused(s: &mut Session) {
    s.apply(by("a"), config_map("y")).await;
    s.apply(by("a"), with(config_map("x"), "/kind", "Secret")).await;
    s.apply(by("a"), json!({"metadata": {"name": "x"}})).await;
    s.apply(by("a"), with(config_map("x"), "/metadata/namespace", "default")).await;
    s.apply(by("a"), json!({"apiVersion": "v1", "kind": "ConfigMap"})).await;
}

async fn an_apply_with_an_old_version_is_refused(s: &mut Session) {
    let old = s.apply(by("a"), x(json!({"key": "1"}))).await;
    s.apply(by("a"), x(json!({"key": "2"}))).await;
    s.apply(by("a"), with(x(json!({"key": "3"})), "/metadata/resourceVersion", old.version())).await;
}

async fn an_apply_with_a_uid_of_what_is_not_there(s: &mut Session) {
    let uid = "11111111-1111-4111-8111-111111111111";
    s.apply(by("a"), with(config_map("x"), "/metadata/uid", uid)).await;
    s.apply(by("a"), with(config_map("x"), "/metadata/resourceVersion", "1")).await;
    s.apply(by("a"), config_map("x")).await;
    s.apply(by("a"), with(config_map("x"), "/metadata/uid", uid)).await;
}

async fn force_is_for_applies_alone(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.merge(format!("{X}?force=true"), json!({})).await;
}

async fn an_apply_that_is_no_object(s: &mut Session) {
    for body in ["[]", "", "a: [", "{}", "5"] {
        s.ask(Ask::new("PATCH", by("a")).text("application/apply-patch+yaml", body)).await;
    }
}

async fn a_create_and_a_patch_own_what_they_wrote(s: &mut Session) {
    s.compares_managers = true;
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/labels", json!({"a": "b"}))).await;
    s.merge(format!("{X}?fieldManager=b"), json!({"data": {"other": "2"}, "metadata": {"annotations": {"c": "d"}}}))
        .await;
    s.json_patch(format!("{X}?fieldManager=b"), json!([{"op": "remove", "path": "/data/other"}])).await;
    s.merge(format!("{X}?fieldManager=c"), json!({"data": {"key": "1"}})).await;
}

async fn an_apply_of_the_status(s: &mut Session) {
    s.compares_managers = true;
    s.install(things::crd()).await;
    let made = |status: Value| with(things::thing("x"), "/status", status);
    s.apply(format!("{THING}?fieldManager=a"), made(json!({"ready": false}))).await;
    s.apply(format!("{THING}/status?fieldManager=a"), made(json!({"ready": true}))).await;
    let status = json!({"apiVersion": "$ns.example.com/v1", "kind": "Thing", "status": {"count": 1}});
    s.apply(format!("{THING}/status?fieldManager=b"), status).await;
}

async fn finalizers_are_a_set(s: &mut Session) {
    s.compares_managers = true;
    let held = |finalizers: &[&str]| with(config_map("x"), "/metadata/finalizers", json!(finalizers));
    s.apply(by("a"), held(&["example.com/a"])).await;
    s.apply(by("b"), held(&["example.com/b"])).await;
    s.apply(by("a"), config_map("x")).await;
    s.merge(X, json!({"metadata": {"finalizers": null}})).await;
}

async fn owner_references_are_merged_by_uid(s: &mut Session) {
    s.compares_managers = true;
    let owner = s.post(CONFIG_MAPS, config_map("owner")).await;
    let other = s.post(CONFIG_MAPS, config_map("other")).await;
    let reference = |name: &str, uid: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid});
    let owned = |reference: Value| with(config_map("x"), "/metadata/ownerReferences", vec![reference]);
    s.apply(by("a"), owned(reference("owner", owner.uid()))).await;
    s.apply(by("b"), owned(reference("other", other.uid()))).await;
    s.apply(by("a"), config_map("x")).await;
}

async fn labels_of_two_appliers(s: &mut Session) {
    s.compares_managers = true;
    let labelled =
        |labels: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "labels": labels}});
    s.apply(by("a"), labelled(json!({"example.com/a": "1"}))).await;
    s.apply(by("b"), labelled(json!({"b": "1"}))).await;
    s.apply(by("a"), labelled(json!({}))).await;
}

async fn a_list_of_a_custom_object_is_atomic(s: &mut Session) {
    s.compares_managers = true;
    s.install(things::crd()).await;
    let tagged = |tags: &[&str]| with(things::thing("x"), "/spec/tags", json!(tags));
    s.apply(format!("{THING}?fieldManager=a"), tagged(&["a"])).await;
    s.apply(format!("{THING}?fieldManager=b"), tagged(&["b"])).await;
    s.apply(format!("{THING}?fieldManager=b&force=true"), tagged(&["b"])).await;
}

async fn a_list_of_a_custom_object_is_merged_by_its_keys(s: &mut Session) {
    s.compares_managers = true;
    let ports = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"}, "port": {"type": "integer"}, "note": {"type": "string"}}}});
    let set = json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}});
    let spec = json!({"type": "object", "properties": {"ports": ports, "words": set}});
    s.install(things::crd_of(&json!({"spec": spec}))).await;
    let thing = |spec: Value| with(things::thing("x"), "/spec", spec);
    let (a, b) = (format!("{THING}?fieldManager=a"), format!("{THING}?fieldManager=b"));
    s.apply(&a, thing(json!({"ports": [{"name": "http", "port": 80}], "words": ["one"]}))).await;
    s.apply(&b, thing(json!({"ports": [{"name": "https", "port": 443}], "words": ["two", "one"]}))).await;
    s.apply(&b, thing(json!({"ports": [{"name": "http", "port": 81}]}))).await;
    s.apply(&b, thing(json!({"ports": [{"name": "http", "note": "b's"}]}))).await;
    s.apply(&a, thing(json!({}))).await;
    s.apply(&a, thing(json!({"ports": [{"name": "x"}, {"name": "x"}], "words": ["y", "y"]}))).await;
}

async fn a_dry_run_applies_nothing(s: &mut Session) {
    s.compares_managers = true;
    s.apply(format!("{}&dryRun=All", by("a")), config_map("x")).await;
    s.get(X).await;
}

async fn an_apply_to_a_terminating_object(s: &mut Session) {
    s.apply(by("a"), with(config_map("x"), "/metadata/finalizers", json!(["example.com/a"]))).await;
    s.delete(X).await;
    let new = json!(["example.com/a", "example.com/b"]);
    s.apply(by("a"), with(config_map("x"), "/metadata/finalizers", new)).await;
    s.apply(by("a"), config_map("x")).await;
    s.get(X).await;
}

async fn managers_can_be_cleared(s: &mut Session) {
    s.compares_managers = true;
    s.apply(by("a"), config_map("x")).await;
    s.merge(X, json!({"metadata": {"managedFields": [{}]}})).await;
    s.merge(format!("{X}?fieldManager=b"), json!({"data": {"key": "2"}})).await;
    s.apply(by("a"), config_map("x")).await;
}

async fn an_apply_prunes_unknown_fields(s: &mut Session) {
    s.compares_managers = true;
    s.install(things::crd()).await;
    let thing = with(things::thing("x"), "/spec/unknown", "x");
    s.apply(format!("{THING}?fieldManager=a"), thing.clone()).await;
    s.apply(format!("{THING}?fieldManager=a&fieldValidation=Strict"), thing).await;
}

async fn managers_have_the_time_of_the_server(s: &mut Session) {
    let made = s.apply(by("a"), config_map("x")).await;
    let changed = s.merge(X, json!({"data": {"key": "2"}})).await;
    for answer in [made, changed] {
        let date = jiff::fmt::rfc2822::parse(&answer.date).expect("every answer has a date").timestamp();
        let metadata = &answer.body["metadata"];
        let managers = metadata["managedFields"].as_array().into_iter().flatten().map(|entry| &entry["time"]);
        for time in managers.chain([&metadata["creationTimestamp"]]) {
            let time: jiff::Timestamp = time.as_str().and_then(|text| text.parse().ok()).expect("a time");
            // The second may have ended between the write and the answer.
            s.note("a time is that of the answer", date.duration_since(time).as_secs().abs() <= 1);
        }
    }
}
