//! What becomes of those that belong to a deleted object.

use serde_json::{Value, json};

use super::{CONFIG_MAPS, config_map, with};
use crate::case::cases;
use crate::session::{Answer, Session};

cases!("gc":
    children_go_after_their_owner,
    children_go_before_their_owner,
    an_owner_waits_for_a_child_that_is_held,
    orphans_stay,
    a_child_of_two_owners_loses_one,
    a_child_of_nobody_goes,
    grandchildren_go,
    an_owner_reference_that_is_incomplete,
    two_controllers_are_refused,
    propagation_that_is_unknown,
    a_namespace_goes_with_what_is_in_it,
    a_terminating_namespace_takes_nothing_new,
    a_created_namespace_is_active,
);

const OWNER: &str = "/api/v1/namespaces/$ns/configmaps/owner";
const CHILD: &str = "/api/v1/namespaces/$ns/configmaps/child";

fn reference(owner: &Answer) -> Value {
    let name = owner.body["metadata"]["name"].clone();
    json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": owner.uid(), "controller": true, "blockOwnerDeletion": true})
}

fn owned(name: &str, references: &[Value]) -> Value {
    with(config_map(name), "/metadata/ownerReferences", references.to_vec())
}

async fn family(s: &mut Session) {
    let owner = s.post(CONFIG_MAPS, config_map("owner")).await;
    s.post(CONFIG_MAPS, owned("child", &[reference(&owner)])).await;
}

async fn children_go_after_their_owner(s: &mut Session) {
    family(s).await;
    s.delete_with(OWNER, json!({"propagationPolicy": "Background"})).await;
    s.get(OWNER).await;
    s.until(CHILD, 404).await;
}

async fn children_go_before_their_owner(s: &mut Session) {
    family(s).await;
    s.delete_with(OWNER, json!({"propagationPolicy": "Foreground"})).await;
    s.until(OWNER, 404).await;
    s.get(CHILD).await;
}

async fn an_owner_waits_for_a_child_that_is_held(s: &mut Session) {
    let owner = s.post(CONFIG_MAPS, config_map("owner")).await;
    let child = owned("child", &[reference(&owner)]);
    s.post(CONFIG_MAPS, with(child, "/metadata/finalizers", json!(["example.com/a"]))).await;
    s.delete_with(OWNER, json!({"propagationPolicy": "Foreground"})).await;
    let held = |body: &Value| body["metadata"]["deletionTimestamp"].is_string();
    s.until_it_is(CHILD, held).await;
    s.get(OWNER).await;
    s.merge(CHILD, json!({"metadata": {"finalizers": null}})).await;
    s.until(OWNER, 404).await;
}

async fn orphans_stay(s: &mut Session) {
    family(s).await;
    s.delete_with(OWNER, json!({"propagationPolicy": "Orphan"})).await;
    s.until(OWNER, 404).await;
    s.get(CHILD).await;
}

async fn a_child_of_two_owners_loses_one(s: &mut Session) {
    let owner = s.post(CONFIG_MAPS, config_map("owner")).await;
    let other = s.post(CONFIG_MAPS, config_map("other")).await;
    let second = with(reference(&other), "/controller", false);
    s.post(CONFIG_MAPS, owned("child", &[reference(&owner), second])).await;
    s.delete(OWNER).await;
    s.until_it_is(CHILD, |body| body["metadata"]["ownerReferences"].as_array().is_some_and(|all| all.len() == 1)).await;
}

async fn a_child_of_nobody_goes(s: &mut Session) {
    let nobody = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "11111111-1111-4111-8111-111111111111",
    });
    s.post(CONFIG_MAPS, owned("child", &[nobody])).await;
    s.until(CHILD, 404).await;
}

async fn grandchildren_go(s: &mut Session) {
    let owner = s.post(CONFIG_MAPS, config_map("owner")).await;
    let child = s.post(CONFIG_MAPS, owned("child", &[reference(&owner)])).await;
    s.post(CONFIG_MAPS, owned("grandchild", &[reference(&child)])).await;
    s.delete(OWNER).await;
    s.until(format!("{CONFIG_MAPS}/grandchild"), 404).await;
}

async fn an_owner_reference_that_is_incomplete(s: &mut Session) {
    for gone in ["uid", "name", "kind", "apiVersion"] {
        let uid = "11111111-1111-4111-8111-111111111111";
        let mut reference = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": uid});
        reference.as_object_mut().expect("an object").remove(gone);
        s.post(CONFIG_MAPS, owned("child", &[reference])).await;
    }
}

async fn two_controllers_are_refused(s: &mut Session) {
    let owner = s.post(CONFIG_MAPS, config_map("owner")).await;
    let other = s.post(CONFIG_MAPS, config_map("other")).await;
    s.post(CONFIG_MAPS, owned("child", &[reference(&owner), reference(&other)])).await;
}

async fn propagation_that_is_unknown(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("owner")).await;
    s.delete_with(OWNER, json!({"propagationPolicy": "Sideways"})).await;
    s.delete_with(OWNER, json!({"propagationPolicy": "Background", "orphanDependents": true})).await;
    s.delete(format!("{OWNER}?propagationPolicy=Sideways")).await;
}

async fn a_namespace_goes_with_what_is_in_it(s: &mut Session) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "$ns2"}});
    s.post("/api/v1/namespaces", namespace).await;
    s.post("/api/v1/namespaces/$ns2/configmaps", config_map("x")).await;
    s.delete("/api/v1/namespaces/$ns2").await;
    s.until("/api/v1/namespaces/$ns2", 404).await;
    s.get("/api/v1/namespaces/$ns2/configmaps/x").await;
}

async fn a_terminating_namespace_takes_nothing_new(s: &mut Session) {
    s.post(CONFIG_MAPS, with(config_map("held"), "/metadata/finalizers", json!(["example.com/a"]))).await;
    s.delete("/api/v1/namespaces/$ns").await;
    s.post(CONFIG_MAPS, config_map("x")).await;
    // The real server's controller for namespaces takes its time.
    s.until_it_is(format!("{CONFIG_MAPS}/held"), |held| held["metadata"]["deletionTimestamp"].is_string()).await;
    s.merge(format!("{CONFIG_MAPS}/held"), json!({"metadata": {"finalizers": null}})).await;
    s.until("/api/v1/namespaces/$ns", 404).await;
}

async fn a_created_namespace_is_active(s: &mut Session) {
    s.get("/api/v1/namespaces/$ns").await;
    s.post("/api/v1/namespaces", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "Bad_Name"}}))
        .await;
    s.get("/api/v1/namespaces/kube-system").await;
}
