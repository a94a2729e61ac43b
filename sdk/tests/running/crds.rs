//! CRDs that are not there, and those that are installed at the start.

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kubeops::operator::RunningOperator;
use kubeops_testkit::Cluster;
use kubeops_testkit::cluster::Fault;
use tokio::time::sleep;

use crate::pages::{Page, operator, put, replica, until, written};

async fn installing(cluster: &Cluster, name: &str) -> RunningOperator {
    operator().start_replica_on(cluster, name, &[("KubeOps:InstallCrds", "true")]).await
}

#[tokio::test(start_paused = true)]
async fn an_operator_without_its_crds_lives_and_is_not_ready_until_they_are_there() {
    let cluster = Cluster::start().await;
    let running = replica(&cluster, "a").await;
    sleep(Duration::from_secs(60)).await;
    let (status, text) = running.get("/readyz").await;
    assert!(status == 503 && text.starts_with("[-]crds failed: not installed: Page\n"), "{text}");
    assert_eq!(running.get("/livez").await.0, 200);
    assert_eq!(running.get("/startupz").await.0, 200, "or kubelet would restart it for ever");
    cluster.install::<Page>().await;
    until("it is ready", async || running.get("/readyz").await.0 == 200).await;
}

#[tokio::test(start_paused = true)]
async fn replicas_that_install_crds_do_so_once_and_start() {
    let cluster = Cluster::start().await;
    let replicas = [installing(&cluster, "a").await, installing(&cluster, "b").await];
    for running in &replicas {
        until("it is ready", async || running.get("/readyz").await.0 == 200).await;
        assert_eq!(running.get("/startupz/crds-installed?verbose").await.0, 200);
    }
    put(&cluster, "one", "{}").await;
    written(&cluster, "one").await;
    let crds: Api<CustomResourceDefinition> = Api::all(cluster.client("test"));
    let page = crds.get("pages.example.com").await.unwrap();
    let manager = page
        .metadata
        .managed_fields
        .unwrap_or_default()
        .into_iter()
        .find_map(|entry| (entry.operation.as_deref() == Some("Apply")).then_some(entry.manager).flatten());
    assert_eq!((page.metadata.generation, manager.as_deref()), (Some(1), Some("kubeops")));
}

#[tokio::test(start_paused = true)]
async fn one_that_may_not_install_them_says_so_and_starts_as_soon_as_it_may() {
    let cluster = Cluster::start().await;
    let forbidden = Fault::Refuse { code: 403, retry_after: None };
    cluster.faults("a").when(|request| request.resource == "customresourcedefinitions", None, forbidden);
    let running = installing(&cluster, "a").await;
    sleep(Duration::from_secs(30)).await;
    let (status, text) = running.get("/startupz?exclude=lock").await;
    assert!(status == 503 && text.starts_with("[-]crds-installed failed: cannot read pages.example.com: "), "{text}");
    cluster.faults("a").mend();
    until("it is ready", async || running.get("/readyz").await.0 == 200).await;
    assert_eq!(running.get("/startupz").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn crds_are_left_alone_unless_the_settings_say_otherwise() {
    let cluster = Cluster::start().await;
    let running = replica(&cluster, "a").await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(running.get("/startupz/crds-installed").await.0, 404);
    assert!(!cluster.requests().iter().any(|request| request.resource == "customresourcedefinitions"));
}
