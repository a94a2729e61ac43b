//! Waits at the start until the API server answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kube::Client;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::trouble::Trouble;
use crate::BoxError;
use crate::chain::chain;
use crate::host::HostedService;

const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(1);
/// Starts when the API server has answered once: what is added behind it has somebody to talk to, and an unreachable server
/// is told of once a minute instead of by everybody who needs it.
pub(super) struct Reach {
    client: Client,
    server: String,
    reached: Arc<AtomicBool>,
}

impl Reach {
    pub(super) fn new(client: Client, server: String) -> (Self, impl Fn() -> bool + Send + Sync + 'static) {
        let reached = Arc::new(AtomicBool::new(false));
        let asked = reached.clone();
        (Self { client, server, reached }, move || asked.load(Ordering::Acquire))
    }

    /// Why there is no answer. An answer that says no is one.
    async fn ask(&self) -> Result<(), String> {
        match timeout(PATIENCE, self.client.apiserver_version()).await {
            Ok(Ok(_) | Err(kube::Error::Api(_) | kube::Error::SerdeError(_))) => Ok(()),
            Ok(Err(error)) => Err(chain(&error)),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }
}

impl HostedService for Reach {
    async fn start(&mut self) -> Result<(), BoxError> {
        let mut trouble = Trouble::default();
        while let Err(error) = self.ask().await {
            if trouble.is_news() {
                warn!(
                    server = self.server,
                    error, "the API server cannot be reached; trying on, told again in a minute"
                );
            }
            sleep(PAUSE).await;
        }
        if trouble.was_there() {
            info!(server = self.server, "the API server can be reached");
        }
        self.reached.store(true, Ordering::Release);
        Ok(())
    }

    async fn run(self, stop: CancellationToken) -> Result<(), BoxError> {
        stop.cancelled().await;
        Ok(())
    }
}
