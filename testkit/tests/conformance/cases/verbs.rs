//! Create, get, list, update and delete, and what each refuses.

use serde_json::json;

use super::{CONFIG_MAPS, config_map, with};
use crate::ask::Ask;
use crate::case::cases;
use crate::session::Session;

cases!("verbs":
    a_created_object_is_given_back_and_can_be_read,
    what_only_the_server_sets_is_dropped_from_a_create,
    a_name_is_generated,
    a_create_without_name_is_refused,
    a_create_under_a_bad_name_is_refused,
    a_create_in_the_body_of_another_namespace_is_refused,
    a_create_in_a_namespace_that_is_not_there_is_refused,
    a_create_of_another_kind_is_refused,
    a_create_with_a_version_is_refused,
    a_dry_run_creates_nothing,
    reading_what_is_not_there,
    an_unknown_resource_group_and_version,
    methods_that_a_resource_has_not,
    bodies_that_are_no_json,
    bodies_in_unknown_formats,
    a_body_in_yaml,
    answers_in_unknown_formats,
    a_delete_tells_what_is_gone,
    a_delete_of_what_is_not_there,
    a_delete_with_preconditions,
    a_dry_run_deletes_nothing,
    an_update_that_changes_nothing_keeps_the_version,
    an_update_of_what_is_not_there,
    an_update_under_another_name,
    an_update_cannot_set_what_is_the_servers,
    lists_come_in_the_order_of_names,
    a_list_of_what_has_no_objects,
    all_of_a_collection_are_deleted,
    bad_labels_and_annotations_are_refused,
    what_one_may_do_oneself,
    times_that_are_none,
    unknown_fields_of_built_in_kinds,
    secrets_are_written_in_plain_text,
    empty_values_are_left_out,
);

async fn a_created_object_is_given_back_and_can_be_read(s: &mut Session) {
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/labels", json!({"a": "b"}))).await;
    s.get(format!("{CONFIG_MAPS}/x")).await;
}

async fn what_only_the_server_sets_is_dropped_from_a_create(s: &mut Session) {
    let metadata = json!({
        "name": "x", "uid": "11111111-1111-4111-8111-111111111111", "creationTimestamp": "2001-01-01T00:00:00Z",
        "deletionTimestamp": "2001-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30, "generation": 7, "selfLink": "/x",
    });
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata", metadata)).await;
}

async fn a_name_is_generated(s: &mut Session) {
    let generated = with(config_map("x"), "/metadata", json!({"generateName": "x-"}));
    s.post(CONFIG_MAPS, generated.clone()).await;
    s.post(CONFIG_MAPS, generated).await;
    s.post(CONFIG_MAPS, with(config_map("named"), "/metadata/generateName", "x-")).await;
}

async fn a_create_without_name_is_refused(s: &mut Session) {
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata", json!({}))).await;
    s.post(CONFIG_MAPS, json!({"apiVersion": "v1", "kind": "ConfigMap"})).await;
}

async fn a_create_under_a_bad_name_is_refused(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("Not_A_Name")).await;
    s.post(CONFIG_MAPS, config_map(&"x".repeat(254))).await;
}

async fn a_create_in_the_body_of_another_namespace_is_refused(s: &mut Session) {
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/namespace", "default")).await;
}

async fn a_create_in_a_namespace_that_is_not_there_is_refused(s: &mut Session) {
    s.post("/api/v1/namespaces/nowhere/configmaps", config_map("x")).await;
    s.get("/api/v1/namespaces/nowhere/configmaps").await;
    s.get("/api/v1/namespaces/nowhere/configmaps/x").await;
}

async fn a_create_of_another_kind_is_refused(s: &mut Session) {
    s.post(CONFIG_MAPS, with(config_map("x"), "/kind", "Secret")).await;
    s.post(CONFIG_MAPS, with(config_map("x"), "/apiVersion", "apps/v1")).await;
    s.post(CONFIG_MAPS, json!({"metadata": {"name": "bare"}})).await;
}

async fn a_create_with_a_version_is_refused(s: &mut Session) {
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/resourceVersion", "1")).await;
}

async fn a_dry_run_creates_nothing(s: &mut Session) {
    s.post(format!("{CONFIG_MAPS}?dryRun=All"), config_map("x")).await;
    s.get(format!("{CONFIG_MAPS}/x")).await;
    s.post(format!("{CONFIG_MAPS}?dryRun=Some"), config_map("x")).await;
}

async fn reading_what_is_not_there(s: &mut Session) {
    s.get(format!("{CONFIG_MAPS}/x")).await;
    s.get("/apis/apps/v1/namespaces/$ns/deployments/x").await;
    s.get("/api/v1/nodes/x").await;
}

