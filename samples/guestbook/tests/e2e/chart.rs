//! The generated Helm chart on a real API server: installed, upgraded and uninstalled by the real Helm, the operator run as what
//! it makes of it.

use std::path::Path;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::Api;
use kube::api::ListParams;

use crate::harness::{Cluster, DEMO, LOCK_OF_DEMO, NAMESPACE, OPERATOR, SYSTEM, reconciled_by, replica_of};

const CRD: &str = "guestbooks.guestbook.example.com";

fn checksum(deployment: &Deployment) -> Option<&String> {
    let template = &deployment.spec.as_ref()?.template;
    template.metadata.as_ref()?.annotations.as_ref()?.get("checksum/appsettings")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_release_is_installed_upgraded_and_uninstalled_beside_another() {
    let cluster = Cluster::start_bare().await;
    let chart = cluster.chart(&[]).await;
    cluster.helm(&["lint", "--strict", &chart]).await;
    cluster.release(&chart, &[]).await;

    let mut first = cluster.pod_of("one", DEMO, "pod-a").await.start();
    first.wait_ready().await;
    cluster.wait_holder("one", LOCK_OF_DEMO, "pod-a").await;
    cluster.guestbooks.create_many("book", 1).await;
    let book = cluster.guestbooks.wait_settled("book-0").await;
    assert_eq!(reconciled_by(&book).map(replica_of), Some("pod-a"));
    let before = cluster.deployment("one", DEMO).await;

    // Other settings are other pods.
    assert_eq!(first.stop().await, 0);
    cluster.release(&chart, &["appsettings.Guestbook.Theme=dark"]).await;
    let after = cluster.deployment("one", DEMO).await;
    assert!(checksum(&before).is_some() && checksum(&before) != checksum(&after), "{after:?}");
    let mut first = cluster.pod_of("one", DEMO, "pod-b").await.start();
    cluster.wait_holder("one", LOCK_OF_DEMO, "pod-b").await;
    cluster.guestbooks.prove_reconciling("book-0", "after the upgrade").await;
    assert!(cluster.guestbooks.page("book-0").await.contains("color-scheme: dark"));
    assert_eq!(first.stop().await, 0);

    // A second release of the same name: the CRD is the first one's.
    let set = ["--set", "crds.install=false", "--set", "appsettings.KubeOps.Namespaces={default}"];
    let second = ["install", "demo", &chart, "--namespace", "two", "--create-namespace"];
    cluster.helm(&[&second[..], &set].concat()).await;
    cluster.helm(&["uninstall", "demo", "--namespace", "one"]).await;
    assert!(cluster.kubectl(&["get", "crd"]).await.contains(CRD), "kept, and with it all guestbooks");
    let roles = Api::<ClusterRole>::all(cluster.client.clone());
    let ours = ListParams::default().labels("app.kubernetes.io/instance=demo");
    assert_eq!(
        roles.list(&ours).await.expect("list ClusterRoles").items,
        [],
        "the second one watches a namespace only"
    );
    let mut second = cluster.pod_of("two", DEMO, "pod-c").await.start();
    second.wait_ready().await;
    cluster.wait_holder("two", LOCK_OF_DEMO, "pod-c").await;
    cluster.guestbooks.prove_reconciling("book-0", "by the second release").await;
    cluster.guestbooks.delete("book-0").await;
    cluster.guestbooks.wait_gone("book-0").await;
    assert_eq!(second.stop().await, 0);

    let accounts = ["one", "two"].map(|namespace| format!("system:serviceaccount:{namespace}:{DEMO}"));
    for account in accounts {
        let denied = cluster.ledger().of(&account).such(|event| event.code == Some(403));
        assert_eq!(denied.len(), 0, "{account}: {:#?}", denied.lines());
        assert!(cluster.ledger().of(&account).writes().len() > 0, "{account} worked in {NAMESPACE}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn two_replicas_without_election_and_unknown_values_are_refused() {
    let cluster = Cluster::start_bare().await;
    let chart = cluster.chart(&[]).await;
    let refused = async |set: &str| {
        let output = cluster.try_helm(&["template", "demo", &chart, "--set", set]).await;
        assert!(!output.status.success(), "{set}: {output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let told = refused("leaderElection.enabled=false").await;
    assert!(told.contains("Set leaderElection.enabled=true or deployment.replicas=1"), "{told}");
    let told = refused("leaderElection.enabeld=true").await;
    assert!(told.contains("enabeld"), "{told}");
    let told = refused("deployment.replicas=many").await;
    assert!(told.contains("/deployment/replicas"), "{told}");
    let told = refused("metrics.serviceMonitor.enabled=true,metrics.service.create=false").await;
    assert!(told.contains("metrics.serviceMonitor.enabled needs metrics.service.create"), "{told}");

    let alone = ["--set", "leaderElection.enabled=false,deployment.replicas=1"];
    let text = cluster.helm(&[&["template", "demo", &chart][..], &alone].concat()).await;
    assert!(text.contains("type: Recreate") && !text.contains("leases"), "{text}");
}

/// The pod is in the templates and in the manifests; what is different is only what its objects are called.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn the_chart_and_the_manifests_make_the_same_pods() {
    let cluster = Cluster::start_bare().await;
    let chart = cluster.chart(&[]).await;
    cluster.helm(&["install", "demo", &chart, "--namespace", SYSTEM, "--create-namespace"]).await;
    let base = cluster.generate("manifests", &[]).await.join("base");
    apply(&cluster, &base).await;

    let of_chart = pod(&cluster.deployment(SYSTEM, DEMO).await, DEMO);
    let of_manifests = pod(&cluster.deployment(SYSTEM, OPERATOR).await, OPERATOR);
    assert_eq!(of_chart, of_manifests);
}

async fn apply(cluster: &Cluster, folder: &Path) {
    let folder = folder.to_str().expect("UTF-8");
    // Server-side, because the CRD is Helm's already.
    cluster.kubectl(&["apply", "--server-side", "--force-conflicts", "-k", folder]).await;
}

/// The pod as text, without what its objects are called.
fn pod(deployment: &Deployment, operator: &str) -> serde_json::Value {
    let mut spec = deployment.spec.clone().expect("a spec").template.spec.expect("a pod");
    for constraint in spec.topology_spread_constraints.iter_mut().flatten() {
        let labels = constraint.label_selector.as_mut().and_then(|selector| selector.match_labels.as_mut());
        labels.expect("labels").remove("app.kubernetes.io/instance");
    }
    for volume in spec.volumes.iter_mut().flatten() {
        // kustomize adds a hash.
        let map = volume.config_map.as_mut().expect("a ConfigMap");
        assert!(map.name.starts_with(&format!("{operator}-settings")), "{}", map.name);
        map.name = "settings".to_owned();
    }
    let account = [&mut spec.service_account_name, &mut spec.service_account];
    account.into_iter().for_each(|name| assert_eq!(name.take().as_deref(), Some(operator)));
    serde_json::to_value(spec).expect("a pod as JSON")
}
