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
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::kube_ops::names::not_a_subdomain;
use super::kube_ops::{Defaults, KubeOps, SECTION};
use crate::BoxError;
use crate::host::HostedService;
use crate::leadership::{Change, Leadership, is_denial};
use crate::refusal::{describe, missing_rule};
use crate::settings::{Problem, Problems, Settings};

/// The label's name and value.
pub(super) const LABEL: &str = "kubeops.rs/role";
const LEADER: &str = "leader";

/// How long the API server may take for labels.
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

    /// One Pod after the other, its own first, until they are as wanted or cannot be.
    async fn label(&mut self, patience: Duration) {
        let (deadline, mut left, mut trouble) = (Instant::now() + patience, BTreeMap::new(), None);
        while let Some((pod, leads)) = self.wanted.remove_entry(&self.own).or_else(|| self.wanted.pop_first()) {
            if let Err(error) = self.patch(&pod, leads, deadline).await {
                trouble.get_or_insert((pod.name.clone(), error));
                left.insert(pod, leads);
            }
        }
        self.wanted = left;
        match trouble {
            None if self.pause > FIRST_PAUSE => {
                self.pause = FIRST_PAUSE;
                info!("labelling the leader's pod works again");
            }
            None => {}
            Some((pod, error)) => {
                if self.pause == FIRST_PAUSE {
                    warn!(pod, error, "could not label the leader's pod; trying again");
                }
                self.due = Instant::now() + self.pause;
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    /// The error is what is to be said of it, if another try may help.
    async fn patch(&self, pod: &OnePod, leads: bool, deadline: Instant) -> Result<(), String> {
        // Another Pod of this name has another uid, and the API server refuses the patch.
        let metadata = json!({ "uid": pod.uid, "labels": { LABEL: leads.then_some(LEADER) } });
        let patch = Patch::Merge(json!({ "metadata": metadata }));
        let params = PatchParams::default();
        match timeout_at(deadline, self.pods.patch_metadata(&pod.name, &params, &patch)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(kube::Error::Api(status))) if [404, 409, 422].contains(&status.code) => {
                if *pod == self.own {
                    warn!(pod = pod.name, uid = pod.uid, error = status.message, "there is no such pod to label");
                }
                Ok(())
            }
            // The API server lets only the leader write Pods. That one takes the label off too.
            Ok(Err(kube::Error::Api(status))) if *pod == self.own && !leads && is_denial(&status.message) => Ok(()),
            Ok(Err(error)) => Err(match missing_rule(&error) {
                Some(rule) => format!("{}; grant it with this rule: {rule}", describe(&error)),
                None => describe(&error),
            }),
            Err(_) => Err("the API server does not answer".to_owned()),
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

/// Of an identity `<Name>_<PodUid>`. Others than ours may be anything.
fn pod_of(identity: &str) -> Option<OnePod> {
    let (name, uid) = identity.split_once('_').filter(|(name, _)| not_a_subdomain(name).is_none())?;
    Some(OnePod { name: name.to_owned(), uid: uid.to_owned() })
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use kube::client::Body;
    use tokio::sync::mpsc;
    use tokio::time::timeout;

    use super::*;
    use crate::leadership::Alone;

    fn own() -> OwnPod {
        OwnPod { pod: OnePod { name: "a".to_owned(), uid: "1".to_owned() }, namespace: "default".to_owned() }
    }

    /// A server that refuses every write as the fence does.
    fn denying() -> (Client, mpsc::UnboundedReceiver<String>) {
        let (tell, asked) = mpsc::unbounded_channel();
        let service = tower::service_fn(move |request: Request<Body>| {
            tell.send(request.uri().path().to_owned()).unwrap();
            let message = "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'shop.shops.leader-fence' with binding 'b' denied request: no";
            let status = json!({ "kind": "Status", "status": "Failure", "message": message, "reason": "Forbidden", "code": 403 });
            let denial = Response::builder().status(403).body(Body::from(status.to_string().into_bytes()));
            async { denial }
        });
        (Client::new(service, "default"), asked)
    }

    async fn asked_in_an_hour(leads: bool) -> usize {
        let (client, mut asked) = denying();
        let (alone, leadership) = Alone::new("a_1");
        let (stop, ready) = (CancellationToken::new(), async move {
            if !leads {
                std::future::pending::<()>().await;
            }
        });
        let labels = LeaderLabel::new(client, own(), leadership).run(stop.clone());
        let leading = alone.run(ready, stop, Duration::ZERO);
        let _hour = timeout(Duration::from_secs(3600), async { tokio::join!(labels, leading) }).await;
        let mut count = 0;
        while asked.try_recv().is_ok() {
            count += 1;
        }
        count
    }

    #[tokio::test(start_paused = true)]
    async fn a_standby_that_the_fence_lets_write_nothing_does_not_insist() {
        assert_eq!(asked_in_an_hour(false).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_that_the_server_does_not_know_yet_tries_again() {
        assert!(asked_in_an_hour(true).await > 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_holder_whose_pod_can_not_be_labelled_does_not_keep_others_from_it() {
        let (client, mut asked) = denying();
        let (_alone, leadership) = Alone::new("a_1");
        let mut labels = LeaderLabel::new(client, own(), leadership);
        labels.wants(pod_of("0_1").unwrap(), false);
        labels.wants(own().pod, true);
        labels.label(PATIENCE).await;
        assert_eq!(asked.try_recv().unwrap(), "/api/v1/namespaces/default/pods/a");
        assert_eq!(labels.wanted.len(), 2, "both are tried again");
    }

    #[test]
    fn a_holder_whose_name_no_pod_can_have_has_none() {
        assert_eq!(pod_of("a.b_1"), Some(OnePod { name: "a.b".to_owned(), uid: "1".to_owned() }));
        for other in ["a", "Not a pod_1", "../secrets/a_1", "_1"] {
            assert_eq!(pod_of(other), None, "{other}");
        }
    }
}
