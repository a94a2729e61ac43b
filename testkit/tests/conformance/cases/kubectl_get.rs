//! What `kubectl get` and its kin show.

use serde_json::json;

use super::{CONFIG_MAPS, config_map, things, with};
use crate::case::cases;
use crate::session::Session;

cases!("kubectl get":
    tables_and_how_they_are_chosen_from,
    tables_of_custom_objects,
    objects_as_yaml_and_json,
    names_columns_and_templates,
    several_kinds_at_once,
    over_all_namespaces,
    in_pages,
    what_is_not_there,
    selectors_that_are_wrong,
    rows_as_they_come,
    events_as_they_come,
    a_subresource,
    the_server_and_what_it_has,
    an_explanation,
);

/// Those of the case; other cases have things of their own.
pub(super) const THINGS: &str = "things.$ns.example.com";

/// Registers the CRD, and waits until kubectl knows of it.
pub(super) async fn with_things(s: &mut Session, crd: serde_json::Value) {
    s.install(crd).await;
    s.kubectl_until(&["get", THINGS]).await;
}

async fn two(s: &mut Session) {
    s.post(CONFIG_MAPS, with(config_map("a"), "/metadata/labels", json!({"colour": "green"}))).await;
    s.post(CONFIG_MAPS, with(config_map("b"), "/data/more", "2")).await;
}

async fn tables_and_how_they_are_chosen_from(s: &mut Session) {
    two(s).await;
    for words in [
        ["configmaps", "--show-labels"],
        ["cm", "-owide"],
        ["cm/a", "cm/b"],
        ["cm", "--no-headers"],
        ["cm", "--selector=colour=green"],
        ["cm", "--selector=colour!=green"],
        ["cm", "--field-selector=metadata.name=b"],
        ["cm", "--label-columns=colour"],
        ["cm", "--sort-by={.metadata.resourceVersion}"],
        ["configmap", "a"],
        ["configmaps.v1.", "a"],
    ] {
        s.kubectl(&[&["get"], words.as_slice()].concat()).await;
    }
}

