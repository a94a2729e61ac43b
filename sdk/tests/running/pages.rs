//! An operator that keeps a ConfigMap for each page, and what a test says to it.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kubeops::Operator;
use kubeops::operator::RunningOperator;
use kubeops::prelude::*;
use kubeops_testkit::Cluster;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[kube(group = "example.com", version = "v1", kind = "Page", namespaced)]
pub(crate) struct PageSpec {
    /// How long it takes to write.
    #[serde(default)]
    seconds: u64,
    /// It can't be written.
    #[serde(default)]
    fails: bool,
}

#[derive(Controller)]
#[controller(entity = Page, name = "pages", owns(ConfigMap))]
pub(crate) struct PageController {}

impl Reconcile for PageController {
    async fn reconcile(&self, page: &Page, cx: &Context<Page>) -> Result<Action> {
        tokio::time::sleep(Duration::from_secs(page.spec.seconds)).await;
        if page.spec.fails {
            return Err("no ink".into());
        }
        let mut map = ConfigMap::default();
        map.metadata.name = page.metadata.name.clone();
        cx.apply_owned(map).await?;
        Ok(Action::await_change())
    }
}

pub(crate) fn operator() -> Operator {
    kubeops::operator!().add_controller::<PageController>()
}

/// With the kind of pages.
pub(crate) async fn cluster() -> Cluster {
    let cluster = Cluster::start().await;
    cluster.install::<Page>().await;
    cluster
}

pub(crate) async fn replica(cluster: &Cluster, name: &str) -> RunningOperator {
    operator().start_replica_on(cluster, name, &[]).await
}

/// Puts a page there, of which `spec` says how it goes.
pub(crate) async fn put(cluster: &Cluster, name: &str, spec: &str) {
    let page = format!("apiVersion: example.com/v1\nkind: Page\nmetadata: {{ name: {name} }}\nspec: {spec}\n");
    cluster.apply(&page).await;
}

pub(crate) async fn written(cluster: &Cluster, name: &str) {
    cluster.until(name, |_: &ConfigMap| true).await;
}

/// Sleeps until `is` says yes, a second at a time.
pub(crate) async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    for _second in 0..600 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("not within ten minutes: {what}");
}

pub(crate) async fn leads(operator: &RunningOperator) -> bool {
    operator.get("/readyz/leading").await.0 == 200
}
