//! `kubectl apply --server-side`.

use serde_json::{Value, json};

use super::kubectl_get::{THINGS, with_things};
use super::{config_map, things, with};
use crate::case::cases;
use crate::session::Session;

cases!("kubectl apply":
    created_and_changed,
    fields_of_another_manager,
    what_a_schema_does_not_know,
    what_a_built_in_type_does_not_know,
    what_a_schema_forbids,
    replicas_that_make_no_sense,
    many_objects_at_once,
    a_dry_run,
    to_a_namespace_that_is_not_there,
    a_kind_that_is_not_there,
    a_crd_and_its_object,
    a_status,
    what_it_prints,
    an_object_that_is_applied_by_the_client,
    from_the_client_to_the_server_and_back,
    what_others_changed_is_not_taken_over,
);

async fn apply(s: &mut Session, words: &[&str], object: &Value) {
    s.kubectl_with(&[&["apply", "--server-side", "-f", "-"], words].concat(), &object.to_string()).await;
}

async fn created_and_changed(s: &mut Session) {
    apply(s, &[], &config_map("x")).await;
    apply(s, &[], &config_map("x")).await;
    apply(s, &[], &with(config_map("x"), "/data/key", "2")).await;
    apply(s, &[], &with(config_map("x"), "/data", json!({"other": "3"}))).await;
    s.compares_managers = true;
    s.kubectl(&["get", "cm", "x", "-o", "yaml", "--show-managed-fields"]).await;
}

async fn fields_of_another_manager(s: &mut Session) {
    apply(s, &["--field-manager=one"], &config_map("x")).await;
    let other = with(config_map("x"), "/data/key", "2");
    apply(s, &["--field-manager=two"], &other).await;
    apply(s, &["--field-manager=two", "--force-conflicts"], &other).await;
    apply(s, &["--field-manager=one"], &config_map("x")).await;
    s.kubectl(&["get", "cm", "x", "-o", "jsonpath={.data.key}"]).await;
}

async fn what_a_schema_does_not_know(s: &mut Session) {
    with_things(s, things::crd()).await;
    let unknown = with(things::thing("x"), "/spec/unknown", 1);
    for validate in ["--validate=strict", "--validate=warn", "--validate=ignore"] {
        apply(s, &[validate], &unknown).await;
    }
    s.kubectl(&["get", THINGS, "x", "-o", "yaml"]).await;
}

async fn what_a_built_in_type_does_not_know(s: &mut Session) {
    let unknown = with(config_map("x"), "/unknown", 1);
    for validate in ["--validate=strict", "--validate=warn", "--validate=ignore"] {
        apply(s, &[validate], &unknown).await;
    }
    apply(s, &[], &with(config_map("x"), "/data/key", 1)).await;
}

async fn what_a_schema_forbids(s: &mut Session) {
    with_things(s, things::crd()).await;
    apply(s, &[], &with(things::thing("x"), "/spec/replicas", "two")).await;
    apply(s, &[], &with(things::thing("x"), "/spec/replicas", -1)).await;
    apply(s, &[], &with(things::thing("X!"), "/spec/replicas", 1)).await;
}

/// Also what has no schema of its own for it.
async fn replicas_that_make_no_sense(s: &mut Session) {
    let scale = json!({
        "specReplicasPath": ".spec.count", "statusReplicasPath": ".status.count", "labelSelectorPath": ".status.selector",
    });
    let crd = with(things::crd(), "/spec/versions/0/subresources/scale", scale);
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    with_things(s, with(crd, "/spec/versions/0/schema/openAPIV3Schema/properties/spec", open)).await;
    for count in [json!(-1), json!(3_000_000_000_i64), json!("many"), json!(true), json!({"a": 1}), json!(2)] {
        apply(s, &["--force-conflicts"], &with(things::thing("x"), "/spec/count", count)).await;
    }
    for status in
        [json!({"count": -1}), json!({"selector": 3}), json!({"count": "x", "selector": []}), json!({"count": 1})]
    {
        let patch = json!({ "status": status }).to_string();
        s.kubectl(&["patch", THINGS, "x", "--type=merge", "--subresource=status", "-p", &patch]).await;
    }
}

async fn many_objects_at_once(s: &mut Session) {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [config_map("a"), config_map("b")]});
    apply(s, &[], &list).await;
    let documents = format!("{}\n---\n{}\n---\n", config_map("b"), config_map("c"));
    s.kubectl_with(&["apply", "--server-side", "-f", "-"], &documents).await;
    s.kubectl(&["get", "cm"]).await;
}

