//! The generated manifests on a real API server: applied by kubectl, and the operator run as what they make of it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::flowcontrol::v1::FlowSchema;
use kube::Api;
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};
use kube::client::Body;
use serde_json::json;

use crate::harness::{
    Cluster, Grant, LOCK, Ledger, NAMESPACE, PATIENCE, Replica, SYSTEM, eventually, grant_lines, say, service_account,
};

const ARCHIVE: &str = "guestbook-archive";

async fn apply(cluster: &Cluster, folder: &std::path::Path) {
    let text = cluster.kubectl(&["apply", "-k", folder.to_str().expect("UTF-8")]).await;
    // What is generated is what the server keeps: nothing is left to do.
    let again = cluster.kubectl(&["diff", "-k", folder.to_str().expect("UTF-8")]).await;
    assert_eq!(again, "", "after {text}");
}

fn of_operator(cluster: &Cluster) -> Ledger {
    cluster.ledger().of(&service_account())
}

/// ConfigMap, Deployment and Service under a guestbook's name, which nobody owns.
async fn create_unowned_children(cluster: &Cluster, name: &str) {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let guestbooks = &cluster.guestbooks;
    let params = PostParams::default();
    let map = ConfigMap { metadata: metadata.clone(), ..ConfigMap::default() };
    guestbooks.config_maps().create(&params, &map).await.expect("create a ConfigMap");
    let labels = json!({ "app.kubernetes.io/name": "guestbook", "app.kubernetes.io/instance": name });
    let container = json!({ "name": "page", "image": "page" });
    let deployment = serde_json::from_value(json!({ "metadata": metadata, "spec": {
        "selector": { "matchLabels": labels },
        "template": { "metadata": { "labels": labels }, "spec": { "containers": [container] } },
    } }));
    guestbooks.deployments().create(&params, &deployment.expect("a Deployment")).await.expect("create a Deployment");
    let service =
        serde_json::from_value(json!({ "metadata": metadata, "spec": { "ports": [{ "name": "http", "port": 80 }] } }));
    guestbooks.services().create(&params, &service.expect("a Service")).await.expect("create a Service");
}

/// Makes the operator do all that it can: `new-…` gets children, `old-…` finds some that nobody owns, `gone-…` is deleted, and
/// `book-0` changes twice, so that an Event is counted up.
async fn work(cluster: &Cluster, round: usize) -> [String; 2] {
    let guestbooks = &cluster.guestbooks;
    let [new, old] = ["new", "old"].map(|prefix| format!("{prefix}-{round}"));
    create_unowned_children(cluster, &old).await;
    for name in [&new, &old] {
        guestbooks.create(name, json!({ "title": name })).await.expect("create a guestbook");
    }
    guestbooks.touch("book-0", &format!("change {round}")).await.expect("change a guestbook");
    [new, old]
}

async fn wait_worked(cluster: &Cluster, names: &[String]) {
    for name in names {
        let guestbook = cluster.guestbooks.wait_settled(name).await;
        cluster.guestbooks.assert_owns_children(&guestbook).await;
    }
    cluster.guestbooks.wait_settled("book-0").await;
}

async fn delete(cluster: &Cluster, name: &str) {
    cluster.guestbooks.delete(name).await;
    cluster.guestbooks.wait_gone(name).await;
    let archive = cluster.guestbooks.config_maps().get(ARCHIVE).await.expect("the archive");
    assert!(archive.data.is_some_and(|titles| titles.contains_key(name)), "{name} is archived");
}

