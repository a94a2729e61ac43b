//! The generated chart, and the real Helm on the test's cluster.

use std::process::Output;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use serde_json::Value;

use super::{Cluster, PATIENCE, eventually};

/// What the release `demo` calls things.
pub(crate) const DEMO: &str = "demo-guestbook-operator";
/// The Lease of the release `demo`.
pub(crate) const LOCK_OF_DEMO: &str = "demo-guestbook-operator-leader";

impl Cluster {
    /// Generates the chart, and returns its folder.
    pub(crate) async fn chart(&self, flags: &[&str]) -> String {
        self.generate("helm", flags).await.to_str().expect("UTF-8").to_owned()
    }

    /// Runs Helm, which may fail.
    pub(crate) async fn try_helm(&self, arguments: &[&str]) -> Output {
        let helm = std::env::var_os("KUBEOPS_HELM").expect("KUBEOPS_HELM is not set: `cargo xtask test` sets it");
        let mut command = tokio::process::Command::new(helm);
        command.env("KUBECONFIG", self.plane.kubeconfig_for("admin").expect("a kubeconfig"));
        for home in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(home, self.directory().join(home));
        }
        command.args(arguments).output().await.expect("run helm")
    }

    /// Runs Helm, which must succeed, and returns what it printed.
    pub(crate) async fn helm(&self, arguments: &[&str]) -> String {
        let output = self.try_helm(arguments).await;
        assert!(output.status.success(), "helm {arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Installs or upgrades the release `demo` in the namespace `one`, with values such as `deployment.replicas=3`; returns its notes.
    pub(crate) async fn release(&self, chart: &str, values: &[&str]) -> String {
        let release = ["upgrade", "demo", chart, "--install", "--namespace", "one", "--create-namespace"];
        let set = values.iter().flat_map(|value| ["--set", value]);
        self.helm(&release.into_iter().chain(set).collect::<Vec<_>>()).await
    }

    /// What Helm makes of the chart for the release `demo`, object by object.
    pub(crate) async fn rendered(&self, chart: &str, namespace: &str, values: &[&str]) -> Vec<Value> {
        let set = values.iter().flat_map(|value| ["--set", value]);
        let template = ["template", "demo", chart, "--namespace", namespace].into_iter().chain(set);
        let text = self.helm(&template.collect::<Vec<_>>()).await;
        let file = self.directory().join("rendered.yaml");
        std::fs::write(&file, text).expect("write");
        let file = file.to_str().expect("UTF-8");
        // kubectl knows YAML, and prints one object after the other.
        let json = self.kubectl(&["create", "--dry-run=client", "--output=json", "--filename", file]).await;
        let objects = serde_json::Deserializer::from_str(&json).into_iter();
        objects.collect::<Result<_, _>>().expect("JSON")
    }

    pub(crate) async fn deployment(&self, namespace: &str, name: &str) -> Deployment {
        Api::namespaced(self.client.clone(), namespace).get(name).await.expect("a Deployment")
    }

    /// Waits until a pod holds the lock: its identity is made of name and uid, by the Downward API.
    pub(crate) async fn wait_holder(&self, namespace: &str, lock: &str, pod: &str) {
        self.wait_held_by(namespace, lock, &self.identity_of(pod)).await;
    }

    /// Waits until the lock names `identity`.
    pub(crate) async fn wait_held_by(&self, namespace: &str, lock: &str, identity: &str) {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), namespace);
        eventually(&format!("{identity} holds {namespace}/{lock}"), PATIENCE, async || {
            let lease = leases.get(lock).await.map_err(|error| error.to_string())?;
            let holder = lease.spec.and_then(|spec| spec.holder_identity).unwrap_or_default();
            if holder == identity { Ok(()) } else { Err(holder) }
        })
        .await;
    }
}
