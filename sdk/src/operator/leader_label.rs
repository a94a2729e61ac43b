//! `LeaderElectionLabelPod`: the leader's Pod has a label, so that a Service finds it.
//!
//! Best effort, and the election knows nothing of it: for a moment after a handover two Pods may have the label, or none. Who
//! leads also takes it off the Pod of the holder before, which may be dead or cut off.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::kube_ops::{Defaults, KubeOps, SECTION};
use crate::BoxError;
use crate::host::HostedService;
use crate::leadership::{Change, Leadership};
use crate::refusal::{describe, missing_rule};
use crate::settings::{Problem, Problems, Settings};

/// The label's name and value.
pub(super) const LABEL: &str = "kubeops.rs/role";
const LEADER: &str = "leader";

/// How long the API server may take for a label.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same at a stop, when the process is waited for.
const LAST_PATIENCE: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A Pod, and no other of its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct OnePod {
    name: String,
    uid: String,
}

/// Where the own Pod is.
#[derive(Clone, Debug)]
pub(super) struct OwnPod {
    pod: OnePod,
    namespace: String,
}

/// Keeps the labels in step with who leads.
pub(super) struct LeaderLabel {
    pods: Api<Pod>,
    own: OnePod,
    leadership: Leadership,
    /// Pods that are to have the label, or not to.
    wanted: BTreeMap<OnePod, bool>,
    pause: Duration,
    due: Instant,
}

// === impl OwnPod ===

impl OwnPod {
    /// `None` unless it is to be labelled.
    ///
    /// # Errors
    /// If it is, and is not known.
    pub(super) fn of(settings: &Settings, kube_ops: &KubeOps, defaults: &Defaults) -> Result<Option<Self>, Problems> {
        if !kube_ops.leader_election_label_pod {
            return Ok(None);
        }
        let Some(uid) = kube_ops.pod_uid.clone() else {
            let message = "needs to know the pod: set POD_NAME and POD_UID by the Downward API, in `env` of the container: \
                           [{name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, \
                           {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}]";
            let mut problems = Problems::default();
            problems.push(Problem::new(format!("{SECTION}:LeaderElectionLabelPod"), message));
            return Err(problems);
        };
        let namespace = settings.variable("POD_NAMESPACE").or(defaults.client_namespace.as_deref());
        let namespace = namespace.filter(|namespace| !namespace.is_empty()).unwrap_or("default").to_owned();
        Ok(Some(Self { pod: OnePod { name: kube_ops.name.clone(), uid }, namespace }))
    }
}

// === impl LeaderLabel ===

impl LeaderLabel {
    pub(super) fn new(client: Client, own: OwnPod, leadership: Leadership) -> Self {
        let OwnPod { pod, namespace } = own;
        // What an earlier container of the pod may have left.
        let wanted = BTreeMap::from([(pod.clone(), false)]);
        let pods = Api::namespaced(client, &namespace);
        Self { pods, own: pod, leadership, wanted, pause: FIRST_PAUSE, due: Instant::now() }
    }

    /// One Pod after the other, until it is as wanted or cannot be.
    async fn label(&mut self, patience: Duration) {
        while let Some((pod, leads)) = self.wanted.pop_first() {
            // Another Pod of this name has another uid, and the API server refuses the patch.
            let metadata = json!({ "uid": pod.uid, "labels": { LABEL: leads.then_some(LEADER) } });
            let patch = Patch::Merge(json!({ "metadata": metadata }));
            let patched = timeout(patience, self.pods.patch_metadata(&pod.name, &PatchParams::default(), &patch)).await;
            let trouble = match patched {
                Ok(Ok(_)) => None,
                Ok(Err(kube::Error::Api(status))) if [404, 409, 422].contains(&status.code) => {
                    if pod == self.own {
                        warn!(pod = pod.name, uid = pod.uid, error = status.message, "there is no such pod to label");
                    }
                    None
                }
                Ok(Err(error)) => Some(match missing_rule(&error) {
                    Some(rule) => format!("{}; grant it with this rule: {rule}", describe(&error)),
                    None => describe(&error),
                }),
                Err(_) => Some("the API server does not answer".to_owned()),
            };
            match trouble {
                None if self.pause > FIRST_PAUSE => {
                    self.pause = FIRST_PAUSE;
                    info!(pod = pod.name, "labelling the leader's pod works again");
                }
                None => {}
                Some(error) => {
                    if self.pause == FIRST_PAUSE {
                        warn!(pod = pod.name, error, "could not label the leader's pod; trying again");
                    }
                    self.wanted.insert(pod, leads);
                    self.due = Instant::now() + self.pause;
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                    return;
                }
            }
        }
    }

    fn wants(&mut self, pod: OnePod, leads: bool) {
        self.wanted.insert(pod, leads);
        self.due = Instant::now();
    }
}

impl HostedService for LeaderLabel {
    async fn run(mut self, stop: CancellationToken) -> Result<(), BoxError> {
        let mut changes = pin!(self.leadership.changes());
        let (mut holder, mut is_over) = (None, false);
        loop {
            let due = (self.due, !self.wanted.is_empty());
            tokio::select! {
                change = changes.next(), if !is_over => match change {
                    Some(Change::Started(_)) => {
                        if let Some(before) = holder.as_deref().and_then(pod_of) {
                            self.wants(before, false);
                        }
                        self.wants(self.own.clone(), true);
                    }
                    Some(Change::Stopped { .. }) => self.wants(self.own.clone(), false),
                    Some(Change::Leader(leader)) => holder = leader,
                    None => is_over = true,
                },
                // Once the elector has ended.
                () = stop.cancelled() => break,
                () = sleep_until(due.0), if due.1 => self.label(PATIENCE).await,
            }
        }
        self.wants(self.own.clone(), false);
        self.label(LAST_PATIENCE).await;
        Ok(())
    }
}

/// Of an identity `<Name>_<PodUid>`.
fn pod_of(identity: &str) -> Option<OnePod> {
    let (name, uid) = identity.split_once('_')?;
    Some(OnePod { name: name.to_owned(), uid: uid.to_owned() })
}
