//! Calls of the API server, each with a bound on its time.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::timeout;

use super::election::{Holder, Input, Mark};
use super::lock::LifeLock;
use super::pod::PodSource;
use crate::leadership::lock::LockError;

/// What the elector was doing when there was trouble.
pub(super) const READING: &str = "reading the lock";
pub(super) const READING_POD: &str = "reading this replica's own pod";
pub(super) const CREATING: &str = "creating the lock";
pub(super) const TAKING_OVER: &str = "taking over the lock of an earlier container";
pub(super) const DELETING: &str = "deleting the lock";

/// A call that is on its way.
pub(super) type Call = BoxFuture<'static, Answer>;

/// How a call went.
pub(super) struct Answer {
    /// [`READING`] or the like.
    pub(super) doing: &'static str,
    pub(super) input: Input,
    pub(super) trouble: Option<LockError>,
}

pub(super) fn read(lock: Arc<LifeLock>, patience: Duration) -> Call {
    call(READING, patience, async move { lock.list().await.map(Input::Answered) })
}

pub(super) fn read_own_pod(pod: PodSource, patience: Duration) -> Call {
    call(READING_POD, patience, async move { pod.list().await.map(Input::OwnPod) })
}

pub(super) fn create(lock: Arc<LifeLock>, owner: Holder, mark: Mark, patience: Duration) -> Call {
    call(CREATING, patience, async move { lock.create(&owner, &mark).await.map(Input::Answered) })
}

pub(super) fn touch(lock: Arc<LifeLock>, uid: String, version: u64, mark: Mark, patience: Duration) -> Call {
    call(TAKING_OVER, patience, async move { lock.touch(&uid, version, &mark).await.map(Input::Answered) })
}

pub(super) fn delete(lock: Arc<LifeLock>, uid: String, version: u64, patience: Duration) -> Call {
    call(DELETING, patience, async move { lock.delete(&uid, version).await.map(|()| Input::Deleted) })
}

fn call(
    doing: &'static str,
    patience: Duration,
    asks: impl Future<Output = Result<Input, LockError>> + Send + 'static,
) -> Call {
    Box::pin(async move {
        let (input, trouble) = match timeout(patience, asks).await {
            Ok(Ok(input)) => (input, None),
            Ok(Err(LockError::Conflict)) => (Input::Conflict, None),
            Ok(Err(error)) => (Input::Failed, Some(error)),
            Err(_) => (Input::Silent, Some(LockError::Silent)),
        };
        Answer { doing, input, trouble }
    })
}
