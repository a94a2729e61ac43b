//! One check, and how it is run: bounded, and never twice at once.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::Mutex;
use tokio_util::task::AbortOnDropHandle;

use super::{CheckResult, Health, Probes};

pub(super) struct Check {
    pub(super) name: String,
    pub(super) probes: Probes,
    run: Box<dyn Fn() -> BoxFuture<'static, CheckResult> + Send + Sync>,
    /// Held while the check runs: one that blocks a thread in spite of all blocks one, not one more at each probe.
    running: Arc<Mutex<()>>,
}

impl Health {
    /// How long a check may take. Below the second after which a kubelet, by default, gives up the whole probe, so that the
    /// answer still names the check.
    pub const CHECK_TIMEOUT: Duration = Duration::from_millis(800);
}

impl Check {
    pub(super) fn new<F, Checking>(name: String, probes: Probes, run: F) -> Self
    where
        F: Fn() -> Checking + Send + Sync + 'static,
        Checking: Future<Output = CheckResult> + Send + 'static,
    {
        Self { name, probes, run: Box::new(move || Box::pin(run())), running: Arc::default() }
    }

    /// Runs the check in a task of its own, so that neither a panic nor a blocked thread reaches whoever asks.
    pub(super) async fn run(self: Arc<Self>) -> CheckResult {
        let checking = async move {
            let turn = self.running.clone().lock_owned().await;
            let task = tokio::spawn(async move {
                let _turn = turn;
                (self.run)().await
            });
            AbortOnDropHandle::new(task).await
        };
        match tokio::time::timeout(Health::CHECK_TIMEOUT, checking).await {
            Ok(Ok(result)) => result,
            Ok(Err(_panicked)) => Err("the check panicked".to_owned()),
            Err(_elapsed) => Err(format!("no answer within {:?}", Health::CHECK_TIMEOUT)),
        }
    }
}