/// Two pods do all that the operator can, and hand over. Then nothing was denied, and every right was used.
async fn run_everything(cluster: &Cluster, lock_namespace: &str) {
    let mut leader = cluster.pod("pod-a").await.start();
    leader.wait_ready().await;
    cluster.wait_holder(lock_namespace, LOCK, "pod-a").await;
    let standby = cluster.pod("pod-b").await.start();
    standby.wait_ready().await;

    cluster.guestbooks.create_many("book", 2).await;
    cluster.guestbooks.wait_settled("book-0").await;
    let names = work(cluster, 0).await;
    wait_worked(cluster, &names).await;
    delete(cluster, "book-1").await;

    assert_eq!(leader.stop().await, 0);
    cluster.wait_holder(lock_namespace, LOCK, "pod-b").await;
    let names = work(cluster, 1).await;
    wait_worked(cluster, &names).await;

    let grants = cluster.grants().await;
    let checked_by_admission = |grant: &Grant| grant.verb == "delete";
    eventually("every right was used", PATIENCE, async || {
        let ledger = of_operator(cluster);
        let unused = grants.iter().filter(|grant| !ledger.events().iter().any(|event| grant.was_used_by(event)));
        let unused = grant_lines(unused.filter(|grant| !checked_by_admission(grant)).cloned());
        if unused.is_empty() { Ok(()) } else { Err(format!("{unused:#?}")) }
    })
    .await;
    let denied = of_operator(cluster).such(|event| event.code == Some(403));
    assert_eq!(denied.len(), 0, "{:#?}", denied.lines());
    say(format!("{} rights, all used, nothing denied: {:?}", grants.len(), of_operator(cluster).summary()));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn under_the_generated_rights_everything_works_and_each_is_used() {
    let cluster = Cluster::start_bare().await;
    let overlay = cluster.generate("manifests", &[]).await.join("overlays/example");
    // The overlay is the user's: settings of it reach the pods, beside those of the base.
    std::fs::write(overlay.join("appsettings.Production.json"), r#"{ "Guestbook": { "Theme": "dark" } }"#)
        .expect("write");
    apply(&cluster, &overlay).await;
    run_everything(&cluster, SYSTEM).await;
    assert!(cluster.guestbooks.page("book-0").await.contains("color-scheme: dark"));
    assert_eq!(flow_schema_of_lock(&cluster).await, "guestbook-operator.guestbook-system");
}

/// Which FlowSchema the API server finds for a request for the lock, by the uid that it answers with.
async fn flow_schema_of_lock(cluster: &Cluster) -> String {
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases?fieldSelector=metadata.name%3D{LOCK}");
    let request = http::Request::get(path).body(Body::empty()).expect("a request");
    let answer = cluster.operators_client().await.send(request).await.expect("list the lock");
    assert_eq!(answer.status(), 200);
    let uid = answer.headers()["x-kubernetes-pf-flowschema-uid"].to_str().expect("a uid").to_owned();
    let schemas: Api<FlowSchema> = Api::all(cluster.client.clone());
    let schemas = schemas.list(&ListParams::default()).await.expect("list FlowSchemas").items;
    let schema = schemas.into_iter().find(|schema| schema.metadata.uid.as_ref() == Some(&uid));
    schema.and_then(|schema| schema.metadata.name).expect("the FlowSchema has a name")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn where_only_some_namespaces_are_watched_there_is_no_cluster_role_and_everything_works() {
    let cluster = Cluster::start_bare().await;
    cluster.kubectl(&["create", "namespace", "locks"]).await;
    let set = ["--set", "KubeOps:Namespaces:0=default", "--set", "KubeOps:LeaderElectionNamespace=locks"];
    let folder = cluster.generate("manifests", &set).await;
    apply(&cluster, &folder.join("base")).await;
    let grants = cluster.grants().await;
    let namespaces: BTreeSet<_> = grants.iter().map(|grant| grant.namespace.as_deref()).collect();
    assert_eq!(namespaces, BTreeSet::from([Some(NAMESPACE), Some("locks")]));
    run_everything(&cluster, "locks").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn an_operator_that_installs_its_crds_may_do_so() {
    let cluster = Cluster::start_bare().await;
    let flags = ["--set", "KubeOps:InstallCrds=true"];
    apply(&cluster, &cluster.generate("manifests", &flags).await.join("overlays/example")).await;
    cluster.kubectl(&["delete", "crd", "guestbooks.guestbook.example.com"]).await;

    let replica = cluster.pod("pod-a").await.start();
    replica.wait_ready().await;
    cluster.guestbooks.create_many("book", 1).await;
    cluster.guestbooks.wait_settled("book-0").await;
    let denied = of_operator(&cluster).such(|event| event.code == Some(403));
    assert_eq!(denied.len(), 0, "{:#?}", denied.lines());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn each_right_that_is_taken_away_is_missed() {
    let cluster = Cluster::start_bare().await;
    let folder = cluster.generate("manifests", &[]).await;
    apply(&cluster, &folder.join("base")).await;
    let (at_work, at_start): (Vec<_>, Vec<_>) =
        cluster.grants().await.into_iter().partition(|grant| grant.is_write() && !grant.is_of_lock());

    let mut replica = cluster.pod("pod-a").await.start();
    replica.wait_ready().await;
    cluster.guestbooks.create_many("book", 1).await;
    cluster.guestbooks.wait_settled("book-0").await;
    for (round, grant) in at_work.iter().enumerate() {
        let before = cluster.take_away(grant).await;
        let taken = Timestamp::now();
        let names = work(&cluster, round).await;
        wait_missed(&cluster, grant, taken).await;
        cluster.set_rules(grant, &before).await;
        wait_worked(&cluster, &names).await;
    }
    replica.stop().await;

    for grant in &at_start {
        let before = cluster.take_away(grant).await;
        let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), SYSTEM);
        if grant.is_of_lock() && grant.verb == "create" {
            leases.delete(LOCK, &DeleteParams::default()).await.expect("delete the lock");
        }
        let taken = Timestamp::now();
        let mut replica = cluster.pod("pod-a").await.start();
        wait_missed(&cluster, grant, taken).await;
        if grant.verb == "watch" {
            // What is there is known from the list; that no change of it will be seen is told.
            let words = [" watch ", &grant.resource];
            let told = || replica.log_lines(&words).first().map(drop).ok_or_else(|| replica.log());
            eventually(&format!("the log names {grant}"), PATIENCE, async || told()).await;
        } else {
            assert!(!works(&replica).await, "without {grant} it leads and is ready");
        }
        cluster.set_rules(grant, &before).await;
        replica.wait_ready().await;
        replica.stop().await;
    }
    say(format!("{} rights taken away while it worked: {:?}", at_work.len(), grant_lines(at_work)));
    say(format!("{} rights taken away at its start: {:?}", at_start.len(), grant_lines(at_start)));
}

async fn wait_missed(cluster: &Cluster, grant: &Grant, since: Timestamp) {
    eventually(&format!("{grant} is missed"), PATIENCE, async || {
        let ledger = of_operator(cluster).since(since);
        let missed = ledger.events().iter().any(|event| grant.was_missed_by(event));
        if missed { Ok(()) } else { Err(format!("{:#?}", ledger.lines())) }
    })
    .await;
}

/// Ready, and leading.
async fn works(replica: &Replica) -> bool {
    let leads = replica.says_it_leads().await.unwrap_or(false);
    leads && replica.health("/readyz").await.is_ok_and(|(status, _)| status == 200)
}
