//! A whole operator whose lock goes with its holder's pod.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use kubeops::operator::RunningOperator;
use kubeops_testkit::Cluster;
use serde_json::{Value, json};

use crate::pages::{Page, operator, until};

async fn pod(cluster: &Cluster, name: &str) {
    let pod = json!({ "metadata": { "name": name }, "spec": { "containers": [{ "name": "operator", "image": "i" }] } });
    let pods: Api<Pod> = Api::default_namespaced(cluster.client("kubectl"));
    pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
}

async fn replica(cluster: &Cluster, name: &str) -> RunningOperator {
    let settings = [("KubeOps:LeaderElectionLock", "LeaderLock"), ("KubeOps:InstallCrds", "true")];
    operator().start_replica_on(cluster, name, &settings).await
}

async fn leads(running: &RunningOperator) -> bool {
    running.get("/readyz/leading").await.0 == 200
}

#[tokio::test(start_paused = true)]
async fn an_operator_installs_the_kind_of_its_lock_and_leads_until_its_pod_is_gone() {
    let cluster = Cluster::start().await;
    cluster.install::<Page>().await;
    pod(&cluster, "a").await;
    let first = replica(&cluster, "a").await;
    until("it leads", async || leads(&first).await).await;
    assert_eq!(first.get("/startupz").await.0, 200);
    let (_, metrics) = first.get("/metrics").await;
    assert!(metrics.contains("leader_election_master_status{name=\"kubeops-leader\"} 1"), "{metrics}");

    // Its process dies, and its pod goes later.
    drop(first);
    pod(&cluster, "b").await;
    let second = replica(&cluster, "b").await;
    until("it is ready", async || second.get("/readyz").await.0 == 200).await;
    let seen: Value = serde_json::from_str(&second.get("/status").await.1).unwrap();
    let lock = json!({ "kind": "LeaderLock", "namespace": "default", "name": "kubeops-leader" });
    assert_eq!(seen["leadership"]["lock"], lock);
    assert!(seen["leadership"]["leader"].as_str().unwrap().starts_with("a_"), "{seen:#}");
    assert!(!leads(&second).await);
    let pods: Api<Pod> = Api::default_namespaced(cluster.client("kubectl"));
    let at_once = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
    pods.delete("a", &at_once).await.unwrap();
    until("it leads", async || leads(&second).await).await;
    second.stop().await.unwrap();
}
