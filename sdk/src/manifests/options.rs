//! What manifests are made for.

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

/// What manifests are made for. Names are taken as they are: DNS-1123 labels are expected.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The operator's name, as a label may be.
    pub(crate) operator: String,
    /// Its package, which its binary is named after.
    pub(crate) package: String,
    /// What it is for, in one line; may be empty.
    pub(crate) about: String,
    /// Its version.
    pub(crate) version: String,
    /// The definition of a `LeaderLock`, of the group of the lock if it is one.
    pub(crate) leader_lock: CustomResourceDefinition,
    /// Its container image.
    pub(crate) image: String,
    /// The namespace that it runs in.
    pub(crate) namespace: String,
    /// Whether that namespace is among the manifests.
    pub(crate) own_namespace: bool,
    /// What replicas elect their leader by; `None`: there is one replica.
    pub(crate) lock: Option<Lock>,
    /// Whether the API server is to refuse writes by others than the leader.
    pub(crate) fence: bool,
    /// Whether only the leader is ready. It is then the only pod that is available.
    pub(crate) only_leader_ready: bool,
    /// Namespaces whose objects are reconciled; none named: all.
    pub(crate) watched: Vec<String>,
    /// Whether the operator installs its CRDs at its start.
    pub(crate) installs_crds: bool,
    /// Whether the leader's pod is labelled.
    pub(crate) labels_pod: bool,
    /// Whether finalizers are added to objects, or taken off.
    pub(crate) finalizers: bool,
    /// The port that probes are answered on.
    pub(crate) health_port: Option<u16>,
    /// The port that metrics are served on, for others than the pod itself.
    pub(crate) metrics_port: Option<u16>,
    /// How long a clean stop may take.
    pub(crate) shutdown_timeout: Duration,
    /// The settings files, by the names that the operator looks for.
    pub(crate) settings: Vec<SettingsFile>,
    /// The same, merged.
    pub(crate) appsettings: Value,
    /// `--set`: keys and values.
    pub(crate) set: Vec<(String, String)>,
    /// What was typed to get these manifests, for their headers.
    pub(crate) command: String,
}

/// The object that replicas elect their leader by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    /// Its name.
    pub(crate) name: String,
    /// Its namespace.
    pub(crate) namespace: String,
    /// What it is.
    pub(crate) kind: LockKind,
}

/// What a lock is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LockKind {
    /// One that is renewed.
    Lease,
    /// One that goes with its holder's pod.
    ConfigMap,
    /// Likewise, of this API group.
    LeaderLock(&'static str),
}

/// A settings file, as it is read in the pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingsFile {
    /// `appsettings.json` or that of an environment.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) text: String,
}

/// Tells what belongs to the operator from what it makes, which may well be named and labelled after it.
const SUFFIX: &str = "-operator";

// === impl Lock ===

impl Lock {
    /// The lock of this name and namespace.
    pub(crate) fn new(name: impl Into<String>, namespace: impl Into<String>, kind: LockKind) -> Self {
        Self { name: name.into(), namespace: namespace.into(), kind }
    }
}

// === impl SettingsFile ===

impl SettingsFile {
    /// The file of this name.
    pub(crate) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

// === impl Options ===

impl Options {
    /// The CRD of the lock, if it needs one.
    pub(super) fn lock_crd(&self) -> Option<&CustomResourceDefinition> {
        let is_leader_lock = self.lock.as_ref().is_some_and(|lock| matches!(lock.kind, LockKind::LeaderLock(_)));
        is_leader_lock.then_some(&self.leader_lock)
    }

    /// `<operator>-operator`: the name of what there is one of in the namespace.
    pub(super) fn name(&self) -> String {
        format!("{}{SUFFIX}", self.operator.strip_suffix(SUFFIX).unwrap_or(&self.operator))
    }

    /// The name of something that there is no second one of in the namespace, beside the Deployment.
    pub(super) fn name_of(&self, what: &str) -> String {
        format!("{}-{what}", self.name())
    }

    /// The name of something that has no namespace: operators of one name in different namespaces must not share it.
    pub(super) fn cluster_name(&self) -> String {
        format!("{}:{}", self.namespace, self.name())
    }

    /// What the operator's pods are found by. The guestbook's own pods are named `guestbook` too, so the name is not enough.
    pub(super) fn selector(&self) -> Value {
        json!({ "app.kubernetes.io/name": self.operator, "app.kubernetes.io/component": "operator" })
    }

    pub(super) fn labels(&self) -> Value {
        let mut labels = self.selector();
        labels["app.kubernetes.io/version"] = json!(label(&self.version));
        labels
    }

    pub(super) fn metadata(&self, name: &str, namespace: &str) -> Value {
        json!({ "name": name, "namespace": namespace, "labels": self.labels() })
    }

    pub(super) fn cluster_metadata(&self, name: &str) -> Value {
        json!({ "name": name, "labels": self.labels() })
    }
}

/// A version as a label's value, which can't hold the `+` of build metadata.
fn label(version: &str) -> String {
    version.replace('+', "-")
}
