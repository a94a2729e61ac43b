//! Strategic merge patches, as client-side `kubectl apply`, `edit`, `label` and `patch` send them.

use serde_json::{Value, json};

use super::things::{self, DEPLOYMENTS, container, deployment};
use super::{CONFIG_MAPS, config_map, with};
use crate::ask::Ask;
use crate::case::cases;
use crate::session::{Answer, Session};

cases!("strategic":
    containers_are_merged_by_name,
    a_container_is_taken_out,
    containers_are_put_in_order,
    containers_are_replaced,
    env_and_ports_are_merged_by_their_keys,
    a_list_without_merge_key_is_replaced,
    finalizers_are_merged_and_taken_out,
    owner_references_are_merged,
    a_strategy_retains_what_is_named,
    volumes_change_their_source,
    a_map_is_replaced_or_emptied,
    labels_and_annotations_come_and_go,
    conditions_are_merged_by_type,
    ports_of_a_service,
    a_patch_that_changes_nothing,
    a_patch_as_client_side_apply_sends_it,
    directives_that_make_no_sense,
    items_without_their_key,
    values_of_another_type,
    a_patch_that_is_no_object,
    a_patch_of_an_old_version,
    a_patch_of_a_custom_object,
);

const X: &str = "/apis/apps/v1/namespaces/$ns/deployments/x";
const MAP: &str = "/api/v1/namespaces/$ns/configmaps/x";

async fn strategic(s: &mut Session, path: &str, patch: Value) -> Answer {
    s.ask(Ask::new("PATCH", path).text("application/strategic-merge-patch+json", &patch.to_string())).await
}

/// A patch of the pods that `X` is to have.
async fn pods(s: &mut Session, patch: Value) {
    strategic(s, X, json!({"spec": {"template": {"spec": patch}}})).await;
}

async fn two_containers(s: &mut Session) {
    s.post(DEPLOYMENTS, deployment("x", &[container("a"), container("b")])).await;
}

async fn containers_are_merged_by_name(s: &mut Session) {
    two_containers(s).await;
    pods(s, json!({"containers": [{"name": "b", "image": "example.com/image:2"}, container("c")]})).await;
    pods(s, json!({"containers": [{"name": "a", "command": ["x", "y"]}]})).await;
    pods(s, json!({"containers": [{"name": "a", "command": null}]})).await;
}

async fn a_container_is_taken_out(s: &mut Session) {
    two_containers(s).await;
    pods(s, json!({"containers": [{"name": "a", "$patch": "delete"}]})).await;
    pods(s, json!({"containers": [{"name": "nobody", "$patch": "delete"}]})).await;
}

async fn containers_are_put_in_order(s: &mut Session) {
    two_containers(s).await;
    pods(s, json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]})).await;
    let order = json!([{"name": "c"}, {"name": "a"}, {"name": "b"}]);
    pods(s, json!({"$setElementOrder/containers": order, "containers": [container("c")]})).await;
    // One that the patch does not know keeps its neighbours.
    pods(s, json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "c"}], "containers": [{"name": "b"}]}))
        .await;
    pods(s, json!({"$setElementOrder/containers": [{"name": "b"}], "containers": [{"name": "c", "tty": true}]})).await;
}

async fn containers_are_replaced(s: &mut Session) {
    two_containers(s).await;
    pods(s, json!({"containers": [{"$patch": "replace"}, container("c")]})).await;
    pods(s, json!({"securityContext": {"runAsUser": 1000, "runAsGroup": 1000}})).await;
    pods(s, json!({"securityContext": {"$patch": "replace", "runAsUser": 2000}})).await;
    pods(s, json!({"securityContext": {"$patch": "delete"}})).await;
}

