//! One reconcile: runs it, and tells queue, metrics and log how it ended.

use std::any::Any;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;

use super::failures::Told;
use super::handle::Again;
use super::queue::Taken;
use super::worker::WorkerOptions;
use super::{Backoff, Outcome, Work, WorkQueue};

use crate::leadership::{Term, WorkGuard};
use crate::metrics::ReconcileResult;
use crate::refusal::{describe, missing_rule};

/// A key that was handed out, until its work has ended. Whatever happens to the task, the key goes back when this is dropped,
/// and not earlier: never is one reconciled twice at once.
pub(super) struct Reconcile {
    key: HandedOut,
    term: Term,
    timeout: Option<Duration>,
    backoff: Backoff,
    resync: Option<Duration>,
    /// Dropped last: the term is at work until the key is back.
    _guard: WorkGuard,
}

struct HandedOut {
    taken: Taken,
    queue: WorkQueue,
    returned: bool,
}

/// Failures that do not come from the user's code.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the reconcile panicked: {0}")]
    Panicked(String),
    #[error("the reconcile took longer than {0:?}")]
    TimedOut(Duration),
}

// === impl Reconcile ===

impl Reconcile {
    pub(super) fn new(taken: Taken, queue: WorkQueue, term: Term, guard: WorkGuard, options: &WorkerOptions) -> Self {
        let WorkerOptions { concurrency: _, timeout, backoff, resync } = *options;
        Self { key: HandedOut { taken, queue, returned: false }, term, timeout, backoff, resync, _guard: guard }
    }

    pub(super) async fn run(mut self, work: Arc<dyn Work>) {
        let _active = self.key.queue.metrics().active();
        let started = self.key.queue.clock().now();
        // The worker aborts what runs when a term has ended, but may be late to notice: the term may have ended since the
        // hand-out, or while the machine, and its timers, slept.
        let Some(outcome) = self.term.while_valid(self.outcome(work)).await else { return };
        let took = self.key.queue.clock().now().since(started);
        match outcome {
            Outcome::Done { requeue_after } => self.succeed(requeue_after, took),
            Outcome::Gone => self.forget(took),
            Outcome::Failed { error, permanent } => self.fail(error.as_ref(), permanent, took),
        }
    }

    async fn outcome(&self, work: Arc<dyn Work>) -> Outcome {
        let Taken { key, attempt, .. } = self.key.taken.clone();
        let metrics = self.key.queue.metrics();
        let in_time = async {
            match self.timeout {
                Some(timeout) => tokio::time::timeout(timeout, work.run(key, attempt)).await.map_err(|_| timeout),
                None => Ok(work.run(key, attempt).await),
            }
        };
        // Around the timeout too, because that drops what takes too long, and a drop may panic.
        let broken = match AssertUnwindSafe(in_time).catch_unwind().await {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(timeout)) => {
                metrics.timed_out();
                Broken::TimedOut(timeout)
            }
            Err(panic) => {
                metrics.panicked();
                Broken::Panicked(panic_text(panic.as_ref()))
            }
        };
        Outcome::Failed { error: broken.into(), permanent: false }
    }

    fn succeed(&mut self, requeue_after: Option<Duration>, took: Duration) {
        let result = if requeue_after.is_some() { ReconcileResult::RequeueAfter } else { ReconcileResult::Success };
        self.key.queue.metrics().reconciled(result, took);
        // The sooner one: at most once in the queue, and whichever comes first reconciles.
        let again = match (requeue_after, self.resync) {
            (Some(after), Some(period)) if period < after => Some(Again::About(period)),
            (Some(after), _) => Some(Again::After(after)),
            (None, period) => period.map(Again::About),
        };
        self.key.queue.succeeded(&self.key.taken, again);
        self.key.returned = true;
        tracing::debug!(?took, ?requeue_after, "reconciled");
    }

    fn forget(&mut self, took: Duration) {
        self.key.queue.metrics().reconciled(ReconcileResult::Success, took);
        self.key.queue.succeeded(&self.key.taken, None);
        self.key.returned = true;
    }

    fn fail(&mut self, error: &(dyn Error + 'static), permanent: bool, took: Duration) {
        if !self.term.is_valid() {
            // Its writes were fenced off, perhaps: whoever leads next reconciles the object anyway.
            tracing::debug!(error = describe(error), "failed when its term was over");
            return;
        }
        let metrics = self.key.queue.metrics();
        metrics.reconciled(ReconcileResult::Error, took);
        if permanent {
            metrics.terminal_error();
        }
        let (error, rule) = (describe(error), missing_rule(error));
        let told = Told { error: error.clone(), missing_rule: rule.clone() };
        let retry_in = self.key.queue.failed(&self.key.taken, (!permanent).then_some(&self.backoff), told);
        self.key.returned = true;
        if let Some(rule) = rule {
            tracing::error!(%error, ?retry_in, "reconcile failed: grant the right with this rule: {rule}");
        } else if permanent {
            tracing::error!(%error, "reconcile failed for good: not retried until the object changes");
        } else {
            tracing::error!(%error, ?retry_in, "reconcile failed");
        }
    }
}

impl Drop for HandedOut {
    fn drop(&mut self) {
        if !self.returned {
            self.queue.dropped(&self.taken);
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "(no text)".to_owned())
}
