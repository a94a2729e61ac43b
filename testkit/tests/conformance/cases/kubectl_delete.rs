//! `kubectl delete`, and how long it waits.

use serde_json::json;

use super::kubectl_get::{THINGS, with_things};
use super::{CONFIG_MAPS, config_map, things, with};
use crate::case::cases;
use crate::session::Session;

cases!("kubectl delete":
    by_name_by_label_and_all,
    from_a_file,
    what_is_gone_already,
    a_dry_run_of_a_deletion,
    at_once,
    it_waits_for_finalizers,
    it_gives_up_waiting,
    orphans_are_left_alone,
    dependents_go_first,
    a_namespace_with_what_is_in_it,
    a_crd_with_its_objects,
);

async fn by_name_by_label_and_all(s: &mut Session) {
    for (name, colour) in [("a", "red"), ("b", "red"), ("c", "green"), ("d", "green"), ("e", "green")] {
        s.post(CONFIG_MAPS, with(config_map(name), "/metadata/labels", json!({ "colour": colour }))).await;
    }
    s.kubectl(&["delete", "cm", "c", "d"]).await;
    s.kubectl(&["delete", "cm", "--selector=colour=red"]).await;
    s.kubectl(&["delete", "cm", "--selector=colour=red"]).await;
    s.kubectl(&["delete", "cm/e", "-o", "name"]).await;
    s.post(CONFIG_MAPS, config_map("f")).await;
    s.kubectl(&["delete", "cm", "--all"]).await;
    s.kubectl(&["get", "cm"]).await;
}

async fn from_a_file(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("a")).await;
    let file = format!("{}\n---\n{}", config_map("a"), config_map("b"));
    s.kubectl_with(&["delete", "-f", "-"], &file).await;
    s.kubectl_with(&["delete", "-f", "-", "--ignore-not-found"], &file).await;
}

async fn what_is_gone_already(s: &mut Session) {
    s.kubectl(&["delete", "cm", "gone"]).await;
    s.kubectl(&["delete", "cm", "gone", "--ignore-not-found"]).await;
    s.kubectl(&["delete", "nobody", "gone"]).await;
    s.kubectl(&["delete", "cm"]).await;
}

async fn a_dry_run_of_a_deletion(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.kubectl(&["delete", "cm", "x", "--dry-run=server"]).await;
    s.kubectl(&["delete", "cm", "x", "--dry-run=client"]).await;
    s.kubectl(&["get", "cm", "x", "-o", "name"]).await;
}

async fn at_once(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.kubectl(&["delete", "cm", "x", "--grace-period=0", "--force"]).await;
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.kubectl(&["delete", "cm", "x", "--now"]).await;
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.kubectl(&["delete", "--raw", "/api/v1/namespaces/$ns/configmaps/x"]).await;
}

async fn held(s: &mut Session) {
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/finalizers", json!(["example.com/held"]))).await;
}

async fn it_waits_for_finalizers(s: &mut Session) {
    held(s).await;
    let deletion = s.kubectl_start(&["delete", "cm", "x"], "").await;
    s.until_it_is(format!("{CONFIG_MAPS}/x"), |object| object["metadata"]["deletionTimestamp"].is_string()).await;
    s.kubectl(&["patch", "cm", "x", "--type=merge", "-p", r#"{"metadata": {"finalizers": null}}"#]).await;
    s.kubectl_end(deletion).await;
    s.kubectl(&["get", "cm", "x"]).await;
}

async fn it_gives_up_waiting(s: &mut Session) {
    held(s).await;
    s.kubectl(&["delete", "cm", "x", "--wait=false"]).await;
    s.kubectl(&["delete", "cm", "x", "--timeout=1s"]).await;
    s.kubectl(&["get", "cm", "x", "-o", "jsonpath={.metadata.finalizers}"]).await;
}

async fn family(s: &mut Session) {
    let owner = s.post(CONFIG_MAPS, config_map("owner")).await;
    let reference = json!([{
        "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid(), "blockOwnerDeletion": true,
    }]);
    s.post(CONFIG_MAPS, with(config_map("dependent"), "/metadata/ownerReferences", reference)).await;
}

async fn orphans_are_left_alone(s: &mut Session) {
    family(s).await;
    s.kubectl(&["delete", "cm", "owner", "--cascade=orphan"]).await;
    s.until_it_is(format!("{CONFIG_MAPS}/dependent"), |object| object["metadata"]["ownerReferences"].is_null()).await;
}

async fn dependents_go_first(s: &mut Session) {
    family(s).await;
    s.kubectl(&["delete", "cm", "owner", "--cascade=foreground"]).await;
    s.kubectl(&["get", "cm"]).await;
}

async fn a_namespace_with_what_is_in_it(s: &mut Session) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "$ns-2"}});
    s.kubectl_with(&["create", "-f", "-"], &namespace.to_string()).await;
    s.kubectl_with(&["create", "--namespace=$ns-2", "-f", "-"], &config_map("x").to_string()).await;
    s.kubectl(&["delete", "namespace", "$ns-2"]).await;
    s.kubectl(&["get", "namespace", "$ns-2"]).await;
}

async fn a_crd_with_its_objects(s: &mut Session) {
    with_things(s, things::crd()).await;
    s.post(things::ALL, things::thing("x")).await;
    s.kubectl(&["delete", "crd", THINGS]).await;
    s.kubectl(&["get", "crd", THINGS]).await;
}