async fn tables_of_custom_objects(s: &mut Session) {
    let crd = with(
        things::crd(),
        "/spec/versions/0/additionalPrinterColumns",
        json!([
            {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
            {"name": "Title", "type": "string", "jsonPath": ".spec.title", "priority": 1},
            {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"},
            {"name": "Since", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ]),
    );
    with_things(s, crd).await;
    s.post(things::ALL, things::thing("x")).await;
    s.kubectl(&["get", THINGS]).await;
    s.kubectl(&["get", THINGS, "-o", "wide"]).await;
    s.kubectl(&["get", THINGS, "x", "--no-headers"]).await;
}

async fn objects_as_yaml_and_json(s: &mut Session) {
    two(s).await;
    s.kubectl(&["get", "cm", "a", "-o", "yaml"]).await;
    s.kubectl(&["get", "cm", "a", "-o", "json"]).await;
    s.kubectl(&["get", "cm", "-o", "json"]).await;
    s.kubectl(&["get", "cm", "-o", "yaml", "--selector", "colour"]).await;
}

async fn names_columns_and_templates(s: &mut Session) {
    two(s).await;
    s.kubectl(&["get", "cm", "-o", "name"]).await;
    s.kubectl(&["get", "cm", "-o", "jsonpath={range .items[*]}{.metadata.name}={.data.key}{\"\\n\"}{end}"]).await;
    s.kubectl(&["get", "cm", "-o", "custom-columns=NAME:.metadata.name,MORE:.data.more"]).await;
    s.kubectl(&["get", "cm", "a", "-o", "go-template={{.data.key}}"]).await;
}

async fn several_kinds_at_once(s: &mut Session) {
    two(s).await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "type": "Opaque", "data": {"a": "Yg=="}});
    s.post("/api/v1/namespaces/$ns/secrets", secret).await;
    s.kubectl(&["get", "cm,secrets"]).await;
    s.kubectl(&["get", "cm/a", "secret/s", "-o", "name"]).await;
}

async fn over_all_namespaces(s: &mut Session) {
    two(s).await;
    s.kubectl(&["get", "cm", "-A", "--field-selector=metadata.namespace=$ns"]).await;
    s.kubectl(&["get", "namespace", "$ns"]).await;
}

async fn in_pages(s: &mut Session) {
    for name in ["a", "b", "c", "d", "e"] {
        s.post(CONFIG_MAPS, config_map(name)).await;
    }
    s.kubectl(&["get", "cm", "--chunk-size=2"]).await;
    s.kubectl(&["get", "cm", "--chunk-size=2", "-o", "name"]).await;
}

async fn what_is_not_there(s: &mut Session) {
    s.kubectl(&["get", "cm"]).await;
    s.kubectl(&["get", "cm", "-o", "yaml"]).await;
    s.kubectl(&["get", "cm", "gone"]).await;
    s.kubectl(&["get", "cm", "gone", "--ignore-not-found"]).await;
    s.kubectl(&["get", "nobodies"]).await;
    s.kubectl(&["get", "cm", "--namespace", "not-there"]).await;
    s.kubectl(&["get", "--raw", "/apis/not-there"]).await;
}

async fn selectors_that_are_wrong(s: &mut Session) {
    s.kubectl(&["get", "cm", "--selector", "colour in"]).await;
    s.kubectl(&["get", "cm", "--field-selector", "data.key=1"]).await;
    s.kubectl(&["get", "cm", "--field-selector", "data.key"]).await;
}

async fn rows_as_they_come(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("a")).await;
    let mut rows = s.kubectl_start(&["get", "cm", "--watch"], "").await;
    for _ in ["the header", "a"] {
        s.kubectl_line(&mut rows).await;
    }
    s.post(CONFIG_MAPS, config_map("b")).await;
    s.kubectl_line(&mut rows).await;
    s.merge(format!("{CONFIG_MAPS}/b"), json!({"data": {"more": "2"}})).await;
    s.kubectl_line(&mut rows).await;
}

async fn events_as_they_come(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("a")).await;
    let words =
        ["get", "cm", "--watch", "--output-watch-events", "-o", "jsonpath={.type} {.object.metadata.name}{\"\\n\"}"];
    let mut events = s.kubectl_start(&words, "").await;
    s.kubectl_line(&mut events).await;
    s.post(CONFIG_MAPS, config_map("b")).await;
    s.kubectl_line(&mut events).await;
    s.delete(format!("{CONFIG_MAPS}/a")).await;
    s.kubectl_line(&mut events).await;
}

async fn a_subresource(s: &mut Session) {
    with_things(s, things::crd()).await;
    s.post(things::ALL, things::thing("x")).await;
    s.merge(format!("{}/x/status", things::ALL), json!({"status": {"phase": "Ready"}})).await;
    s.kubectl(&["get", THINGS, "x", "--subresource=status", "-o", "jsonpath={.status.phase}"]).await;
    s.kubectl(&["get", THINGS, "x", "--subresource=scale"]).await;
}

async fn the_server_and_what_it_has(s: &mut Session) {
    s.kubectl(&["version"]).await;
    for group in ["apps", "coordination.k8s.io", "rbac.authorization.k8s.io", "apiextensions.k8s.io", ""] {
        s.kubectl(&["api-resources", "--api-group", group, "-o", "wide"]).await;
    }
    s.kubectl(&["cluster-info"]).await;
    s.kubectl(&["get", "--raw", "/readyz"]).await;
}

async fn an_explanation(s: &mut Session) {
    with_things(s, things::crd()).await;
    s.kubectl_until(&["explain", THINGS]).await;
    s.kubectl(&["explain", "things.$ns.example.com.spec"]).await;
    s.kubectl(&["explain", "things.spec.replicas", "--api-version=$ns.example.com/v1"]).await;
    s.kubectl(&["explain", "things.spec.nothing", "--api-version=$ns.example.com/v1"]).await;
}
