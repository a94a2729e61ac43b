//! The file by which other programs find a cluster and say who they are.

use serde_json::{Value, json};

/// Of its cluster, its user and its context.
const NAME: &str = "kubeops-testkit";

/// One with a single context, whose namespace is `default`.
pub(crate) fn text(cluster: &Value, user: &Value) -> String {
    // JSON is YAML.
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": NAME, "cluster": cluster }],
        "users": [{ "name": NAME, "user": user }],
        "contexts": [{ "name": NAME, "context": { "cluster": NAME, "user": NAME, "namespace": "default" } }],
        "current-context": NAME,
    });
    format!("{config:#}\n")
}
