//! The generated Helm chart on a real API server: installed, upgraded and uninstalled by the real Helm, the operator run as what
//! it makes of it.

use std::path::Path;
use std::process::Output;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::Api;
use kube::api::ListParams;

use crate::harness::{Cluster, NAMESPACE, OPERATOR, PATIENCE, SYSTEM, eventually, reconciled_by, replica_of};

const CRD: &str = "guestbooks.guestbook.example.com";
/// What the release `demo` calls things.
const DEMO: &str = "demo-guestbook-operator";
const LOCK: &str = "demo-guestbook-operator-leader";

async fn try_helm(cluster: &Cluster, arguments: &[&str]) -> Output {
    let helm = std::env::var_os("KUBEOPS_HELM").expect("KUBEOPS_HELM is not set: `cargo xtask test` sets it");
    let mut command = tokio::process::Command::new(helm);
    command.env("KUBECONFIG", cluster.plane.kubeconfig_for("admin").expect("a kubeconfig"));
    for home in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(home, cluster.directory().join(home));
    }
    command.args(arguments).output().await.expect("run helm")
}

async fn helm(cluster: &Cluster, arguments: &[&str]) -> String {
    let output = try_helm(cluster, arguments).await;
    assert!(output.status.success(), "helm {arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn generate(cluster: &Cluster) -> String {
    cluster.generate("helm", &[]).await.to_str().expect("UTF-8").to_owned()
}

async fn deployment(cluster: &Cluster, namespace: &str, name: &str) -> Deployment {
    Api::namespaced(cluster.client.clone(), namespace).get(name).await.expect("a Deployment")
}

fn checksum(deployment: &Deployment) -> Option<&String> {
    let template = &deployment.spec.as_ref()?.template;
    template.metadata.as_ref()?.annotations.as_ref()?.get("checksum/appsettings")
}

async fn wait_held_by(cluster: &Cluster, namespace: &str, pod: &str) {
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), namespace);
    eventually(&format!("{pod} holds the lock in {namespace}"), PATIENCE, async || {
        let lease = leases.get(LOCK).await.map_err(|error| error.to_string())?;
        let holder = lease.spec.and_then(|spec| spec.holder_identity).unwrap_or_default();
        if replica_of(&holder) == pod { Ok(()) } else { Err(holder) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_release_is_installed_upgraded_and_uninstalled_beside_another() {
    let cluster = Cluster::start_bare().await;
    let chart = generate(&cluster).await;
    helm(&cluster, &["lint", "--strict", &chart]).await;
    let notes = helm(&cluster, &["install", "demo", &chart, "--namespace", "one", "--create-namespace"]).await;
    assert!(notes.contains(&format!("kubectl get lease {LOCK} --namespace one")), "{notes}");

    let mut first = cluster.pod_of("one", DEMO, "pod-a").await.start();
    first.wait_ready().await;
    wait_held_by(&cluster, "one", "pod-a").await;
    cluster.guestbooks.create_many("book", 1).await;
    let book = cluster.guestbooks.wait_settled("book-0").await;
    assert_eq!(reconciled_by(&book).map(replica_of), Some("pod-a"));
    // As ACK's guide has it checked: the Lease, its holder, the Events, the log.
    let about_lock = format!("involvedObject.name={LOCK}");
    eventually("the Event tells who leads", PATIENCE, async || {
        let events = cluster.kubectl(&["get", "events", "--namespace", "one", "--field-selector", &about_lock]).await;
        if events.contains("pod-a_uid-of-pod-a became leader") { Ok(()) } else { Err(events) }
    })
    .await;
    assert!(!first.log_lines(&["became leader", LOCK]).is_empty(), "{}", first.log());
    let before = deployment(&cluster, "one", DEMO).await;

    // Other settings are other pods. The lock goes to another namespace, and the right to it; while it does, nobody works.
    assert_eq!(first.stop().await, 0);
    cluster.kubectl(&["create", "namespace", "locks"]).await;
    let set = ["--set", "appsettings.Guestbook.Theme=dark", "--set", "leaderElection.namespace=locks"];
    helm(&cluster, &[&["upgrade", "demo", &chart, "--namespace", "one"][..], &set].concat()).await;
    let after = deployment(&cluster, "one", DEMO).await;
    assert!(checksum(&before).is_some() && checksum(&before) != checksum(&after), "{after:?}");
    let mut first = cluster.pod_of("one", DEMO, "pod-b").await.start();
    wait_held_by(&cluster, "locks", "pod-b").await;
    cluster.guestbooks.prove_reconciling("book-0", "after the upgrade").await;
    assert!(cluster.guestbooks.page("book-0").await.contains("color-scheme: dark"));
    assert_eq!(first.stop().await, 0);

    // A second release of the same name: the CRD is the first one's.
    let set = ["--set", "crds.install=false", "--set", "appsettings.KubeOps.Namespaces={default}"];
    let second = ["install", "demo", &chart, "--namespace", "two", "--create-namespace"];
    helm(&cluster, &[&second[..], &set].concat()).await;
    helm(&cluster, &["uninstall", "demo", "--namespace", "one"]).await;
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
    wait_held_by(&cluster, "two", "pod-c").await;
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
    let chart = generate(&cluster).await;
    let refused = async |set: &str| {
        let output = try_helm(&cluster, &["template", "demo", &chart, "--set", set]).await;
        assert!(!output.status.success(), "{set}: {output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let told = refused("leaderElection.enabled=false").await;
    assert!(told.contains("Set leaderElection.enabled=true or deployment.replicas=1"), "{told}");
    let told = refused("leaderElection.enabeld=true").await;
    assert!(told.contains("enabeld"), "{told}");
    let told = refused("deployment.replicas=many").await;
    assert!(told.contains("/deployment/replicas"), "{told}");

    let alone = ["--set", "leaderElection.enabled=false,deployment.replicas=1"];
    let text = helm(&cluster, &[&["template", "demo", &chart][..], &alone].concat()).await;
    assert!(text.contains("type: Recreate") && !text.contains("leases"), "{text}");
}

/// Pods and rights are in the templates and in the manifests; what is different is only what they are called.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn the_chart_and_the_manifests_make_the_same_pods_and_rights() {
    let cluster = Cluster::start_bare().await;
    let chart = generate(&cluster).await;
    let all = ["--set", "networkPolicy.enabled=true"];
    let install = ["install", "demo", &chart, "--namespace", SYSTEM, "--create-namespace"];
    helm(&cluster, &[&install[..], &all].concat()).await;
    let base = cluster.generate("manifests", &[]).await.join("base");
    apply(&cluster, &base).await;

    let of_chart = pod(&deployment(&cluster, SYSTEM, DEMO).await, DEMO);
    let of_manifests = pod(&deployment(&cluster, SYSTEM, OPERATOR).await, OPERATOR);
    assert_eq!(of_chart, of_manifests);
    let roles: Api<ClusterRole> = Api::all(cluster.client.clone());
    let rules = async |name: &str| roles.get(&format!("{SYSTEM}:{name}")).await.expect("a ClusterRole").rules;
    assert_eq!(rules(DEMO).await, rules(OPERATOR).await);
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
