//! CustomResourceDefinitions: what is accepted as one, what it serves, and what becomes of its objects.

use serde_json::json;

use super::things::{self, CRD, CRDS, X, of_spec, thing};
use super::with;
use crate::ask::Ask;
use crate::case::cases;
use crate::session::Session;

cases!("crds":
    a_crd_becomes_established,
    a_deleted_crd_takes_its_objects_with_it,
    a_watch_of_a_kind_that_goes,
    a_crd_that_changes,
    a_crd_whose_names_are_taken,
    a_crd_whose_name_does_not_fit,
    a_crd_without_schema,
    a_crd_without_storage_version,
    a_crd_of_a_schema_that_is_not_structural,
    two_versions_of_one_kind,
    two_versions_of_other_schemas,
    a_version_that_is_not_served,
    a_changed_schema_is_used,
    cluster_scoped_custom_objects,
    a_table_of_custom_objects,
    selectable_fields,
);

async fn a_crd_becomes_established(s: &mut Session) {
    s.post(CRDS, things::crd()).await;
    s.until_it_is(CRD, |crd| {
        let conditions = crd["status"]["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Established" && one["status"] == "True"))
    })
    .await;
    s.post(CRDS, things::crd()).await;
}

async fn a_deleted_crd_takes_its_objects_with_it(s: &mut Session) {
    s.install(things::crd()).await;
    s.post(things::ALL, thing("x")).await;
    s.delete(CRD).await;
    s.until(CRD, 404).await;
    s.until(things::ALL, 404).await;
}

async fn a_watch_of_a_kind_that_goes(s: &mut Session) {
    s.install(things::crd()).await;
    s.post(things::ALL, thing("x")).await;
    let mut watch = s.watch(format!("{}?watch=true", things::ALL)).await;
    s.event(&mut watch).await;
    s.delete(CRD).await;
    s.event(&mut watch).await;
    s.end_of(&mut watch).await;
}

async fn a_crd_that_changes(s: &mut Session) {
    s.install(things::crd()).await;
    s.merge(CRD, json!({"spec": {"scope": "Cluster"}})).await;
    s.merge(CRD, json!({"spec": {"group": "other.example.com"}})).await;
    s.merge(CRD, json!({"spec": {"names": {"kind": "Other"}}})).await;
    s.merge(CRD, json!({"spec": {"names": {"shortNames": ["th"], "categories": ["all"]}}})).await;
    s.merge(CRD, json!({"spec": {"versions": []}})).await;
    s.merge(CRD, json!({"metadata": {"labels": {"a": "b"}}})).await;
    s.put(CRD, things::crd()).await;
}

async fn a_crd_whose_names_are_taken(s: &mut Session) {
    s.install(things::crd()).await;
    let mut crd = things::crd();
    crd["metadata"]["name"] = "others.$ns.example.com".into();
    crd["spec"]["names"] = json!({"kind": "Thing", "plural": "others", "singular": "other", "listKind": "OtherList"});
    s.post(CRDS, crd).await;
    s.until_it_is(format!("{CRDS}/others.$ns.example.com"), |crd| {
        crd["status"]["conditions"].as_array().is_some_and(|all| all.iter().any(|one| one["type"] == "NamesAccepted"))
    })
    .await;
    s.get("/apis/$ns.example.com/v1/namespaces/$ns/others").await;
}

async fn a_crd_whose_name_does_not_fit(s: &mut Session) {
    s.post(CRDS, with(things::crd(), "/metadata/name", "others.$ns.example.com")).await;
    s.post(CRDS, with(things::crd(), "/spec/group", "nodots")).await;
    s.post(CRDS, with(things::crd(), "/spec/scope", "Galaxy")).await;
}

async fn a_crd_without_schema(s: &mut Session) {
    let mut crd = things::crd();
    crd["spec"]["versions"][0].as_object_mut().expect("an object").remove("schema");
    s.post(CRDS, crd).await;
}

async fn a_crd_without_storage_version(s: &mut Session) {
    s.post(CRDS, with(things::crd(), "/spec/versions/0/storage", false)).await;
    s.post(CRDS, with(things::crd(), "/spec/versions", json!([]))).await;
}

async fn a_crd_of_a_schema_that_is_not_structural(s: &mut Session) {
    s.post(CRDS, of_spec(&json!({"a": {}}))).await;
    s.post(CRDS, of_spec(&json!({"a": {"type": "thing"}}))).await;
    s.post(CRDS, of_spec(&json!({"a": {"type": "array"}}))).await;
    s.post(CRDS, of_spec(&json!({"a": {"type": "integer", "default": "x"}}))).await;
}