async fn env_and_ports_are_merged_by_their_keys(s: &mut Session) {
    let mut a = container("a");
    a["env"] = json!([{"name": "ONE", "value": "1"}, {"name": "TWO", "value": "2"}]);
    a["ports"] = json!([{"name": "web", "containerPort": 80, "protocol": "TCP"}]);
    s.post(DEPLOYMENTS, deployment("x", &[a])).await;
    pods(s, json!({"containers": [{"name": "a", "env": [{"name": "TWO", "value": "22"}, {"name": "THREE", "value": "3"}]}]}))
        .await;
    pods(s, json!({"containers": [{"name": "a", "env": [{"name": "ONE", "$patch": "delete"}]}]})).await;
    pods(s, json!({"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "http"}]}]})).await;
    let another = json!({"containerPort": 443, "name": "https", "protocol": "TCP"});
    pods(s, json!({"containers": [{"name": "a", "ports": [another]}]})).await;
    let order = json!([{"containerPort": 443}, {"containerPort": 80}]);
    pods(s, json!({"containers": [{"name": "a", "$setElementOrder/ports": order}]})).await;
    pods(s, json!({"containers": [{"name": "a", "ports": null}]})).await;
}

async fn a_list_without_merge_key_is_replaced(s: &mut Session) {
    two_containers(s).await;
    pods(s, json!({"tolerations": [{"key": "a", "operator": "Exists"}]})).await;
    pods(s, json!({"tolerations": [{"key": "b", "operator": "Exists"}]})).await;
    pods(s, json!({"containers": [{"name": "a", "args": ["x"]}, {"name": "b", "args": []}]})).await;
    pods(s, json!({"containers": [{"name": "a", "args": ["y"]}]})).await;
}

async fn finalizers_are_merged_and_taken_out(s: &mut Session) {
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/finalizers", json!(["example.com/a"]))).await;
    strategic(s, MAP, json!({"metadata": {"finalizers": ["example.com/b", "example.com/a"]}})).await;
    strategic(s, MAP, json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}})).await;
    let order = json!(["example.com/c", "example.com/b"]);
    let patch = json!({"metadata": {"finalizers": ["example.com/c"], "$setElementOrder/finalizers": order}});
    strategic(s, MAP, patch).await;
    strategic(s, MAP, json!({"metadata": {"finalizers": null}})).await;
}

async fn owner_references_are_merged(s: &mut Session) {
    let reference =
        |name: &str, owner: &Answer| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": owner.uid()});
    let one = s.post(CONFIG_MAPS, config_map("one")).await;
    let two = s.post(CONFIG_MAPS, config_map("two")).await;
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/ownerReferences", json!([reference("one", &one)]))).await;
    strategic(s, MAP, json!({"metadata": {"ownerReferences": [reference("two", &two)]}})).await;
    strategic(s, MAP, json!({"metadata": {"ownerReferences": [{"uid": one.uid(), "blockOwnerDeletion": true}]}})).await;
    strategic(s, MAP, json!({"metadata": {"ownerReferences": [{"uid": one.uid(), "$patch": "delete"}]}})).await;
}

async fn a_strategy_retains_what_is_named(s: &mut Session) {
    two_containers(s).await;
    strategic(s, X, json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}})).await;
    let rolling = json!({"maxSurge": 1, "maxUnavailable": 0});
    let patch = json!({"$retainKeys": ["type", "rollingUpdate"], "type": "RollingUpdate", "rollingUpdate": rolling});
    strategic(s, X, json!({"spec": {"strategy": patch}})).await;
    strategic(s, X, json!({"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}})).await;
}

async fn volumes_change_their_source(s: &mut Session) {
    let volumes = json!([{"name": "v", "emptyDir": {}}]);
    s.post(DEPLOYMENTS, with(deployment("x", &[container("a")]), "/spec/template/spec/volumes", volumes)).await;
    let map = json!({"name": "x", "defaultMode": 420});
    pods(s, json!({"volumes": [{"name": "v", "$retainKeys": ["name", "configMap"], "configMap": map}]})).await;
}

async fn a_map_is_replaced_or_emptied(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    strategic(s, MAP, json!({"data": {"other": "2"}})).await;
    strategic(s, MAP, json!({"data": {"$patch": "replace", "third": "3"}})).await;
    strategic(s, MAP, json!({"data": {"third": null}})).await;
    strategic(s, MAP, json!({"data": {"$patch": "delete"}})).await;
    strategic(s, MAP, json!({"data": null})).await;
}

async fn labels_and_annotations_come_and_go(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    strategic(s, MAP, json!({"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d", "e": "f"}}})).await;
    strategic(s, MAP, json!({"metadata": {"labels": {"a": null}, "annotations": {"c": null}}})).await;
}

async fn conditions_are_merged_by_type(s: &mut Session) {
    two_containers(s).await;
    let condition = |kind: &str, status: &str| {
        let time = "2025-01-01T00:00:00Z";
        json!({"type": kind, "status": status, "lastTransitionTime": time, "lastUpdateTime": time, "reason": "R", "message": "M"})
    };
    let status = format!("{X}/status");
    strategic(s, &status, json!({"status": {"conditions": [condition("Available", "False")]}})).await;
    strategic(s, &status, json!({"status": {"conditions": [condition("Progressing", "True")], "replicas": 1}})).await;
    strategic(s, &status, json!({"status": {"conditions": [{"type": "Available", "status": "True"}]}})).await;
}

