//! Takes due keys and runs their reconciles, during one term.

use std::sync::Arc;
use std::time::Duration;

use super::{Backoff, Work, WorkQueue};
use crate::leadership::Term;

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
    /// A reconcile that takes longer has failed.
    pub timeout: Option<Duration>,
    /// How long a key that failed waits.
    pub backoff: Backoff,
    /// Every object is reconciled again after this long, jittered by up to a tenth, even if nothing happens.
    pub resync: Option<Duration>,
}

impl Worker {
    /// Works on `queue` until the term is over, and returns when no reconcile of it runs any more.
    pub async fn run(&self, _queue: WorkQueue, _work: Arc<dyn Work>, term: Term) {
        term.ended().await;
    }
}