async fn two_versions_of_one_kind(s: &mut Session) {
    s.compares_managers = true;
    let mut crd = things::crd();
    let mut beta = crd["spec"]["versions"][0].clone();
    beta["name"] = "v1beta1".into();
    beta["storage"] = false.into();
    crd["spec"]["versions"].as_array_mut().expect("a list").push(beta);
    s.install(crd).await;
    s.post(things::ALL, thing("x")).await;
    let beta = "/apis/$ns.example.com/v1beta1/namespaces/$ns/things";
    s.get(format!("{beta}/x")).await;
    s.get(beta).await;
    s.merge(format!("{beta}/x"), json!({"spec": {"replicas": 2}})).await;
    s.get(X).await;
    s.post(beta, thing("y")).await;
}

async fn two_versions_of_other_schemas(s: &mut Session) {
    let mut crd = things::crd();
    let mut beta = crd["spec"]["versions"][0].clone();
    beta["name"] = "v1beta1".into();
    beta["storage"] = false.into();
    beta["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] = json!({
        "replicas": {"type": "integer"}, "title": {"type": "string", "default": "of the beta"}, "more": {"type": "string", "default": "m"},
    });
    beta["additionalPrinterColumns"] = json!([{"name": "More", "type": "string", "jsonPath": ".spec.more"}]);
    crd["spec"]["versions"].as_array_mut().expect("a list").push(beta);
    s.install(crd).await;
    let all = "/apis/$ns.example.com/v1beta1/namespaces/$ns/things";
    let beta = |name: &str| with(thing(name), "/apiVersion", "$ns.example.com/v1beta1");
    s.post(things::ALL, with(thing("x"), "/spec/tags", json!(["a"]))).await;
    let mut watch = s.watch(format!("{all}?watch=true")).await;
    s.event(&mut watch).await;
    s.get(format!("{all}/x")).await;
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    s.ask(Ask::get(all).header("accept", table)).await;
    s.apply(format!("{all}/x?fieldManager=a&force=true"), with(beta("x"), "/spec/replicas", 3)).await;
    s.get(X).await;
    s.merge(format!("{all}/x/status"), json!({"status": {"ready": true}})).await;
    s.event(&mut watch).await;
    s.event(&mut watch).await;
    s.post(all, beta("y")).await;
    s.get(things::ALL).await;
    s.delete(format!("{all}/x")).await;
}

async fn a_version_that_is_not_served(s: &mut Session) {
    let mut crd = things::crd();
    let mut old = crd["spec"]["versions"][0].clone();
    old["name"] = "v1alpha1".into();
    old["storage"] = false.into();
    old["served"] = false.into();
    crd["spec"]["versions"].as_array_mut().expect("a list").push(old);
    s.install(crd).await;
    s.get("/apis/$ns.example.com/v1alpha1/namespaces/$ns/things").await;
    s.get("/apis/$ns.example.com/v7/namespaces/$ns/things").await;
    s.get("/apis/$ns.example.com/v1/namespaces/$ns/others").await;
}

async fn a_changed_schema_is_used(s: &mut Session) {
    s.install(things::crd()).await;
    let colour = json!({"spec": {"versions": [{
        "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "colour": {"type": "string", "default": "green"}}}}}},
    }]}});
    s.merge(CRD, colour).await;
    // The real server takes up the change some time later.
    s.until_made(&format!("{}?dryRun=All", things::ALL), thing("probe"), |made| made["spec"]["colour"] == "green")
        .await;
    s.post(things::ALL, thing("x")).await;
}

async fn cluster_scoped_custom_objects(s: &mut Session) {
    s.install(with(things::crd(), "/spec/scope", "Cluster")).await;
    s.post("/apis/$ns.example.com/v1/things", thing("x")).await;
    s.get("/apis/$ns.example.com/v1/things").await;
    s.get("/apis/$ns.example.com/v1/things/x").await;
    s.get("/apis/$ns.example.com/v1/namespaces/$ns/things/x").await;
}

async fn a_table_of_custom_objects(s: &mut Session) {
    let mut crd = things::crd();
    crd["spec"]["versions"][0]["additionalPrinterColumns"] = json!([
        {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
        {"name": "Title", "type": "string", "jsonPath": ".spec.title", "priority": 1, "description": "What it says."},
        {"name": "Ready", "type": "string", "jsonPath": ".status.ready"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]);
    s.install(crd).await;
    s.post(things::ALL, thing("x")).await;
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    for path in [things::ALL, X] {
        s.ask(Ask::get(path).header("accept", table)).await;
        s.ask(Ask::get(format!("{path}?includeObject=None")).header("accept", table)).await;
    }
}

async fn selectable_fields(s: &mut Session) {
    let mut crd = things::crd();
    crd["spec"]["versions"][0]["selectableFields"] = json!([{"jsonPath": ".spec.title"}]);
    s.install(crd).await;
    s.post(things::ALL, with(thing("x"), "/spec/title", "one")).await;
    s.post(things::ALL, with(thing("y"), "/spec/title", "two")).await;
    s.ask(Ask::get(things::ALL).query("fieldSelector", "spec.title=one")).await;
    s.ask(Ask::get(things::ALL).query("fieldSelector", "spec.replicas=1")).await;
}
