//! What of an operator and its settings manifests are made from.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use super::builder::Parts;
use super::kube_ops::names::object_name;
use super::kube_ops::{Defaults, KubeOps, LeaderElectionLock, ReadyWhen, SECTION};
use super::run::RunError;
use crate::manifests::{Files, GenerateError, Lock, LockKind, Manifests, Options, SettingsFile, chart, dockerfile};
use crate::settings::{Kind, Node, Problem, Problems, Settings};

const SETTINGS_FILE: &str = "appsettings.json";
/// A pod without a settings file of its own gets one, so that overlays have something to add to.
const NO_SETTINGS: &str = "{}\n";

/// Where and how an operator is to run, as it was asked for.
pub(crate) struct Placement {
    /// `None`: `<operator>:<version>`.
    pub(crate) image: Option<String>,
    /// `None`: one of its own.
    pub(crate) namespace: Option<String>,
    /// Whether the API server is to refuse writes by others than the leader; the settings may say so too.
    pub(crate) fence: bool,
    /// Settings that pods get on their command line.
    pub(crate) set: Vec<(String, String)>,
    /// What was typed to get the manifests.
    pub(crate) typed: String,
}

impl<S> Parts<S> {
    /// The manifests of this operator. Wrong settings are an error of their own.
    pub(crate) fn manifests(
        &self,
        settings: &Settings,
        placement: Placement,
    ) -> Result<Result<Manifests, GenerateError>, RunError> {
        let options = self.options_of(settings, placement)?;
        Ok(Manifests::of(&self.controllers, options))
    }

    /// The files of this operator's Helm chart. Wrong settings are an error of their own.
    pub(crate) fn chart(
        &self,
        settings: &Settings,
        placement: Placement,
    ) -> Result<Result<Files, GenerateError>, RunError> {
        let options = self.options_of(settings, placement)?;
        Ok(chart(&self.controllers, &options).map(|base| Files { what: "helm", base, overlay: Vec::new() }))
    }

    /// The Dockerfile. Wrong settings are an error.
    pub(crate) fn dockerfile(&self, settings: &Settings, placement: Placement) -> Result<Files, RunError> {
        let base = dockerfile(&self.options_of(settings, placement)?);
        Ok(Files { what: "dockerfile", base, overlay: Vec::new() })
    }

    fn options_of(&self, settings: &Settings, placement: Placement) -> Result<Options, RunError> {
        match self.problems() {
            wrong if wrong.is_empty() => self.options(settings, placement).map_err(RunError::Settings),
            wrong => Err(RunError::Registrations(wrong)),
        }
    }

    fn options(&self, settings: &Settings, placement: Placement) -> Result<Options, Problems> {
        let Placement { image, namespace, fence, mut set, typed } = placement;
        let operator = object_name(self.name);
        let own_namespace = namespace.is_none();
        let namespace = namespace.unwrap_or_else(|| format!("{operator}-system"));
        // What a pod of this namespace finds out by itself.
        let defaults = Defaults {
            operator: self.name.to_owned(),
            client_namespace: Some(namespace.clone()),
            host_name: Some(operator.clone()),
            cpus: None,
            for_pods: true,
        };
        let (kube_ops, _warnings_are_told_by_run) = KubeOps::from_settings(settings, &defaults)?;
        let mut problems = Problems::default();
        let api = kube_ops.leader_lock_api_version;
        let lock = lock(&kube_ops, &namespace, &mut problems);
        if fence && !kube_ops.leader_election_fence {
            set.push((format!("{SECTION}:LeaderElectionFence"), "true".to_owned()));
        }
        let fence = fence || kube_ops.leader_election_fence;
        if fence && let Some(problem) = not_fenced(&kube_ops) {
            problems.push(problem);
        }
        let options = Options {
            operator,
            package: self.name.to_owned(),
            about: self.about.to_owned(),
            version: self.version.to_owned(),
            image: image.unwrap_or_else(|| format!("{}:{}", self.name, self.version)),
            namespace,
            own_namespace,
            lock,
            leader_lock: api.definition(),
            fence,
            only_leader_ready: kube_ops.ready_when == ReadyWhen::Leading,
            watched: kube_ops.namespaces.clone(),
            installs_crds: kube_ops.install_crds,
            labels_pod: kube_ops.leader_election_label_pod,
            finalizers: kube_ops.auto_attach_finalizers || kube_ops.auto_detach_finalizers,
            health_port: kube_ops.health_address.and_then(|address| health_port(address, &mut problems)),
            metrics_port: kube_ops.metrics_address.filter(is_reachable).map(|address| address.port()),
            shutdown_timeout: kube_ops.shutdown_timeout,
            settings: files(settings, &mut problems),
            appsettings: merged(settings),
            set,
            command: typed,
        };
        problems.or(options)
    }
}