async fn ports_of_a_service(s: &mut Session) {
    const SERVICES: &str = "/api/v1/namespaces/$ns/services";
    let port = |port: u16| json!({"name": format!("p{port}"), "port": port, "protocol": "TCP", "targetPort": port});
    // Without a cluster IP there is nothing that the real server must make up.
    let spec = json!({
        "clusterIP": "None", "clusterIPs": ["None"], "ports": [port(80)], "sessionAffinity": "None", "type": "ClusterIP",
        "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster", "selector": {"app": "x"},
    });
    s.post(SERVICES, json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": spec})).await;
    let x = format!("{SERVICES}/x");
    strategic(s, &x, json!({"spec": {"ports": [port(443)]}})).await;
    let order = json!([{"port": 443}, {"port": 80}]);
    strategic(s, &x, json!({"spec": {"$setElementOrder/ports": order, "ports": [{"port": 80, "targetPort": 8080}]}}))
        .await;
    strategic(s, &x, json!({"spec": {"ports": [{"port": 80, "$patch": "delete"}], "selector": {"more": "y"}}})).await;
}

async fn a_patch_that_changes_nothing(s: &mut Session) {
    two_containers(s).await;
    pods(s, json!({"containers": [{"name": "a", "image": "example.com/image:1"}]})).await;
    strategic(s, X, json!({})).await;
}

async fn a_patch_as_client_side_apply_sends_it(s: &mut Session) {
    const LAST: &str = "kubectl.kubernetes.io/last-applied-configuration";
    let mut a = container("a");
    a["env"] = json!([{"name": "ONE", "value": "1"}]);
    s.post(DEPLOYMENTS, with(deployment("x", &[a, container("b")]), "/metadata/annotations", json!({LAST: "{}\n"})))
        .await;
    let containers = json!([
        {"name": "a", "$setElementOrder/env": [{"name": "TWO"}], "image": "example.com/image:2",
            "env": [{"name": "TWO", "value": "2"}, {"name": "ONE", "$patch": "delete"}]},
        {"name": "b", "$patch": "delete"},
    ]);
    let spec = json!({"$setElementOrder/containers": [{"name": "a"}], "containers": containers});
    let patch = json!({"metadata": {"annotations": {LAST: "{\"a\":1}\n"}}, "spec": {"replicas": 2, "template": {"spec": spec}}});
    strategic(s, &format!("{X}?fieldManager=kubectl-client-side-apply&fieldValidation=Strict"), patch).await;
}

async fn directives_that_make_no_sense(s: &mut Session) {
    two_containers(s).await;
    pods(s, json!({"containers": [{"name": "a", "$patch": "sing"}]})).await;
    pods(s, json!({"securityContext": {"$patch": "sing"}})).await;
    pods(s, json!({"$setElementOrder/containers": "a"})).await;
    pods(s, json!({"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "b", "tty": true}]})).await;
    strategic(s, X, json!({"spec": {"strategy": {"$retainKeys": "type"}}})).await;
    strategic(s, X, json!({"metadata": {"$deleteFromPrimitiveList/finalizers": "x"}})).await;
}

async fn items_without_their_key(s: &mut Session) {
    two_containers(s).await;
    pods(s, json!({"containers": [{"image": "example.com/image:2"}]})).await;
    pods(s, json!({"containers": ["a"]})).await;
    pods(s, json!({"containers": [{"name": "a"}, {"name": "a", "tty": true}]})).await;
}

async fn values_of_another_type(s: &mut Session) {
    two_containers(s).await;
    pods(s, json!({"containers": {"name": "a"}})).await;
    strategic(s, X, json!({"spec": {"replicas": "many"}})).await;
    strategic(s, X, json!({"spec": {"replicas": {"a": 1}}})).await;
    strategic(s, X, json!({"metadata": {"labels": ["a"]}})).await;
    strategic(s, X, json!({"spec": {"unknown": {"a": 1}}})).await;
    strategic(s, &format!("{X}?fieldValidation=Strict"), json!({"spec": {"unknown": {"a": 1}}})).await;
}

async fn a_patch_that_is_no_object(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    for patch in ["[]", "5", "{", "", "null"] {
        s.ask(Ask::new("PATCH", MAP).text("application/strategic-merge-patch+json", patch)).await;
    }
}

async fn a_patch_of_an_old_version(s: &mut Session) {
    let old = s.post(CONFIG_MAPS, config_map("x")).await;
    strategic(s, MAP, json!({"data": {"key": "2"}})).await;
    strategic(s, MAP, json!({"data": {"key": "3"}, "metadata": {"resourceVersion": old.version()}})).await;
    strategic(s, MAP, json!({"data": {"key": "3"}, "metadata": {"uid": old.uid()}})).await;
}

async fn a_patch_of_a_custom_object(s: &mut Session) {
    s.install(things::crd()).await;
    s.post(things::ALL, things::thing("x")).await;
    strategic(s, &format!("{}/x", things::ALL), json!({"spec": {"replicas": 2}})).await;
}
