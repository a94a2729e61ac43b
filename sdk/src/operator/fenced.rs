//! Checks at the start that the fence in the API server can tell this replica from others: it goes by the pod that a token is
//! bound to, and lets nobody write if that is not what the lock names.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{SelfSubjectReview, UserInfo};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::kube_ops::{KubeOps, SECTION};
use super::run::RunError;
use super::trouble::Trouble;
use crate::BoxError;
use crate::chain::chain;
use crate::health::CheckResult;
use crate::host::HostedService;
use crate::settings::{Problem, Problems};

const POD_NAME: &str = "authentication.kubernetes.io/pod-name";
const POD_UID: &str = "authentication.kubernetes.io/pod-uid";
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(1);

/// Starts when the API server has said that this replica is who it says it is.
pub(super) struct Fenced {
    client: Client,
    name: String,
    uid: String,
    checked: Arc<Mutex<CheckResult>>,
}

/// The fence would let this replica write nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotFenced {
    #[error(
        "LeaderElectionFence is true, and the API server can't tell this replica from others: {user} uses no token that is bound \
         to a pod; use the token that the kubelet mounts into the pod, or `kubectl create token --bound-object-kind Pod`, or set \
         LeaderElectionFence to false and remove the policy"
    )]
    Unbound { user: String },
    #[error(
        "LeaderElectionFence is true, and the API server takes this replica for another: its token is bound to the pod {pod} ({uid}), \
         and it stands for the lock as {name} ({given}); set POD_NAME and POD_UID by the Downward API, and neither KubeOps:Name nor \
         KubeOps:PodUid"
    )]
    Another { pod: String, uid: String, name: String, given: String },
}

/// A replica without its pod's uid stands under a random id, which the fence lets write nothing. `given`: it was set, and another
/// process of the pod has it.
pub(super) fn check_identity(settings: &KubeOps, given: bool) -> Result<(), RunError> {
    if !settings.leader_election_fence || settings.pod_uid.is_some() {
        return Ok(());
    }
    let message = match given {
        true => {
            "is set, and another process of this pod stands for the lock under it; LeaderElectionFence lets only one of them write: \
             give each process a pod or a lock of its own"
        }
        false => {
            "is not set, and LeaderElectionFence is true: the API server would let this replica write nothing. Set POD_UID by the \
             Downward API: env: [{ name: POD_UID, valueFrom: { fieldRef: { fieldPath: metadata.uid } } }]"
        }
    };
    let mut problems = Problems::default();
    problems.push(Problem::new(format!("{SECTION}:PodUid"), message));
    Err(RunError::Settings(problems))
}

// === impl Fenced ===

impl Fenced {
    /// The service, and its health check; `None` if there is no fence.
    pub(super) fn new(
        client: Client,
        settings: &KubeOps,
    ) -> Option<(Self, impl Fn() -> CheckResult + Send + Sync + 'static)> {
        let uid = settings.pod_uid.clone().filter(|_| settings.leader_election_fence)?;
        let checked = Arc::new(Mutex::new(Err("not checked yet".to_owned())));
        let asked = checked.clone();
        let check = move || asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some((Self { client, name: settings.name.clone(), uid, checked }, check))
    }