/// What replicas elect their leader by, if they do.
fn lock(kube_ops: &KubeOps, namespace: &str, problems: &mut Problems) -> Option<Lock> {
    if !kube_ops.enable_leader_election {
        return None;
    }
    let (of_lock, kind) = (&kube_ops.leader_election_namespace, kube_ops.leader_election_lock);
    if kind.is_for_life() && of_lock != namespace {
        let message = format!(
            "{of_lock} is not {namespace}, the namespace of the operator's pods: a {} belongs to its holder's pod, and the garbage \
             collector deletes what belongs to a pod of another namespace",
            kind.kind()
        );
        problems.push(Problem::new(format!("{SECTION}:LeaderElectionNamespace"), message));
    }
    let kind = match kind {
        LeaderElectionLock::Lease => LockKind::Lease,
        LeaderElectionLock::ConfigMap => LockKind::ConfigMap,
        LeaderElectionLock::LeaderLock => LockKind::LeaderLock(kube_ops.leader_lock_api_version.group()),
    };
    Some(Lock::new(&kube_ops.leader_election_id, of_lock, kind))
}

/// Why the API server can't tell the leader's writes from others.
fn not_fenced(kube_ops: &KubeOps) -> Option<Problem> {
    let (key, message) = if !kube_ops.enable_leader_election {
        ("EnableLeaderElection", "is false: --fence lets only the leader write, and there would be none; expected true")
    } else if kube_ops.leader_election_lock.is_for_life() {
        ("LeaderElectionLock", "--fence has the API server compare writers with the holder of a Lease; expected Lease")
    } else {
        return None;
    };
    Some(Problem::new(format!("{SECTION}:{key}"), message))
}

/// Whether somebody outside of the pod can know it and ask it.
fn is_reachable(address: &SocketAddr) -> bool {
    !address.ip().is_loopback() && address.port() != 0
}

fn health_port(address: SocketAddr, problems: &mut Problems) -> Option<u16> {
    if is_reachable(&address) {
        return Some(address.port());
    }
    let message = format!(
        "{address} can't be asked by the kubelet: a pod's probes need a fixed port and an address of the pod, such as [::]:8081; \
         0 turns probes off"
    );
    problems.push(Problem::new(format!("{SECTION}:HealthAddress"), message));
    None
}

/// The files that settings were read from, by the names that they have in a pod.
fn files(settings: &Settings, problems: &mut Problems) -> Vec<SettingsFile> {
    let environment = format!(".{}.json", settings.environment());
    let mut files = Vec::new();
    for path in settings.files() {
        let of_environment = path.to_string_lossy().ends_with(&environment);
        let name = if of_environment { format!("appsettings{environment}") } else { SETTINGS_FILE.to_owned() };
        match read(path) {
            Ok(text) => files.push(SettingsFile::new(name, text)),
            Err(problem) => problems.push(problem),
        }
    }
    if !files.iter().any(|file| file.name == SETTINGS_FILE) {
        files.insert(0, SettingsFile::new(SETTINGS_FILE, NO_SETTINGS));
    }
    files
}

/// All sections of the files, and what `--set` says, as one object.
fn merged(settings: &Settings) -> Value {
    let sections = settings.sections().into_iter();
    sections.map(|section| (section.clone(), value(&settings.node(&section).0))).collect()
}

fn value(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Bool(value) => json!(value),
        Kind::Integer(value) => json!(value),
        Kind::Float(value) => json!(value),
        Kind::Text(value) => json!(value),
        Kind::List(elements) => elements.values().map(value).collect(),
        Kind::Table(table) => table.iter().map(|(key, node)| (key.to_owned(), value(node))).collect(),
    }
}

fn read(path: &Path) -> Result<String, Problem> {
    fs::read_to_string(path)
        .map_err(|error| Problem::new(path.display().to_string(), format!("cannot be read: {error}")))
}