async fn an_unknown_resource_group_and_version(s: &mut Session) {
    s.get("/api/v1/namespaces/$ns/gadgets").await;
    s.get("/apis/apps/v1/gadgets/x").await;
    s.get("/apis/nobody.example.com/v1/gadgets").await;
    s.get("/apis/apps/v9/deployments").await;
    s.get("/nothing").await;
    s.get(format!("{CONFIG_MAPS}/x/status")).await;
}

async fn methods_that_a_resource_has_not(s: &mut Session) {
    s.put(CONFIG_MAPS, config_map("x")).await;
    s.post("/api/v1/configmaps", config_map("x")).await;
    s.post(format!("{CONFIG_MAPS}/x"), config_map("x")).await;
    s.delete("/api/v1/namespaces").await;
}

async fn bodies_that_are_no_json(s: &mut Session) {
    for body in ["{", "", "[]", "\"x\"", "null", "{\"kind\": 5}"] {
        s.ask(Ask::new("POST", CONFIG_MAPS).text("application/json", body)).await;
    }
}

async fn bodies_in_unknown_formats(s: &mut Session) {
    let body = config_map("x").to_string();
    s.ask(Ask::new("POST", CONFIG_MAPS).text("text/plain", &body)).await;
    s.ask(Ask::new("PATCH", format!("{CONFIG_MAPS}/x")).text("application/json", &body)).await;
}

async fn a_body_in_yaml(s: &mut Session) {
    let body = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n  key: 'yes'\n";
    s.ask(Ask::new("POST", CONFIG_MAPS).text("application/yaml", body)).await;
}

async fn answers_in_unknown_formats(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    for accept in
        ["text/html", "*/*", "text/html, application/json;q=0.5", "application/json;as=Nothing;v=v1;g=meta.k8s.io"]
    {
        s.ask(Ask::get(format!("{CONFIG_MAPS}/x")).header("accept", accept)).await;
    }
}

async fn a_delete_tells_what_is_gone(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.delete(format!("{CONFIG_MAPS}/x")).await;
    s.get(format!("{CONFIG_MAPS}/x")).await;
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "x"}, "spec": {}});
    s.post("/apis/coordination.k8s.io/v1/namespaces/$ns/leases", lease).await;
    s.delete("/apis/coordination.k8s.io/v1/namespaces/$ns/leases/x").await;
}

async fn a_delete_of_what_is_not_there(s: &mut Session) {
    s.delete(format!("{CONFIG_MAPS}/x")).await;
}

async fn a_delete_with_preconditions(s: &mut Session) {
    let made = s.post(CONFIG_MAPS, config_map("x")).await;
    let x = format!("{CONFIG_MAPS}/x");
    s.delete_with(&x, json!({"preconditions": {"uid": "11111111-1111-4111-8111-111111111111"}})).await;
    s.delete_with(&x, json!({"preconditions": {"resourceVersion": "1"}})).await;
    s.delete_with(&x, json!({"preconditions": {"uid": made.uid(), "resourceVersion": made.version()}})).await;
}

async fn a_dry_run_deletes_nothing(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.delete(format!("{CONFIG_MAPS}/x?dryRun=All")).await;
    s.get(format!("{CONFIG_MAPS}/x")).await;
}

async fn an_update_that_changes_nothing_keeps_the_version(s: &mut Session) {
    let made = s.post(CONFIG_MAPS, config_map("x")).await;
    s.put(format!("{CONFIG_MAPS}/x"), made.body).await;
    s.put(format!("{CONFIG_MAPS}/x"), config_map("x")).await;
    s.get(format!("{CONFIG_MAPS}/x")).await;
}

async fn an_update_of_what_is_not_there(s: &mut Session) {
    s.put(format!("{CONFIG_MAPS}/x"), config_map("x")).await;
}

async fn an_update_under_another_name(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.put(format!("{CONFIG_MAPS}/x"), config_map("y")).await;
    s.put(format!("{CONFIG_MAPS}/x"), with(config_map("x"), "/metadata", json!({}))).await;
    s.put(format!("{CONFIG_MAPS}/x"), with(config_map("x"), "/metadata/namespace", "default")).await;
}

async fn an_update_cannot_set_what_is_the_servers(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    let x = format!("{CONFIG_MAPS}/x");
    for (field, value) in [
        ("creationTimestamp", json!("2001-01-01T00:00:00Z")),
        ("deletionTimestamp", json!("2001-01-01T00:00:00Z")),
        ("generation", json!(7)),
        ("uid", json!("11111111-1111-4111-8111-111111111111")),
    ] {
        s.put(&x, with(with(config_map("x"), &format!("/metadata/{field}"), value), "/data/key", field)).await;
    }
}

