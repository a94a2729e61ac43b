//! Reads and writes of the lock, each with a bound on its time.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::leadership::election::{Input, Observation, Put};
use crate::leadership::lock::{Lock, LockError};

/// What the elector was doing when there was trouble.
pub(super) const READING: &str = "reading the lock";
pub(super) const WRITING: &str = "writing the lock";

/// A read or a write that is on its way.
pub(super) type Call = BoxFuture<'static, Answer>;

/// How a read or a write went.
pub(super) struct Answer {
    /// [`READING`] or [`WRITING`].
    pub(super) doing: &'static str,
    pub(super) input: Input,
    pub(super) trouble: Option<LockError>,
}

pub(super) fn read(lock: Arc<dyn Lock>, patience: Duration) -> Call {
    Box::pin(async move { Answer::of(READING, timeout(patience, lock.read()).await) })
}

pub(super) fn put(lock: Arc<dyn Lock>, put: Put, patience: Duration) -> Call {
    Box::pin(async move { Answer::of(WRITING, timeout(patience, lock.put(put)).await) })
}

impl Answer {
    fn of(doing: &'static str, result: Result<Result<Observation, LockError>, Elapsed>) -> Self {
        let (input, trouble) = match result {
            Ok(Ok(observation)) => (Input::Answered(observation), None),
            Ok(Err(LockError::Conflict)) => (Input::Conflict, None),
            Ok(Err(error)) => (Input::Failed, Some(error)),
            Err(_) => (Input::Silent, Some(LockError::Silent)),
        };
        Self { doing, input, trouble }
    }
}
