//! Writes which Deployments of its namespace are ready into the ConfigMap `nightly-report`. Any number of replicas may be
//! started; one of them does it, and if that one is lost, the next.
//!
//! ```sh
//! kubectl apply -f samples/nightly-job/rbac.yaml    # what it may do
//! cargo run -p nightly-job                          # in the cluster of KUBECONFIG; a second one waits
//! ```

use std::collections::BTreeMap;
use std::error::Error;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, ObjectMeta, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use kubeops::leadership::{Candidate, CandidateError, run_as_leader};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// The Lease that replicas stand for, and the ConfigMap that is written.
const NAME: &str = "nightly-report";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt::init();
    let candidate = Candidate::lease(NAME).stop_on(asked_to_stop()?);
    loop {
        match run_as_leader(candidate.clone(), |leader| async move { report(leader.client()).await }).await {
            Ok(Some(Ok(lines))) => {
                info!("reported on {lines} Deployments");
                return Ok(());
            }
            // Another leads now, and does it; or the term ended while this was on its way.
            Ok(None) => warn!("leadership was lost before the report was done"),
            Ok(Some(Err(error))) if kubeops::is_fenced(&error) => warn!("leadership was lost while it was written"),
            Ok(Some(Err(error))) => return Err(error.into()),
            Err(CandidateError::Stopped) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Cancelled by SIGTERM, with which Kubernetes ends a pod: whoever stands by ends at once, and whoever leads gives the lock back.
fn asked_to_stop() -> std::io::Result<CancellationToken> {
    let mut terminated = signal(SignalKind::terminate())?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        terminated.recv().await;
        asked.cancel();
    });
    Ok(stop)
}

/// Gives the number of Deployments.
async fn report(client: &Client) -> kube::Result<usize> {
    let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
    let list = deployments.list(&ListParams::default()).await?;
    let mut data: BTreeMap<String, String> = list.iter().map(|one| (one.name_any(), readiness(one))).collect();
    let lines = data.len();
    data.insert("reported-at".to_owned(), Timestamp::now().to_string());
    let metadata = ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() };
    let map = ConfigMap { metadata, data: Some(data), ..ConfigMap::default() };
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    maps.patch(NAME, &PatchParams::apply(NAME).force(), &Patch::Apply(map)).await?;
    Ok(lines)
}

fn readiness(deployment: &Deployment) -> String {
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let ready = deployment.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or_default();
    format!("{ready} of {wanted} ready")
}
