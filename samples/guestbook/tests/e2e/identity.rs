//! Who a replica is and where its lock lives, by the Downward API's variables and by settings.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};

use crate::harness::{Cluster, LOCK, PATIENCE, eventually};

/// Waits until somebody holds the lock, and returns the identity.
async fn wait_holder(cluster: &Cluster, namespace: &str, lock: &str) -> String {
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), namespace);
    eventually(&format!("{namespace}/{lock} is held"), PATIENCE, async || {
        let lease = leases.get_opt(lock).await.map_err(|error| error.to_string())?;
        let holder = lease.and_then(|lease| lease.spec).and_then(|spec| spec.holder_identity);
        holder.filter(|holder| !holder.is_empty()).ok_or_else(|| "nobody".to_owned())
    })
    .await
}

async fn make_namespace(cluster: &Cluster, name: &str) {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let namespace = Namespace { metadata, ..Namespace::default() };
    Api::all(cluster.client.clone()).create(&PostParams::default(), &namespace).await.expect("make the namespace");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn the_pod_gives_name_uid_and_namespace() {
    let cluster = Cluster::start().await;
    make_namespace(&cluster, "of-the-pod").await;
    let recipe = cluster.replica("replica-a").unset("KubeOps__Name");
    let recipe = recipe.set("POD_NAME", "guestbook-7d9f").set("POD_UID", "8a1c").set("POD_NAMESPACE", "of-the-pod");
    let _replica = recipe.start();
    assert_eq!(wait_holder(&cluster, "of-the-pod", LOCK).await, "guestbook-7d9f_8a1c");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn settings_win_over_the_pod_and_name_the_lock() {
    let cluster = Cluster::start().await;
    make_namespace(&cluster, "locks").await;
    let recipe = cluster.replica("replica-a").set("POD_NAME", "guestbook-7d9f").set("POD_NAMESPACE", "default");
    let recipe = recipe.set("KubeOps__LeaderElectionId", "other").set("KUBEOPS__LEADERELECTIONNAMESPACE", "locks");
    let _replica = recipe.start();
    let holder = wait_holder(&cluster, "locks", "other").await;
    // No uid was given, so a random one tells this process from the ones before.
    assert!(holder.strip_prefix("replica-a_").is_some_and(|random| random.len() >= 32), "{holder}");
}
