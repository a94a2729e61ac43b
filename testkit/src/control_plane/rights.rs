//! What a limited user may do.

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;

use crate::Error;

const API: &str = "rbac.authorization.k8s.io";

/// Lets `user` do what `rules` say, in all namespaces, instead of what it was granted before.
pub(super) async fn grant(client: &Client, user: &str, rules: &[PolicyRule]) -> Result<(), Error> {
    let name = format!("kubeops-testkit:{user}");
    let role = json!({
        "apiVersion": format!("{API}/v1"),
        "kind": "ClusterRole",
        "metadata": { "name": name },
        "rules": rules,
    });
    let binding = json!({
        "apiVersion": format!("{API}/v1"),
        "kind": "ClusterRoleBinding",
        "metadata": { "name": name },
        "roleRef": { "apiGroup": API, "kind": "ClusterRole", "name": name },
        "subjects": [{ "apiGroup": API, "kind": "User", "name": user }],
    });
    let params = PatchParams::apply("kubeops-testkit").force();
    Api::<ClusterRole>::all(client.clone()).patch(&name, &params, &Patch::Apply(role)).await?;
    Api::<ClusterRoleBinding>::all(client.clone()).patch(&name, &params, &Patch::Apply(binding)).await?;
    Ok(())
}
