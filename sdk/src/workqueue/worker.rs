//! Takes due keys and runs their reconciles, during one term.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;

use super::reconcile::Reconcile;
use super::{Backoff, Work, WorkQueue};
use crate::leadership::Term;
use crate::process::own;

/// Runs the reconciles of one controller.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The controller's name, for spans.
    pub controller: Arc<str>,
    /// The kind that it reconciles, for spans.
    pub kind: Arc<str>,
    /// How it works.
    pub options: WorkerOptions,
}

/// How a [`Worker`] works.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// How many reconciles may run at once; at least 1.
    pub concurrency: usize,
    /// A reconcile that takes longer has failed, and is dropped at its next await.
    pub timeout: Option<Duration>,
    /// How long a key that failed waits.
    pub backoff: Backoff,
    /// Every object is reconciled again after this long, jittered by up to a tenth, even if nothing happens.
    pub resync: Option<Duration>,
}

impl Worker {
    /// Works on `queue` until the term is over, and returns when no reconcile of it runs any more.
    ///
    /// While the term is valid, keys that are due are taken, each into a task of its own, up to the concurrency. Once it
    /// drains none is taken, and those that run may end. Once it has ended they are aborted, and waited for until they are
    /// really gone: one that blocks its thread holds up the return. As long as one runs, the term counts as at work.
    ///
    /// # Cancel safety
    /// Dropping it aborts the reconciles at their next await, without waiting for them; their keys go back then.
    pub async fn run(&self, queue: WorkQueue, work: Arc<dyn Work>, term: Term) {
        let concurrency = self.options.concurrency.max(1);
        queue.metrics().max_concurrent(concurrency);
        let mut running = JoinSet::new();
        let mut ended = pin!(term.ended());
        let mut draining = pin!(term.draining());
        let mut drained = false;
        loop {
            let takes_more = !drained && self.fill(&mut running, concurrency, &queue, &work, &term);
            // By the clock a term may be over a moment before its future says so.
            let closing = drained || term.is_draining();
            if closing && running.is_empty() {
                return;
            }
            tokio::select! {
                biased;
                () = &mut ended => break,
                () = &mut draining, if !drained => drained = true,
                Some(result) = running.join_next() => report(&self.controller, result),
                () = queue.due(), if takes_more && !closing => {}
            }
        }
        running.abort_all();
        while let Some(result) = running.join_next().await {
            report(&self.controller, result);
        }
    }

    /// Takes what is due, as long as there is room; says whether there still is.
    fn fill(
        &self,
        running: &mut JoinSet<()>,
        concurrency: usize,
        queue: &WorkQueue,
        work: &Arc<dyn Work>,
        term: &Term,
    ) -> bool {
        while running.len() < concurrency {
            if !queue.is_due() {
                return true;
            }
            // None once the term drains or is over, as of this very moment.
            let Some(guard) = term.begin_work() else { return false };
            let Some(taken) = queue.take() else { return true };
            let span = self.span(&taken);
            let reconcile = Reconcile::new(taken, queue.clone(), term.clone(), guard, &self.options);
            running.spawn(own(reconcile.run(work.clone()).instrument(span)));
        }
        false
    }

    /// At level ERROR, so that the fields are there whenever a line inside is.
    fn span(&self, taken: &super::queue::Taken) -> tracing::Span {
        tracing::error_span!(
            "reconcile",
            controller = %self.controller,
            kind = %self.kind,
            namespace = taken.key.namespace.as_deref(),
            // Not `name`: in JSON that is the span's own.
            object = %taken.key.name,
            trigger = ?taken.attempt.trigger,
            attempt = taken.attempt.number,
        )
    }
}

/// User code panics inside of a catch; what comes here is a defect of the SDK, which is not to go unnoticed.
fn report(controller: &str, result: Result<(), JoinError>) {
    if let Err(error) = result
        && error.is_panic()
    {
        tracing::error!(controller, %error, "the task around a reconcile panicked");
    }
}

#[cfg(test)]
#[path = "worker_tests/mod.rs"]
mod tests;