    /// Who the API server takes this process for.
    async fn ask(&self) -> Result<UserInfo, String> {
        let reviews: Api<SelfSubjectReview> = Api::all(self.client.clone());
        match timeout(PATIENCE, reviews.create(&PostParams::default(), &SelfSubjectReview::default())).await {
            Ok(Ok(review)) => Ok(review.status.and_then(|status| status.user_info).unwrap_or_default()),
            Ok(Err(error)) => Err(chain(&error)),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }

    fn check(&self, user: UserInfo) -> Result<(), NotFenced> {
        let UserInfo { extra, username, .. } = user;
        let extra = extra.unwrap_or_default();
        let of = |key: &str| extra.get(key).and_then(|values| values.first()).cloned();
        let (Some(pod), Some(uid)) = (of(POD_NAME), of(POD_UID)) else {
            return Err(NotFenced::Unbound { user: username.unwrap_or_default() });
        };
        if (&pod, &uid) == (&self.name, &self.uid) {
            return Ok(());
        }
        Err(NotFenced::Another { pod, uid, name: self.name.clone(), given: self.uid.clone() })
    }

    fn now(&self, result: CheckResult) {
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = result;
    }
}

impl HostedService for Fenced {
    async fn start(&mut self) -> Result<(), BoxError> {
        let mut trouble = Trouble::default();
        let user = loop {
            match self.ask().await {
                Ok(user) => break user,
                Err(error) => {
                    if trouble.is_news() {
                        warn!(
                            error,
                            "the API server does not say who this replica is, which LeaderElectionFence needs; trying on, told again \
                             in a minute. The right to ask is `create selfsubjectreviews` of the ClusterRole system:basic-user"
                        );
                    }
                    self.now(Err(error));
                }
            }
            sleep(PAUSE).await;
        };
        self.check(user)?;
        self.now(Ok(String::new()));
        Ok(())
    }

    async fn run(self, stop: CancellationToken) -> Result<(), BoxError> {
        stop.cancelled().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use http::Response;
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::super::kube_ops::Defaults;
    use super::*;
    use crate::settings::{LoadOptions, Settings};

    fn settings(set: &[(&str, &str)]) -> KubeOps {
        let fenced = [("Name", "pod"), ("LeaderElectionId", "lock"), ("LeaderElectionFence", "true")];
        let set =
            fenced.iter().chain(set).map(|(key, value)| (format!("{SECTION}:{key}"), (*value).to_owned())).collect();
        let settings = Settings::load(LoadOptions { set, ..LoadOptions::default() }).unwrap();
        KubeOps::from_settings(&settings, &Defaults::default()).unwrap().0
    }

    /// A server that knows this extra of its user, after so many refusals.
    fn server(extra: Value, refusals: u32) -> Client {
        let left = AtomicU32::new(refusals);
        Client::new(
            tower::service_fn(move |_| {
                let refused = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
                let review =
                    json!({ "status": { "userInfo": { "username": "system:serviceaccount:a:b", "extra": extra } } });
                let body = Body::from(review.to_string().into_bytes());
                async move { Response::builder().status(if refused { 500 } else { 201 }).body(body) }
            }),
            "default",
        )
    }

    async fn start(extra: Value, refusals: u32) -> Result<(), String> {
        let (mut fenced, check) = Fenced::new(server(extra, refusals), &settings(&[("PodUid", "1")])).unwrap();
        let started = fenced.start().await.map_err(|error| error.to_string());
        assert_eq!(started.is_ok(), check().is_ok());
        started
    }

    #[tokio::test(start_paused = true)]
    async fn a_replica_starts_once_the_server_knows_it_as_its_pod() {
        start(json!({ POD_NAME: ["pod"], POD_UID: ["1"] }), 2).await.unwrap();
    }

    #[tokio::test]
    async fn a_token_without_a_pod_or_of_another_is_told_with_the_way_out() {
        let told = start(json!({}), 0).await.unwrap_err();
        assert!(told.contains("system:serviceaccount:a:b uses no token that is bound to a pod"), "{told}");
        let told = start(json!({ POD_NAME: ["pod"], POD_UID: ["2"] }), 0).await.unwrap_err();
        assert!(told.contains("bound to the pod pod (2), and it stands for the lock as pod (1)"), "{told}");
    }

    #[test]
    fn a_random_identity_is_refused_and_says_how_to_set_the_uid() {
        let told = |given| check_identity(&settings(&[]), given).unwrap_err().to_string();
        assert!(told(false).contains("PodUid") && told(false).contains("fieldPath: metadata.uid"), "{}", told(false));
        assert!(told(true).contains("another process of this pod"), "{}", told(true));
        check_identity(&settings(&[("PodUid", "1")]), true).unwrap();
        check_identity(&settings(&[("LeaderElectionFence", "false")]), false).unwrap();
    }
}
