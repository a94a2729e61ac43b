//! The operator on a cluster in memory. Time is paused: what takes minutes on a cluster takes milliseconds here.

use k8s_openapi::api::coordination::v1::Lease;
use kubeops_testkit::Cluster;

use crate::operator;

/// As appsettings.json names it.
const LOCK: &str = "{{ project-name | kebab_case }}-leader";

#[tokio::test(start_paused = true)]
async fn it_leads() {
    let cluster = Cluster::start().await;
    let _running = operator().start_on(&cluster).await;
    let is_held = |lock: &Lease| {
        let spec = lock.spec.as_ref();
        spec.is_some_and(|spec| spec.holder_identity.is_some())
    };
    cluster.until(LOCK, is_held).await;
}
