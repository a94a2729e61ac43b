//! The label of the leader's pod, under the generated rights and no other.

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use crate::fence::apply_strictly;
use crate::harness::{Cluster, LOCK, OPERATOR, PATIENCE, SYSTEM, eventually};

/// Waits until these pods, and no others, are what a Service for the leader selects.
async fn wait_labelled(cluster: &Cluster, expected: &[&str]) {
    let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), SYSTEM);
    let of_leader = ListParams::default().labels("kubeops.rs/role=leader");
    eventually(&format!("{expected:?} are labelled"), PATIENCE, async || {
        let labelled = pods.list(&of_leader).await.map_err(|error| error.to_string())?;
        let labelled: Vec<String> = labelled.iter().map(ResourceExt::name_any).collect();
        if labelled == expected { Ok(()) } else { Err(format!("{labelled:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn the_label_follows_the_leader_and_is_taken_off_a_dead_one() {
    let cluster = Cluster::start_bare().await;
    let labels = ["--set", "KubeOps:LeaderElectionLabelPod=true"];
    apply_strictly(&cluster, &cluster.generate("manifests", &labels).await.join("base")).await;
    let mut pods = Vec::new();
    for name in ["pod-a", "pod-b", "pod-c"] {
        pods.push(cluster.bound_pod_of(SYSTEM, OPERATOR, name).await);
    }
    let mut first = pods[0].recipe.start();
    cluster.wait_held_by(SYSTEM, LOCK, &pods[0].identity).await;
    wait_labelled(&cluster, &["pod-a"]).await;

    let mut second = pods[1].recipe.start();
    second.wait_ready().await;
    first.kill();
    cluster.wait_held_by(SYSTEM, LOCK, &pods[1].identity).await;
    wait_labelled(&cluster, &["pod-b"]).await;
    assert_eq!(second.stop().await, 0);
    wait_labelled(&cluster, &[]).await;

    // A pod of this name and another uid is another's: its label is none of this process' business.
    let stranger = pods.remove(2).recipe.set("POD_UID", "8a1c").start();
    cluster.wait_held_by(SYSTEM, LOCK, "pod-c_8a1c").await;
    eventually("it says so", PATIENCE, async || match stranger.log_lines(&["there is no such pod to label"]) {
        lines if lines.is_empty() => Err(stranger.log()),
        _ => Ok(()),
    })
    .await;
    wait_labelled(&cluster, &[]).await;
}