async fn a_dry_run(s: &mut Session) {
    apply(s, &["--dry-run=server"], &config_map("x")).await;
    s.kubectl(&["get", "cm", "x"]).await;
    apply(s, &[], &config_map("x")).await;
    apply(s, &["--dry-run=server", "-o", "yaml"], &with(config_map("x"), "/data/key", "2")).await;
    s.kubectl(&["get", "cm", "x", "-o", "jsonpath={.data.key}"]).await;
}

async fn to_a_namespace_that_is_not_there(s: &mut Session) {
    apply(s, &["--namespace", "not-there"], &config_map("x")).await;
    apply(s, &[], &with(config_map("x"), "/metadata/namespace", "another")).await;
}

async fn a_kind_that_is_not_there(s: &mut Session) {
    apply(s, &[], &things::thing("x")).await;
    apply(s, &[], &with(config_map("x"), "/kind", "Nobody")).await;
    s.kubectl_with(&["apply", "--server-side", "-f", "-"], "kind: [").await;
    s.kubectl_with(&["apply", "--server-side", "-f", "-"], "a: b").await;
}

async fn a_crd_and_its_object(s: &mut Session) {
    apply(s, &[], &things::crd()).await;
    s.kubectl(&["wait", "--for=condition=Established", "crd/things.$ns.example.com"]).await;
    s.kubectl_until(&["get", THINGS]).await;
    apply(s, &[], &things::thing("x")).await;
    s.kubectl(&["get", THINGS, "x", "-o", "yaml"]).await;
}

async fn a_status(s: &mut Session) {
    with_things(s, things::crd()).await;
    apply(s, &[], &things::thing("x")).await;
    let status = with(things::thing("x"), "/status", json!({"phase": "Ready"}));
    apply(s, &["--subresource=status"], &status).await;
    s.kubectl(&["get", THINGS, "x", "-o", "jsonpath={.status.phase}"]).await;
}

async fn what_it_prints(s: &mut Session) {
    for format in ["name", "json", "yaml", "jsonpath={.metadata.name}"] {
        apply(s, &["-o", format], &config_map("x")).await;
    }
}

/// Custom resources are merged by kubectl itself: this needs no strategic merge.
async fn an_object_that_is_applied_by_the_client(s: &mut Session) {
    with_things(s, things::crd()).await;
    for object in [things::thing("x"), things::thing("x"), with(things::thing("x"), "/spec/replicas", 3)] {
        s.kubectl_with(&["apply", "-f", "-"], &object.to_string()).await;
    }
    s.kubectl_with(&["apply", "-f", "-"], &with(things::thing("x"), "/spec", json!({"title": "t"})).to_string()).await;
    s.kubectl(&["get", THINGS, "x", "-o", "yaml"]).await;
}

async fn from_the_client_to_the_server_and_back(s: &mut Session) {
    with_things(s, things::crd()).await;
    s.compares_managers = true;
    s.kubectl_with(&["apply", "-f", "-"], &things::thing("x").to_string()).await;
    apply(s, &[], &with(things::thing("x"), "/spec/replicas", 3)).await;
    s.kubectl(&["get", THINGS, "x", "-o", "yaml", "--show-managed-fields"]).await;
    apply(s, &[], &with(things::thing("x"), "/spec", json!({"title": "t"}))).await;
    s.kubectl_with(&["apply", "-f", "-"], &with(things::thing("x"), "/spec/replicas", 4).to_string()).await;
    s.kubectl(&["get", THINGS, "x", "-o", "yaml", "--show-managed-fields"]).await;
}

async fn what_others_changed_is_not_taken_over(s: &mut Session) {
    with_things(s, things::crd()).await;
    s.kubectl_with(&["apply", "-f", "-"], &things::thing("x").to_string()).await;
    s.kubectl(&["patch", THINGS, "x", "--type=merge", "-p", r#"{"spec": {"replicas": 2}}"#, "--field-manager=other"])
        .await;
    apply(s, &["--field-manager=another"], &with(things::thing("x"), "/spec/replicas", 3)).await;
    apply(s, &[], &with(things::thing("x"), "/spec/replicas", 3)).await;
    s.kubectl(&["get", THINGS, "x", "-o", "jsonpath={.spec.replicas}"]).await;
}
