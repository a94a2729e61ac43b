//! The label of the leader's Pod.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::PostParams;
use kube::{Api, ResourceExt};
use kubeops::operator::RunningOperator;
use kubeops_testkit::cluster::Fault;
use kubeops_testkit::{AuditEvent, Cluster};
use serde_json::json;
use tokio::time::sleep;

use crate::pages::{cluster, operator, until};

const MINUTE: Duration = Duration::from_secs(60);

fn pods(cluster: &Cluster) -> Api<Pod> {
    Api::default_namespaced(cluster.client("kubectl"))
}

/// Creates the pod, and starts the operator in it.
async fn replica(cluster: &Cluster, name: &str) -> RunningOperator {
    let pod = json!({ "metadata": { "name": name }, "spec": { "containers": [{ "name": "a", "image": "a" }] } });
    pods(cluster).create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
    restarted(cluster, name).await
}

/// Starts the operator in a pod that is there.
async fn restarted(cluster: &Cluster, name: &str) -> RunningOperator {
    let uid = pods(cluster).get(name).await.unwrap().uid().unwrap();
    let settings = [("KubeOps:LeaderElectionLabelPod", "true"), ("KubeOps:PodUid", &uid)];
    operator().start_replica_on(cluster, name, &settings).await
}

async fn labelled(cluster: &Cluster) -> Vec<String> {
    let pods = pods(cluster).list(&Default::default()).await.unwrap();
    let labelled = pods.iter().filter(|pod| pod.labels().get("kubeops.rs/role").is_some_and(|role| role == "leader"));
    labelled.map(ResourceExt::name_any).collect()
}

async fn until_labelled(cluster: &Cluster, expected: &[&str]) {
    until(&format!("{expected:?} are labelled"), async || labelled(cluster).await == expected).await;
}

#[tokio::test(start_paused = true)]
async fn the_leaders_pod_has_the_label_and_a_handover_moves_it() {
    let cluster = cluster().await;
    let first = replica(&cluster, "a").await;
    until_labelled(&cluster, &["a"]).await;
    let second = replica(&cluster, "b").await;
    sleep(MINUTE).await;
    assert_eq!(labelled(&cluster).await, ["a"]);
    let patches = cluster.requests().into_iter().filter(labels_pod);
    assert!(patches.count() <= 3, "once at each start, and once at the beginning of a term");
    first.stop().await.unwrap();
    until_labelled(&cluster, &["b"]).await;
    second.stop().await.unwrap();
    assert!(labelled(&cluster).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_label_that_a_dead_leader_left_is_taken_off_by_the_next_one() {
    let cluster = cluster().await;
    let first = replica(&cluster, "a").await;
    until_labelled(&cluster, &["a"]).await;
    let _second = replica(&cluster, "b").await;
    sleep(MINUTE).await;
    drop(first);
    sleep(MINUTE).await;
    assert_eq!(labelled(&cluster).await, ["b"]);
}

#[tokio::test(start_paused = true)]
async fn a_label_that_an_earlier_container_left_is_taken_off_at_the_start() {
    let cluster = cluster().await;
    let first = replica(&cluster, "a").await;
    until_labelled(&cluster, &["a"]).await;
    cluster.faults("a").always(Fault::Hang);
    drop(first);
    let _other = replica(&cluster, "b").await;
    // The next leader takes it off, and somebody puts it on again.
    until_labelled(&cluster, &["b"]).await;
    let patch = kube::api::Patch::Merge(json!({ "metadata": { "labels": { "kubeops.rs/role": "leader" } } }));
    pods(&cluster).patch("a", &Default::default(), &patch).await.unwrap();
    cluster.faults("a").mend();
    let _again = restarted(&cluster, "a").await;
    until_labelled(&cluster, &["b"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_may_not_label_leads_all_the_same_and_labels_once_it_may() {
    let cluster = cluster().await;
    cluster.faults("a").when(labels_pod, None, Fault::Refuse { code: 403, retry_after: None });
    let first = replica(&cluster, "a").await;
    until("it leads", async || crate::pages::leads(&first).await).await;
    sleep(MINUTE).await;
    assert!(labelled(&cluster).await.is_empty());
    cluster.faults("a").mend();
    until_labelled(&cluster, &["a"]).await;
}

fn labels_pod(request: &AuditEvent) -> bool {
    request.resource == "pods" && request.verb == "patch"
}

#[tokio::test]
#[should_panic(expected = "KubeOps:LeaderElectionLabelPod: needs to know the pod: set POD_NAME and POD_UID")]
async fn without_the_pods_uid_it_does_not_start() {
    let cluster = cluster().await;
    let settings = [("KubeOps:LeaderElectionLabelPod", "true")];
    let _running = operator().start_replica_on(&cluster, "a", &settings).await;
}
