//! Installs the CRDs at the start, if the settings say so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::trouble::Trouble;
use crate::BoxError;
use crate::crds::{Effect, InstallError, Progress, install};
use crate::health::CheckResult;
use crate::host::HostedService;

/// For one CRD to be established, before that is trouble.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(2);

/// Starts when the CRDs are established. What goes wrong is told of and tried again: another replica may be at it, or the
/// server may not let it, which a startup probe notices.
pub(super) struct InstallCrds {
    client: Client,
    field_manager: &'static str,
    crds: Vec<CustomResourceDefinition>,
    installed: Arc<Mutex<CheckResult>>,
}

impl InstallCrds {
    /// The service, and its health check.
    pub(super) fn new(
        client: Client,
        field_manager: &'static str,
        crds: Vec<CustomResourceDefinition>,
    ) -> (Self, impl Fn() -> CheckResult + Send + Sync + 'static) {
        let installed = Arc::new(Mutex::new(Err("not yet".to_owned())));
        let asked = installed.clone();
        let check = move || asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (Self { client, field_manager, crds, installed }, check)
    }

    fn now(&self, result: CheckResult) {
        *self.installed.lock().unwrap_or_else(PoisonError::into_inner) = result;
    }
}

impl HostedService for InstallCrds {
    async fn start(&mut self) -> Result<(), BoxError> {
        let mut trouble = Trouble::default();
        loop {
            match install(&self.client, self.field_manager, &self.crds, PATIENCE, tell).await {
                Ok(()) => break,
                Err(error @ InstallError::Definitions(_)) => return Err(error.into()),
                Err(error) => {
                    self.now(Err(error.to_string()));
                    if trouble.is_news() {
                        warn!(%error, "the CRDs are not installed; trying on, told again in a minute");
                    }
                }
            }
            sleep(PAUSE).await;
        }
        self.now(Ok(format!("{} established", self.crds.len())));
        Ok(())
    }

    async fn run(self, stop: CancellationToken) -> Result<(), BoxError> {
        stop.cancelled().await;
        Ok(())
    }
}

fn tell(progress: Progress<'_>) {
    match progress {
        Progress::Done { effect: Effect::Unchanged, .. } => {}
        Progress::Done { name, effect, .. } => info!("CRD {name} {}", effect.as_str()),
        Progress::Waiting { name, waited, reason } => {
            info!(reason, "CRD {name} is applied, and not established after {} s", waited.as_secs());
        }
    }
}
