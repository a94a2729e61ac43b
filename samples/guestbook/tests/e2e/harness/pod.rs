//! A pod of a Deployment, as a kubelet would start it: the real binary with the container's arguments, variables and mounted
//! settings, by a token of its ServiceAccount. Only its ports are free ones: several pods share this machine.

use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{ConfigMap, Container, Pod, PodSpec};
use kube::api::{ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, ResourceExt};
use serde_json::{Value, json};

use super::{Cluster, Recipe};

/// The Deployment of the generated manifests.
pub(crate) const OPERATOR: &str = "guestbook-operator";
/// The namespace that the operator gets unless told otherwise.
pub(crate) const SYSTEM: &str = "guestbook-system";

/// What the audit log calls the operator.
pub(crate) fn service_account() -> String {
    format!("system:serviceaccount:{SYSTEM}:{OPERATOR}")
}

/// A pod that is in the cluster, and that the API server knows by its token.
pub(crate) struct BoundPod {
    pub(crate) recipe: Recipe,
    /// What it stands for the lock as.
    pub(crate) identity: String,
    /// By the same token, and without a fence.
    pub(crate) client: Client,
}

impl Cluster {
    /// Generates `manifests` or a `helm` chart into a folder of that name, and returns it.
    pub(crate) async fn generate(&self, what: &str, flags: &[&str]) -> PathBuf {
        let folder = self.directory().join(what);
        let out = folder.to_str().expect("UTF-8");
        // The sample's own settings, as `cargo run` finds them.
        let root = concat!("--content-root=", env!("CARGO_MANIFEST_DIR"));
        let arguments = [&["generate", what, "--out", out, root], flags].concat();
        let output = self.command(&arguments).await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        folder
    }

    /// A pod of the operator's Deployment, as it is in the cluster.
    pub(crate) async fn pod(&self, name: &str) -> Recipe {
        self.pod_of(SYSTEM, OPERATOR, name).await
    }

    /// A pod of the Deployment `operator` in `namespace`.
    pub(crate) async fn pod_of(&self, namespace: &str, operator: &str, name: &str) -> Recipe {
        let pod = self.template_of(namespace, operator).await;
        let kubeconfig = self.token_kubeconfig(namespace, account_of(&pod), &[]).await;
        self.pod_like(&pod, namespace, (name, &self.uid_of(name)), &kubeconfig).await
    }

    /// The uid of a pod of this name. No other cluster on this machine has it: one process at a time stands for a lock under it.
    fn uid_of(&self, pod: &str) -> String {
        format!("uid-of-{pod}-{}", self.plane.address().port())
    }

    /// What the pod stands as.
    pub(crate) fn identity_of(&self, pod: &str) -> String {
        format!("{pod}_{}", self.uid_of(pod))
    }

    /// A pod of the Deployment `operator` in `namespace`, by a token that is bound to it, as a kubelet mounts them.
    pub(crate) async fn bound_pod_of(&self, namespace: &str, operator: &str, name: &str) -> BoundPod {
        let pod = self.template_of(namespace, operator).await;
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        let object = Pod { metadata, spec: Some(pod.clone()), ..Pod::default() };
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let uid = pods.create(&PostParams::default(), &object).await.expect("create a pod").uid().expect("a uid");
        let bound = ["--bound-object-kind=Pod", &format!("--bound-object-name={name}")];
        let kubeconfig = self.token_kubeconfig(namespace, account_of(&pod), &bound).await;
        let recipe = self.pod_like(&pod, namespace, (name, &uid), &kubeconfig).await;
        BoundPod { identity: format!("{name}_{uid}"), client: client_by(&kubeconfig).await, recipe }
    }

    async fn template_of(&self, namespace: &str, operator: &str) -> PodSpec {
        self.deployment(namespace, operator).await.spec.and_then(|spec| spec.template.spec).expect("a pod template")
    }

    /// What the kubelet makes of a pod with this name and uid.
    async fn pod_like(&self, pod: &PodSpec, namespace: &str, id: (&str, &str), kubeconfig: &Path) -> Recipe {
        let (name, uid) = id;
        let container = pod.containers.first().expect("a container").clone();
        let mut recipe = Recipe::new(name, kubeconfig, self.directory());
        for given in ["Name", "LeaderElectionLeaseDuration", "LeaderElectionRenewDeadline", "LeaderElectionRetryPeriod"]
        {
            recipe = recipe.unset(&format!("KubeOps__{given}"));
        }
        for (variable, value) in variables(&container, namespace, name, uid) {
            recipe = recipe.set(&variable, &value);
        }
        let (path, folder) = self.mounted_settings(namespace, pod, &container, name).await;
        let folder = folder.to_str().expect("UTF-8");
        let arguments = container.args.expect("arguments");
        arguments.iter().fold(recipe, |recipe, argument| recipe.argument(&argument.replace(&path, folder)))
    }

    /// A client with the rights of the operator.
    pub(crate) async fn operators_client(&self) -> Client {
        client_by(&self.token_kubeconfig(SYSTEM, OPERATOR, &[]).await).await
    }

    /// Where the container has its settings, and a folder with what would be there.
    async fn mounted_settings(
        &self,
        namespace: &str,
        pod: &PodSpec,
        container: &Container,
        name: &str,
    ) -> (String, PathBuf) {
        let mount = container.volume_mounts.iter().flatten().next().expect("a mount");
        let volume = pod.volumes.iter().flatten().find(|volume| volume.name == mount.name).expect("its volume");
        let source = volume.config_map.as_ref().expect("a ConfigMap");
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
        let map = maps.get(&source.name).await.expect("the ConfigMap that the pod mounts");
        let folder = self.directory().join(format!("{name}-settings"));
        std::fs::create_dir_all(&folder).expect("make the folder");
        for (file, text) in map.data.expect("settings") {
            std::fs::write(folder.join(file), text).expect("write the settings");
        }
        (mount.mount_path.clone(), folder)
    }

    /// A kubeconfig with a token that the API server issues for a ServiceAccount.
    async fn token_kubeconfig(&self, namespace: &str, account: &str, bound: &[&str]) -> PathBuf {
        let token = self.kubectl(&[&["create", "token", account, "--namespace", namespace], bound].concat()).await;
        let of_admin = self.plane.kubeconfig_for("admin").expect("a kubeconfig");
        let mut config: Value = serde_json::from_slice(&read(&of_admin)).expect("a kubeconfig is JSON here");
        config["users"][0]["user"] = json!({ "token": token.trim() });
        let path = self.directory().join(format!("{namespace}-{account}{}.kubeconfig", bound.last().unwrap_or(&"")));
        std::fs::write(&path, config.to_string()).expect("write the kubeconfig");
        path
    }
}

fn account_of(pod: &PodSpec) -> &str {
    pod.service_account_name.as_deref().expect("a ServiceAccount")
}

async fn client_by(kubeconfig: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("read the kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    Client::try_from(config.expect("a config")).expect("a client")
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("read")
}

/// The container's variables, which are all of the Downward API.
fn variables(container: &Container, namespace: &str, pod: &str, uid: &str) -> Vec<(String, String)> {
    let value = |path: &str| match path {
        "metadata.name" => pod.to_owned(),
        "metadata.namespace" => namespace.to_owned(),
        "metadata.uid" => uid.to_owned(),
        other => panic!("nothing is known of {other}"),
    };
    let variable = |variable: &k8s_openapi::api::core::v1::EnvVar| {
        let source = variable.value_from.as_ref().and_then(|from| from.field_ref.as_ref()).expect("a field");
        (variable.name.clone(), value(&source.field_path))
    };
    container.env.iter().flatten().map(variable).collect()
}
