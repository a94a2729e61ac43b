//! Pods: this process' own, and that of the lock's holder.

use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod as CorePod, PodStatus};
use kube::Client;
use kube::api::ApiResource;

use super::election::{Pod, PodSeen};
use crate::leadership::lock::{Found, LockError, Object};
use crate::leadership::watcher::{Events, Source};

/// What the garbage collector of pods gives as its reason when it calls a pod failed whose node is gone: the containers may live.
const BY_POD_GC: &str = "DeletionByPodGC";

/// The pod of one name.
#[derive(Clone, Debug)]
pub(super) struct PodSource(Arc<Object>);

impl PodSource {
    pub(super) fn new(client: Client, namespace: &str, name: &str) -> Self {
        let rule =
            format!("apiGroups: [''], resources: [pods], verbs: [list, watch], in a Role of namespace {namespace}");
        Self(Arc::new(Object::new(client, ApiResource::erase::<CorePod>(&()), namespace, name, rule)))
    }

    pub(super) async fn list(&self) -> Result<PodSeen, LockError> {
        seen(self.0.read().await?)
    }
}

impl Source for PodSource {
    type Seen = PodSeen;

    fn read(&self) -> BoxFuture<'_, Result<PodSeen, LockError>> {
        Box::pin(self.list())
    }

    fn watch(&self) -> BoxFuture<'_, Result<Events<PodSeen>, LockError>> {
        Box::pin(async move { Ok(self.0.watch().await?.map(|found| seen(found?)).boxed()) })
    }
}

fn seen(found: Found) -> Result<PodSeen, LockError> {
    let Found { version, object, .. } = found;
    let Some(object) = object else { return Ok(PodSeen { version, pod: None }) };
    let pod: CorePod = object.try_parse().map_err(|error| LockError::Unreadable(format!("a pod: {error}")))?;
    let uid = pod.metadata.uid.clone().unwrap_or_default();
    Ok(PodSeen { version, pod: Some(Pod { uid, dead: is_dead(&pod) }) })
}

/// Whether none of its containers runs, or ever will again. A node that is not ready proves nothing: what is there of the pod
/// then is what was true when it was last heard of.
fn is_dead(pod: &CorePod) -> bool {
    let Some(status) = &pod.status else { return false };
    let ended = matches!(status.phase.as_deref(), Some("Failed" | "Succeeded"));
    let containers = pod.spec.as_ref().map_or(usize::MAX, |spec| spec.containers.len());
    let all = status.container_statuses.as_ref().map_or(0, Vec::len) >= containers;
    ended && all && statuses(status).all(has_terminated) && !was_given_up(status)
}

fn statuses(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    let PodStatus { container_statuses, init_container_statuses, ephemeral_container_statuses, .. } = status;
    [container_statuses, init_container_statuses, ephemeral_container_statuses].into_iter().flatten().flatten()
}

fn has_terminated(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|state| state.terminated.is_some())
}

/// Not the kubelet has said so, but somebody who can't reach it.
fn was_given_up(status: &PodStatus) -> bool {
    let mut conditions = status.conditions.iter().flatten();
    conditions
        .any(|it| it.type_ == "DisruptionTarget" && it.status == "True" && it.reason.as_deref() == Some(BY_POD_GC))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn dead(change: impl FnOnce(&mut Value)) -> bool {
        let terminated = json!({ "name": "x", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
            "state": { "terminated": { "exitCode": 137 } } });
        let mut pod = json!({
            "metadata": { "name": "a-0", "uid": "p" },
            "spec": { "containers": [{ "name": "x" }, { "name": "y" }] },
            "status": { "phase": "Failed", "reason": "Evicted", "containerStatuses": [terminated.clone(), terminated] },
        });
        change(&mut pod);
        is_dead(&serde_json::from_value(pod).unwrap())
    }

    #[test]
    fn a_pod_is_dead_when_all_of_its_containers_have_ended_for_good() {
        assert!(dead(|_| {}), "evicted");
        assert!(dead(|pod| pod["status"]["phase"] = json!("Succeeded")));
        assert!(dead(|pod| pod["status"]["conditions"] = json!([
            { "type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet" }])));
    }

    #[test]
    fn whatever_may_still_run_is_alive() {
        for phase in ["Running", "Pending", "Unknown"] {
            assert!(!dead(|pod| pod["status"]["phase"] = json!(phase)), "{phase}: its containers are restarted");
        }
        let running = json!({ "running": { "startedAt": "2026-01-01T00:00:00Z" } });
        assert!(!dead(|pod| pod["status"]["containerStatuses"][1]["state"] = running.clone()));
        assert!(!dead(|pod| pod["status"]["containerStatuses"][1]["state"] = json!({ "waiting": {} })));
        assert!(!dead(|pod| {
            let mut sidecar = pod["status"]["containerStatuses"][0].clone();
            sidecar["state"] = running.clone();
            pod["status"]["initContainerStatuses"] = json!([sidecar]);
        }));
        assert!(!dead(|pod| pod["status"]["containerStatuses"] = json!([])), "nothing was heard of them");
        assert!(!dead(|pod| {
            pod["status"]["containerStatuses"].as_array_mut().unwrap().pop();
        }));
        assert!(!dead(|pod| pod["status"] = Value::Null));
    }

    #[test]
    fn a_pod_that_was_given_up_with_its_node_may_run() {
        let by_gc = json!([{ "type": "DisruptionTarget", "status": "True", "reason": BY_POD_GC }]);
        assert!(!dead(|pod| pod["status"]["conditions"] = by_gc));
    }
}
