//! Label and field selectors of lists.

use serde_json::json;

use super::{CONFIG_MAPS, config_map, with};
use crate::ask::Ask;
use crate::case::cases;
use crate::session::Session;

cases!("selectors":
    labels_by_equality,
    labels_by_sets,
    labels_by_presence,
    several_label_requirements,
    label_selectors_that_cannot_be_read,
    fields_by_name_and_namespace,
    fields_that_are_not_supported,
    field_selectors_that_cannot_be_read,
    fields_and_labels_together,
    selected_among_all_namespaces,
    events_by_what_they_are_about,
    pods_by_node_and_phase,
);

async fn three(s: &mut Session) {
    for (name, labels) in [
        ("green", json!({"colour": "green", "size": "2"})),
        ("none", json!({})),
        ("red", json!({"colour": "red", "size": "10", "example.com/owner": "x"})),
    ] {
        s.post(CONFIG_MAPS, with(config_map(name), "/metadata/labels", labels)).await;
    }
}

async fn list(s: &mut Session, parameter: &str, selectors: &[&str]) {
    for selector in selectors {
        s.ask(Ask::get(CONFIG_MAPS).query(parameter, selector)).await;
    }
}

async fn labels_by_equality(s: &mut Session) {
    three(s).await;
    list(s, "labelSelector", &["colour=green", "colour==green", "colour!=green", "colour=", "absent!=x"]).await;
}

async fn labels_by_sets(s: &mut Session) {
    three(s).await;
    let selectors = ["colour in (green, red)", "colour notin (green)", "colour in ()", "size>5", "size<5", "size > x"];
    list(s, "labelSelector", &selectors).await;
}

async fn labels_by_presence(s: &mut Session) {
    three(s).await;
    list(s, "labelSelector", &["colour", "!colour", "example.com/owner", "! example.com/owner"]).await;
}

async fn several_label_requirements(s: &mut Session) {
    three(s).await;
    list(s, "labelSelector", &["colour,size=10", "colour=red,colour=green", " colour = red , size in (10,2)", ""])
        .await;
}

async fn label_selectors_that_cannot_be_read(s: &mut Session) {
    for selector in ["colour in", "=", "colour=not a value", "colour in (a", "a b", ",", "colour=x,", "/=x", "!"] {
        s.ask(Ask::get(CONFIG_MAPS).query("labelSelector", selector)).await;
    }
}

async fn fields_by_name_and_namespace(s: &mut Session) {
    three(s).await;
    let selectors = [
        "metadata.name=red",
        "metadata.name==red",
        "metadata.name!=red",
        "metadata.namespace=$ns",
        "metadata.namespace=x",
        "metadata.name=red,metadata.namespace=$ns",
        "metadata.name=red,metadata.name=green",
        "",
    ];
    list(s, "fieldSelector", &selectors).await;
}

async fn fields_that_are_not_supported(s: &mut Session) {
    list(s, "fieldSelector", &["data.key=1", "metadata.uid=x", "spec.nodeName=x", "metadata.name=x,data.key!=1"]).await;
    s.ask(Ask::new("DELETE", CONFIG_MAPS).query("fieldSelector", "data.key=1")).await;
    s.ask(Ask::get(CONFIG_MAPS).query("fieldSelector", "data.key=1").query("watch", "true")).await;
}

async fn field_selectors_that_cannot_be_read(s: &mut Session) {
    list(s, "fieldSelector", &["metadata.name", "=", "metadata.name>x", ",", "metadata.name=a\\"]).await;
}

async fn fields_and_labels_together(s: &mut Session) {
    three(s).await;
    s.ask(Ask::get(CONFIG_MAPS).query("fieldSelector", "metadata.name!=red").query("labelSelector", "colour")).await;
}

async fn selected_among_all_namespaces(s: &mut Session) {
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/labels", json!({"case": "selected-among-all"}))).await;
    s.ask(Ask::get("/api/v1/configmaps").query("labelSelector", "case=selected-among-all")).await;
    s.ask(Ask::get("/api/v1/configmaps").query("fieldSelector", "metadata.namespace=$ns")).await;
    s.ask(Ask::get("/api/v1/namespaces").query("fieldSelector", "metadata.name=$ns")).await;
}

async fn events_by_what_they_are_about(s: &mut Session) {
    const EVENTS: &str = "/api/v1/namespaces/$ns/events";
    let event = |name: &str, about: &str| {
        json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "reason": "Made", "message": "made", "type": "Normal",
            "involvedObject": {"apiVersion": "v1", "kind": "ConfigMap", "name": about, "namespace": "$ns"},
            "firstTimestamp": "2025-01-01T00:00:00Z", "lastTimestamp": "2025-01-01T00:00:00Z", "count": 1,
            "source": {"component": "conformance"},
        })
    };
    s.post(EVENTS, event("a", "x")).await;
    s.post(EVENTS, event("b", "y")).await;
    s.ask(Ask::get(EVENTS).query("fieldSelector", "involvedObject.name=x,involvedObject.kind=ConfigMap")).await;
    s.ask(Ask::get(EVENTS).query("fieldSelector", "reason=Made,type!=Normal")).await;
}

async fn pods_by_node_and_phase(s: &mut Session) {
    const PODS: &str = "/api/v1/namespaces/$ns/pods";
    s.ask(Ask::get(PODS).query("fieldSelector", "spec.nodeName=a,status.phase!=Running")).await;
    s.ask(Ask::get(PODS).query("fieldSelector", "spec.containers=a")).await;
}
