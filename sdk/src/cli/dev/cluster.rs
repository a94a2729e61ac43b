//! The cluster: in memory, with the operator's kinds in it, and served to the replicas and to whoever looks.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, PostParams};
use kube::{Client, ResourceExt as _};
use kubeops_testkit as kit;
use kubeops_testkit::cluster::Serving;
use serde_json::{Value, json};

use super::DevError;
use super::folder::Folder;
use crate::crds::{RequestError, ask, install};

/// Who `dev` is to the cluster, and whose kubeconfig is told to the one who looks.
const VISITOR: &str = "dev";
const KUBECONFIG: &str = "kubeconfig";
/// The cluster in memory needs no time for it.
const CRD_TIMEOUT: Duration = Duration::from_secs(10);
/// Of a schema with CEL rules.
const RULES: &str = "x-kubernetes-validations";

#[derive(Debug)]
pub(super) struct Cluster {
    cluster: kit::Cluster,
    serving: Serving,
    pub(super) folder: Folder,
    pub(super) kubeconfig: PathBuf,
}

impl Cluster {
    /// One without anything in it, at `port` of 127.0.0.1.
    pub(super) async fn start(port: u16, folder: Folder) -> Result<Self, DevError> {
        let cluster = kit::Cluster::start().await;
        cluster.leave_rules_unevaluated();
        let serving = cluster.serve((Ipv4Addr::LOCALHOST, port).into()).await.map_err(|error| match error {
            kit::Error::PortTaken { address } => DevError::PortTaken { port: address.port() },
            error => DevError::Kit(error),
        })?;
        let kubeconfig = folder.write(KUBECONFIG, &serving.kubeconfig(VISITOR))?;
        Ok(Self { cluster, serving, folder, kubeconfig })
    }

    pub(super) fn url(&self) -> String {
        self.serving.url()
    }

    pub(super) fn client(&self) -> Client {
        self.cluster.client(VISITOR)
    }

    /// Its record of requests would grow for as long as this runs.
    pub(super) fn forget_requests(&self) {
        self.cluster.forget_requests();
    }

    /// A kubeconfig by which the cluster tells `replica` from the others.
    pub(super) fn kubeconfig_of(&self, replica: &str) -> Result<PathBuf, DevError> {
        self.folder.write(&format!("{replica}.{KUBECONFIG}"), &self.serving.kubeconfig(replica))
    }

    /// As an administrator installs them. Gives what there is to say of it.
    pub(super) async fn install(
        &self,
        field_manager: &str,
        crds: &[CustomResourceDefinition],
    ) -> Result<Vec<String>, DevError> {
        install(&self.client(), field_manager, crds, CRD_TIMEOUT, |_| ()).await?;
        let with_rules = crds.iter().filter(|crd| has_rules(&json!(crd)));
        let told = with_rules.map(|crd| format!("{} has rules ({RULES}); they are not evaluated here", crd.name_any()));
        Ok(told.collect())
    }

    /// Unless there is one of this name.
    pub(super) async fn create_namespace(&self, name: &str) -> Result<(), RequestError> {
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some(name.to_owned());
        let (api, parameters) = (Api::<Namespace>::all(self.client()), PostParams::default());
        let create = async {
            match api.create(&parameters, &namespace).await {
                Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
                other => other.map(drop),
            }
        };
        ask("create the namespace", name, create).await
    }
}

/// Whether a schema in this has CEL rules.
fn has_rules(crd: &Value) -> bool {
    match crd {
        Value::Object(fields) => fields.iter().any(|(name, value)| name == RULES || has_rules(value)),
        Value::Array(items) => items.iter().any(has_rules),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_kind_with_rules_is_installed_and_told() {
        let executable = std::env::current_exe().unwrap();
        let cluster = Cluster::start(0, Folder::create(&executable, "rules-test").unwrap()).await.unwrap();
        let spec = json!({"type": "object", "properties": {"a": {"type": "integer"}}, RULES: [{"rule": "self.a > 0"}]});
        let crd = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "huts.example.com"},
            "spec": {
                "group": "example.com", "scope": "Namespaced",
                "names": {"plural": "huts", "kind": "Hut", "singular": "hut", "listKind": "HutList"},
                "versions": [{
                    "name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
                }],
            },
        });
        let told = cluster.install("huts", &[serde_json::from_value(crd).unwrap()]).await.unwrap();
        assert_eq!(told, ["huts.example.com has rules (x-kubernetes-validations); they are not evaluated here"]);
    }

    #[tokio::test]
    async fn a_namespace_that_is_there_is_fine() {
        let executable = std::env::current_exe().unwrap();
        let cluster = Cluster::start(0, Folder::create(&executable, "namespace-test").unwrap()).await.unwrap();
        for name in ["default", "huts", "huts"] {
            cluster.create_namespace(name).await.unwrap();
        }
        let error = cluster.create_namespace("No Name").await.unwrap_err().to_string();
        assert!(error.starts_with("cannot create the namespace No Name: "), "{error}");
    }

    #[test]
    fn rules_are_found_however_deep_they_are() {
        let schema = json!({"versions": [{"schema": {"properties": {"a": {RULES: [{"rule": "self > 0"}]}}}}]});
        assert!(has_rules(&schema));
        assert!(!has_rules(&json!({"versions": [{"schema": {"description": RULES}}]})));
    }
}
