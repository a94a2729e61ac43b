//! The operator on a cluster in memory. Time is paused: what takes minutes on a cluster takes milliseconds here.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams};
use kubeops::operator::RunningOperator;
use kubeops::prelude::*;
use kubeops_testkit::Cluster;

use crate::controller::PAGE;
use crate::operator;

use crate::{{ kind | snake_case }}::{{ kind }};

const SAMPLE: &str = include_str!("../samples/{{ kind | kebab_case }}.yaml");
/// The name of the object in it.
const NAME: &str = "hello";
/// As appsettings.json names it.
const LOCK: &str = "{{ project-name | kebab_case }}-leader";

async fn cluster() -> Cluster {
    let cluster = Cluster::start().await;
    cluster.install::<{{ kind }}>().await;
    cluster
}

fn text(map: &ConfigMap) -> &str {
    map.data.as_ref().map_or("", |data| &data[PAGE])
}

#[tokio::test(start_paused = true)]
async fn the_sample_gets_its_page() {
    let cluster = cluster().await;
    let _running = operator().start_on(&cluster).await;
    cluster.apply(SAMPLE).await;

    cluster.until(NAME, is_ready).await;
    let page: ConfigMap = cluster.until(NAME, |_| true).await;
    assert!(text(&page).starts_with("Hello!\n"), "{page:?}");
    assert_eq!(page.owner_references()[0].name, NAME);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_somebody_deletes_is_written_again() {
    let cluster = cluster().await;
    let _running = operator().start_on(&cluster).await;
    cluster.apply(SAMPLE).await;
    let page: ConfigMap = cluster.until(NAME, |_| true).await;

    let pages: Api<ConfigMap> = Api::default_namespaced(cluster.client("somebody"));
    pages.delete(NAME, &DeleteParams::default()).await.unwrap();
    cluster
        .until(NAME, |new: &ConfigMap| new.uid() != page.uid())
        .await;
}

#[tokio::test(start_paused = true)]
async fn when_the_leader_is_killed_the_other_replica_goes_on() {
    let cluster = cluster().await;
    let leader = start(&cluster, "replica-a").await;
    until_leads(&cluster, "replica-a").await;
    let _standby = start(&cluster, "replica-b").await;

    // Without a word to the other one, which waits until the lease has run out.
    drop(leader);
    cluster.apply(SAMPLE).await;
    cluster.until(NAME, is_ready).await;
    until_leads(&cluster, "replica-b").await;
}

async fn start(cluster: &Cluster, name: &str) -> RunningOperator {
    operator().start_replica_on(cluster, name, &[]).await
}

fn is_ready(object: &{{ kind }}) -> bool {
    object.is_ready()
}

async fn until_leads(cluster: &Cluster, replica: &str) {
    let is_held = |lock: &Lease| {
        let spec = lock.spec.as_ref();
        let holder = spec.and_then(|spec| spec.holder_identity.as_deref());
        holder.is_some_and(|holder| holder.starts_with(replica))
    };
    cluster.until(LOCK, is_held).await;
}
