//! The fence in the API server: policy and binding as they are generated, and pods that it knows by their tokens.

use std::path::Path;

use k8s_openapi::api::core::v1::{ConfigMap, Event};
use kube::api::{DynamicObject, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;

use crate::harness::{
    BoundPod, Cluster, DEMO, LOCK, LOCK_OF_DEMO, NAMESPACE, OPERATOR, PATIENCE, SYSTEM, eventually, say,
    service_account,
};

pub(crate) const POLICY: &str = "guestbook-operator.guestbook-system.leader-fence";
const POLICY_OF_DEMO: &str = "demo-guestbook-operator.one.leader-fence";
const NAME: &str = "late";

/// Applies the manifests as strictly as kubectl can, and finds them unchanged in the cluster.
pub(crate) async fn apply_strictly(cluster: &Cluster, base: &Path) {
    let base = base.to_str().expect("UTF-8");
    let text = cluster.kubectl(&["apply", "--validate=strict", "-k", base]).await;
    assert_eq!(cluster.kubectl(&["diff", "-k", base]).await, "", "after {text}");
}

async fn fenced_cluster() -> Cluster {
    let cluster = Cluster::start_bare().await;
    apply_strictly(&cluster, &cluster.generate("manifests", &["--fence"]).await.join("base")).await;
    cluster
}

/// A write that the operator has the right to.
pub(crate) async fn write(client: &Client, name: &str) -> kube::Result<ConfigMap> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let map = ConfigMap { metadata, ..ConfigMap::default() };
    maps.patch(name, &PatchParams::apply("test").force(), &Patch::Apply(&map)).await
}

