//! Reads and writes of the lock that are on their way.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until, timeout};

use crate::leadership::election::{Input, Observation, Put};
use crate::leadership::lock::{Lock, LockError};

/// What the elector was doing when there was trouble.
pub(super) const READING: &str = "reading the lock";
pub(super) const WRITING: &str = "writing the lock";

/// A read that gets no answer is sent again, by another connection, so that this many are on their way at most.
const READS: usize = 3;

type Outcome = Result<Observation, LockError>;

/// The call that the election waits for, and writes that it waits for no longer.
pub(super) struct Calls {
    lock: Arc<dyn Lock>,
    /// A call is silent when it has no answer for this long.
    patience: Duration,
    /// A write that is answered later than this counts for nothing.
    deadline: Duration,
    awaited: Option<Awaited>,
    /// A slow server may obey yet, and its connection is busy for as long, so that the next call takes another one.
    left_running: FuturesUnordered<BoxFuture<'static, Outcome>>,
}

enum Awaited {
    Read(BoxFuture<'static, Outcome>),
    Put { call: BoxFuture<'static, Outcome>, silent_at: Instant },
}

/// How a call went.
pub(super) struct Answer {
    /// [`READING`] or [`WRITING`].
    pub(super) doing: &'static str,
    pub(super) input: Input,
    pub(super) trouble: Option<LockError>,
}

impl Calls {
    pub(super) fn new(lock: Arc<dyn Lock>, patience: Duration, deadline: Duration) -> Self {
        Self { lock, patience, deadline, awaited: None, left_running: FuturesUnordered::new() }
    }

    pub(super) fn read(&mut self) {
        self.leave();
        self.awaited = Some(Awaited::Read(Box::pin(read(self.lock.clone(), self.patience))));
    }

    pub(super) fn put(&mut self, put: Put) {
        self.leave();
        let (lock, deadline) = (self.lock.clone(), self.deadline);
        let call = async move { timeout(deadline, lock.put(put)).await.unwrap_or(Err(LockError::Silent)) };
        self.awaited = Some(Awaited::Put { call: Box::pin(call), silent_at: Instant::now() + self.patience });
    }

    /// The election waits for no answer any more: a write may land all the same.
    pub(super) fn leave(&mut self) {
        if let Some(Awaited::Put { call, .. }) = self.awaited.take() {
            self.left_running.push(call);
        }
    }

    /// The next that is heard of a call, for ever if none is on its way.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn next(&mut self) -> Answer {
        tokio::select! {
            biased;
            Some(late) = self.left_running.next() => Answer::late(late),
            (doing, outcome) = answer(&mut self.awaited) => match outcome {
                Some(outcome) => {
                    self.awaited = None;
                    Answer::of(doing, outcome)
                }
                None => {
                    self.leave();
                    Answer::of(doing, Err(LockError::Silent))
                }
            },
        }
    }
}

/// `None`: a write has had no answer in time.
async fn answer(awaited: &mut Option<Awaited>) -> (&'static str, Option<Outcome>) {
    match awaited {
        None => pending().await,
        Some(Awaited::Read(call)) => (READING, Some(call.await)),
        Some(Awaited::Put { call, silent_at }) => tokio::select! {
            biased;
            outcome = call => (WRITING, Some(outcome)),
            () = sleep_until(*silent_at) => (WRITING, None),
        },
    }
}

/// Whichever of some reads is answered first; a failure only if no other one is on its way.
async fn read(lock: Arc<dyn Lock>, patience: Duration) -> Outcome {
    let (mut reads, mut failure) = (FuturesUnordered::new(), LockError::Silent);
    for _ in 0..READS {
        reads.push(lock.read());
        let first = timeout(patience, async {
            while let Some(outcome) = reads.next().await {
                match outcome {
                    Ok(observation) => return Some(observation),
                    Err(error) => failure = error,
                }
            }
            None
        });
        match first.await {
            Ok(Some(observation)) => return Ok(observation),
            Ok(None) => break,
            Err(_silent) => {}
        }
    }
    Err(failure)
}

impl Answer {
    fn of(doing: &'static str, outcome: Outcome) -> Self {
        let (input, trouble) = match outcome {
            Ok(observation) => (Input::Answered(observation), None),
            Err(LockError::Conflict) => (Input::Conflict, None),
            Err(LockError::Silent) => (Input::Silent, Some(LockError::Silent)),
            Err(error) => (Input::Failed, Some(error)),
        };
        Self { doing, input, trouble }
    }

    /// Of a write that the election waits for no longer. It counts by what it shows; that it was refused says nothing of the
    /// one that is waited for now.
    fn late(outcome: Outcome) -> Self {
        let (input, trouble) = match outcome {
            Ok(observation) => (Input::Watched(observation), None),
            Err(LockError::Conflict) => (Input::Woken, None),
            Err(error) => (Input::Woken, Some(error)),
        };
        Self { doing: WRITING, input, trouble }
    }
}