async fn lists_come_in_the_order_of_names(s: &mut Session) {
    for name in ["b", "a.c", "a", "a-b", "c"] {
        s.post(CONFIG_MAPS, config_map(name)).await;
    }
    s.get(CONFIG_MAPS).await;
}

async fn a_list_of_what_has_no_objects(s: &mut Session) {
    s.get(CONFIG_MAPS).await;
    s.get("/apis/apps/v1/namespaces/$ns/deployments").await;
}

async fn all_of_a_collection_are_deleted(s: &mut Session) {
    for name in ["a", "b"] {
        s.post(CONFIG_MAPS, with(config_map(name), "/metadata/labels", json!({"name": name}))).await;
    }
    s.delete(format!("{CONFIG_MAPS}?labelSelector=name%3Da")).await;
    s.get(CONFIG_MAPS).await;
    s.delete(CONFIG_MAPS).await;
    s.get(CONFIG_MAPS).await;
}

async fn bad_labels_and_annotations_are_refused(s: &mut Session) {
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/labels", json!({"a": "not a value"}))).await;
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/labels", json!({"a/b/c": "d"}))).await;
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/annotations", json!({"not a key": "d"}))).await;
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/labels", json!({"a": 5}))).await;
}

async fn what_one_may_do_oneself(s: &mut Session) {
    const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let spec = json!({"resourceAttributes": {"verb": "create", "resource": "configmaps", "namespace": "$ns"}});
    let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec});
    s.post(REVIEWS, review).await;
    s.get(REVIEWS).await;
}

async fn times_that_are_none(s: &mut Session) {
    const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/$ns/leases";
    let lease = |time: &str| {
        let spec = json!({"holderIdentity": "a", "renewTime": time});
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "x"}, "spec": spec})
    };
    for time in ["yesterday", "2025-01-01T00:00:00Z", "2025-01-01T01:00:00.5+01:00", "2025-01-01T00:00:00.1234567Z"] {
        s.post(format!("{LEASES}?dryRun=All"), lease(time)).await;
    }
}

async fn unknown_fields_of_built_in_kinds(s: &mut Session) {
    let odd = with(with(config_map("x"), "/metadata/odd", "x"), "/more", json!({"a": 1}));
    for validation in ["Strict", "Warn", "Ignore"] {
        s.post(format!("{CONFIG_MAPS}?fieldValidation={validation}&dryRun=All"), odd.clone()).await;
    }
    s.post(CONFIG_MAPS, odd.clone()).await;
    s.put(format!("{CONFIG_MAPS}/x?fieldValidation=Strict"), odd.clone()).await;
    s.merge(format!("{CONFIG_MAPS}/x"), json!({"spec": {"a": 1}})).await;
    s.apply(format!("{CONFIG_MAPS}/x?fieldManager=a&force=true"), odd).await;
}

async fn secrets_are_written_in_plain_text(s: &mut Session) {
    const SECRETS: &str = "/api/v1/namespaces/$ns/secrets";
    let secret = |fields: serde_json::Value| {
        let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}});
        json_patch::merge(&mut secret, &fields);
        secret
    };
    let x = format!("{SECRETS}/x");
    s.post(SECRETS, secret(json!({"stringData": {"a": "one", "b": "two"}, "data": {"b": "eA==", "c": "eQ=="}}))).await;
    s.merge(&x, json!({"stringData": {"a": "changed", "d": "\u{e4}\u{f6}"}})).await;
    s.put(&x, secret(json!({"stringData": {"e": ""}}))).await;
    s.post(SECRETS, secret(json!({"metadata": {"name": "y"}, "data": {"a": "no base64"}}))).await;
    s.post(SECRETS, secret(json!({"metadata": {"name": "y"}, "type": "example.com/own"}))).await;
    s.apply(
        format!("{SECRETS}/z?fieldManager=a"),
        secret(json!({"metadata": {"name": "z"}, "stringData": {"a": "one"}})),
    )
    .await;
    s.apply(
        format!("{SECRETS}/z?fieldManager=a"),
        secret(json!({"metadata": {"name": "z"}, "stringData": {"a": "two"}})),
    )
    .await;
}

async fn empty_values_are_left_out(s: &mut Session) {
    let empty = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {}, "binaryData": null, "immutable": null,
        "metadata": {"name": "x", "labels": {}, "annotations": null, "finalizers": [], "ownerReferences": null, "generateName": ""},
    });
    s.post(CONFIG_MAPS, empty.clone()).await;
    s.put(format!("{CONFIG_MAPS}/x"), empty).await;
    s.post(CONFIG_MAPS, with(config_map("y"), "/data", json!({"a": null, "b": ""}))).await;
    s.apply(format!("{CONFIG_MAPS}/z?fieldManager=a"), with(config_map("z"), "/data", json!({}))).await;
}
