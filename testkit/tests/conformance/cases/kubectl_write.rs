//! kubectl's other ways to write.

use serde_json::json;

use super::kubectl_get::{THINGS, with_things};
use super::{CONFIG_MAPS, config_map, things, with};
use crate::case::cases;
use crate::session::Session;

cases!("kubectl write":
    create,
    create_of_a_generated_name,
    replace,
    labels_and_annotations,
    patches,
    scale,
    a_patch_by_way_of_the_status,
);

async fn create(s: &mut Session) {
    let object = config_map("x").to_string();
    s.kubectl_with(&["create", "-f", "-", "--dry-run=server"], &object).await;
    s.kubectl_with(&["create", "-f", "-"], &object).await;
    s.kubectl_with(&["create", "-f", "-"], &object).await;
    s.kubectl_with(&["create", "-f", "-"], &with(config_map("y"), "/unknown", 1).to_string()).await;
    s.kubectl_with(&["create", "-f", "-", "--validate=warn"], &with(config_map("y"), "/unknown", 1).to_string()).await;
    s.kubectl_with(&["create", "-f", "-", "-o", "yaml"], &config_map("z").to_string()).await;
    s.kubectl(&["get", "cm"]).await;
}

async fn create_of_a_generated_name(s: &mut Session) {
    let generated = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}).to_string();
    s.kubectl_with(&["create", "-f", "-", "-o", "json"], &generated).await;
    s.kubectl_with(&["apply", "-f", "-"], &generated).await;
}

async fn replace(s: &mut Session) {
    s.kubectl_with(&["replace", "-f", "-"], &config_map("x").to_string()).await;
    s.kubectl_with(&["create", "-f", "-"], &config_map("x").to_string()).await;
    s.kubectl_with(&["replace", "-f", "-"], &with(config_map("x"), "/data", json!({"other": "2"})).to_string()).await;
    let old = with(config_map("x"), "/metadata/resourceVersion", "1");
    s.kubectl_with(&["replace", "-f", "-"], &old.to_string()).await;
    s.kubectl_with(&["replace", "--force", "-f", "-"], &config_map("x").to_string()).await;
    s.kubectl(&["get", "cm", "x", "-o", "jsonpath={.data}"]).await;
}

async fn labels_and_annotations(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.kubectl(&["label", "cm", "x", "colour=green"]).await;
    s.kubectl(&["label", "cm", "x", "colour=red"]).await;
    s.kubectl(&["label", "cm", "x", "colour=red", "--overwrite"]).await;
    s.kubectl(&["label", "cm", "x", "colour=not a value", "--overwrite"]).await;
    s.kubectl(&["label", "cm", "--all", "size=2"]).await;
    s.kubectl(&["label", "cm", "x", "colour-"]).await;
    s.kubectl(&["annotate", "cm", "x", "example.com/note=a b"]).await;
    s.kubectl(&["annotate", "cm", "gone", "example.com/note=a b"]).await;
    s.kubectl(&["get", "cm", "x", "-o", "json"]).await;
}

async fn patches(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.kubectl(&["patch", "cm", "x", "--type=merge", "-p", r#"{"data": {"key": "2"}}"#]).await;
    s.kubectl(&["patch", "cm", "x", "--type=merge", "-p", r#"{"data": {"key": "2"}}"#]).await;
    s.kubectl(&["patch", "cm", "x", "--type=json", "-p", r#"[{"op": "remove", "path": "/data/key"}]"#]).await;
    s.kubectl(&["patch", "cm", "x", "--type=json", "-p", r#"[{"op": "remove", "path": "/data/key"}]"#]).await;
    s.kubectl(&["patch", "cm", "x", "-p", "data: {key: '3'}"]).await;
    s.kubectl(&["patch", "cm", "gone", "-p", "data: {}"]).await;
    s.kubectl(&["get", "cm", "x", "-o", "jsonpath={.data}"]).await;
}

async fn scale(s: &mut Session) {
    let scale = json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
    with_things(s, with(things::crd(), "/spec/versions/0/subresources/scale", scale)).await;
    s.post(things::ALL, things::thing("x")).await;
    s.kubectl(&["scale", THINGS, "x", "--replicas=3"]).await;
    s.kubectl(&["scale", THINGS, "x", "--replicas=4", "--current-replicas=1"]).await;
    s.kubectl(&["scale", THINGS, "gone", "--replicas=3"]).await;
    s.kubectl(&["get", THINGS, "x", "-o", "jsonpath={.spec.replicas} {.metadata.generation}"]).await;
    s.kubectl(&["get", THINGS, "x", "--subresource=scale", "-o", "json"]).await;
}

async fn a_patch_by_way_of_the_status(s: &mut Session) {
    with_things(s, things::crd()).await;
    s.post(things::ALL, things::thing("x")).await;
    let patch = r#"{"status": {"phase": "Ready"}}"#;
    s.kubectl(&["patch", THINGS, "x", "--type=merge", "-p", patch]).await;
    s.kubectl(&["get", THINGS, "x", "-o", "jsonpath={.status.phase}"]).await;
    s.kubectl(&["patch", THINGS, "x", "--type=merge", "--subresource=status", "-p", patch]).await;
    s.kubectl(&["get", THINGS, "x", "-o", "jsonpath={.status.phase}"]).await;
}
