//! What queue, worker and controller tell each other.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::BoxError;

/// Which object of a controller's kind. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// `None` for a kind without namespaces.
    pub namespace: Option<Arc<str>>,
    /// `metadata.name`.
    pub name: Arc<str>,
}

/// Why an object is reconciled. The first cause since the last reconcile is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trigger {
    /// It was in the cache when the term started.
    Listed,
    /// It is new.
    Created,
    /// It changed, in a way that counts.
    Modified,
    /// It is being deleted (finalizers), or is gone.
    Deleted,
    /// An object that it owns changed, was created or deleted.
    Owned {
        /// Kind of the owned object.
        kind: Arc<str>,
    },
    /// The last reconcile asked for it.
    Requeued,
    /// The last reconcile failed.
    Retried,
    /// The resync period is over.
    Resynced,
}

/// Which try this is.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// 1 for the first, one more for each failure since the last success.
    pub number: u32,
    /// Why.
    pub trigger: Trigger,
}

/// How a reconcile ended.
#[derive(Debug)]
pub enum Outcome {
    /// Done; again after this long, if given, else at the next change.
    Done {
        /// When to come again without a change.
        requeue_after: Option<Duration>,
    },
    /// Failed. Retried with backoff, unless `permanent`: then at the next change.
    Failed {
        /// What went wrong.
        error: BoxError,
        /// Not retried until the object changes.
        permanent: bool,
    },
    /// There is no such object any more, and nothing left to do for it: the key is forgotten, no resync follows.
    Gone,
}

/// A controller of one term, as the worker sees it: object safe, so that queue and worker compile once.
pub trait Work: Send + Sync + 'static {
    /// Reconciles one object. Runs in a task of its own, within the span and the timeout of the worker; a panic is an
    /// [`Outcome::Failed`]. The worker never runs it twice at once for one key. Dropped at an await when the term ends.
    fn run(self: Arc<Self>, key: Key, attempt: Attempt) -> BoxFuture<'static, Outcome>;
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}