/// Waits until the server goes by a policy that was just installed, and refuses those who do not lead.
pub(crate) async fn wait_installed(policy: &str, client: &Client) {
    eventually(&format!("{policy} is installed"), PATIENCE, async || match write(client, NAME).await {
        Err(kube::Error::Api(status)) if status.message.contains(policy) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

/// The code with which this policy refused a write; panics if something else came of it.
pub(crate) fn refused_by<T: std::fmt::Debug>(policy: &str, outcome: kube::Result<T>) -> u16 {
    match outcome {
        Err(kube::Error::Api(status)) if status.message.contains(&format!("ValidatingAdmissionPolicy '{policy}'")) => {
            status.code
        }
        other => panic!("not refused by {policy}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn writes_of_an_old_holder_are_refused_by_the_server_and_those_of_the_new_one_succeed() {
    let cluster = fenced_cluster().await;
    let (old, new) = (cluster.bound_pod_of(SYSTEM, OPERATOR, "pod-a").await, pod_b(&cluster).await);
    wait_installed(POLICY, &old.client).await;
    assert_eq!(refused_by(POLICY, write(&old.client, NAME).await), 422, "there is no Lease yet");

    let mut leader = old.recipe.start();
    leader.wait_ready().await;
    cluster.wait_held_by(SYSTEM, LOCK, &old.identity).await;
    cluster.guestbooks.create_many("book", 3).await;
    cluster.guestbooks.wait_settled("book-0").await;
    write(&old.client, NAME).await.expect("the holder may write");
    assert_eq!(refused_by(POLICY, write(&new.client, NAME).await), 403);
    assert_eq!(refused_by(POLICY, write(&cluster.operators_client().await, NAME).await), 403, "bound to no pod");
    write(&cluster.client, NAME).await.expect("others are no business of the fence");

    let standby = new.recipe.start();
    standby.wait_ready().await;
    assert_eq!(leader.stop().await, 0);
    cluster.wait_held_by(SYSTEM, LOCK, &new.identity).await;
    cluster.guestbooks.prove_reconciling("book-0", "by the new leader").await;
    cluster.guestbooks.delete("book-1").await;
    cluster.guestbooks.wait_gone("book-1").await;
    let failed = standby.log_lines(&["ValidatingAdmissionPolicy"]);
    assert!(failed.is_empty(), "what met the server's delay was tried again below the reconcile: {failed:#?}");

    old_holder_is_late(&cluster, &old.client).await;
    let denied = cluster.ledger().of(&service_account()).such(|event| event.code == Some(403));
    say(format!("refused by the fence: {:?}", denied.summary()));
}

async fn pod_b(cluster: &Cluster) -> BoundPod {
    cluster.bound_pod_of(SYSTEM, OPERATOR, "pod-b").await
}

/// Everything that the old holder held back and sends now.
async fn old_holder_is_late(cluster: &Cluster, old: &Client) {
    assert_eq!(refused_by(POLICY, write(old, NAME).await), 403);
    let guestbooks = cluster.guestbooks.of(old.clone());
    let status = Patch::Merge(json!({ "status": { "reconciledBy": "somebody who leads no more" } }));
    let params = PatchParams::default();
    assert_eq!(refused_by(POLICY, guestbooks.patch_status("book-0", &params, &status).await), 403);
    let finalizers = Patch::Merge(json!({ "metadata": { "finalizers": [] } }));
    assert_eq!(refused_by(POLICY, guestbooks.patch("book-0", &params, &finalizers).await), 403);
    // Reads, Events and the lock are not fenced.
    guestbooks.list(&ListParams::default()).await.expect("list");
    let events: Api<Event> = Api::namespaced(old.clone(), NAMESPACE);
    let metadata = ObjectMeta { generate_name: Some("late-".to_owned()), ..ObjectMeta::default() };
    let event = Event { metadata, reason: Some("Late".to_owned()), ..Event::default() };
    let event = events.create(&PostParams::default(), &event).await;
    assert!(!format!("{event:?}").contains(POLICY), "{event:?}");
    let leases: Api<k8s_openapi::api::coordination::v1::Lease> = Api::namespaced(old.clone(), SYSTEM);
    let only_it = ListParams::default().fields(&format!("metadata.name={LOCK}"));
    let lease = leases.list(&only_it).await.expect("list the lock").items.remove(0);
    leases.replace(LOCK, &PostParams::default(), &lease).await.expect("the lock is anybody's who may stand for it");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_replica_that_the_fence_would_not_know_says_so_and_ends() {
    let cluster = fenced_cluster().await;
    let unbound = cluster.pod("pod-a").await.run().await;
    let told = String::from_utf8_lossy(&unbound.stderr).into_owned() + &String::from_utf8_lossy(&unbound.stdout);
    assert_eq!(unbound.status.code(), Some(1), "{told}");
    assert!(told.contains("uses no token that is bound to a pod"), "{told}");

    let pod = pod_b(&cluster).await;
    let renamed = pod.recipe.clone().set("KubeOps__Name", "other").run().await;
    let told = String::from_utf8_lossy(&renamed.stderr).into_owned() + &String::from_utf8_lossy(&renamed.stdout);
    assert!(told.contains("takes this replica for another"), "{told}");

    let nameless = pod.recipe.unset("POD_UID").run().await;
    let told = String::from_utf8_lossy(&nameless.stderr).into_owned();
    assert_eq!(nameless.status.code(), Some(78), "{told}");
    assert!(told.contains("KubeOps:PodUid") && told.contains("fieldPath: metadata.uid"), "{told}");
    let wrote = cluster.ledger().of(&service_account()).writes();
    let reviews = wrote.such(|event| event.resource == "selfsubjectreviews").len();
    assert_eq!(wrote.len(), reviews, "{:#?}", wrote.lines());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_fence_is_refused_where_nobody_is_elected() {
    let cluster = Cluster::start_bare().await;
    let root = concat!("--content-root=", env!("CARGO_MANIFEST_DIR"));
    let off = "KubeOps:EnableLeaderElection=false";
    let output = cluster.command(&["generate", "manifests", "--fence", root, "--set", off]).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(78), "{told}");
    assert!(told.contains("KubeOps:EnableLeaderElection") && told.contains("--fence"), "{told}");

    let chart = cluster.chart(&[]).await;
    let set = "leaderElection.fence=true,leaderElection.enabled=false,deployment.replicas=1";
    let output = cluster.try_helm(&["template", "demo", &chart, "--set", set]).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("leaderElection.fence is true"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn the_chart_has_the_same_fence() {
    let cluster = Cluster::start_bare().await;
    let chart = cluster.chart(&[]).await;
    cluster.release(&chart, &["leaderElection.fence=true"]).await;
    let pod = cluster.bound_pod_of("one", DEMO, "pod-a").await;
    wait_installed(POLICY_OF_DEMO, &pod.client).await;
    let replica = pod.recipe.start();
    replica.wait_ready().await;
    cluster.wait_held_by("one", LOCK_OF_DEMO, &pod.identity).await;
    cluster.guestbooks.create_many("book", 1).await;
    cluster.guestbooks.wait_settled("book-0").await;

    let specs = async |name: &str| -> Vec<serde_json::Value> {
        let mut specs = Vec::new();
        for kind in ["validatingadmissionpolicy", "validatingadmissionpolicybinding"] {
            let text = cluster.kubectl(&["get", kind, name, "--output=json"]).await;
            let object: DynamicObject = serde_json::from_str(&text).expect("an object");
            specs.push(object.data["spec"].clone());
        }
        specs
    };
    let of_chart = specs(POLICY_OF_DEMO).await;
    let base = cluster.generate("manifests", &["--fence"]).await.join("base");
    cluster.kubectl(&["apply", "--server-side", "--force-conflicts", "-k", base.to_str().expect("UTF-8")]).await;
    let renamed = json!(specs(POLICY).await)
        .to_string()
        .replace(SYSTEM, "one")
        .replace(OPERATOR, DEMO)
        .replace(LOCK, LOCK_OF_DEMO);
    assert_eq!(json!(of_chart).to_string(), renamed);
}
