//! Which process stands in a pod's name: no two may, because a lock tells them apart as little as a pod does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turns, OwnedMutexGuard, watch};
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::leadership::bearer::Bearer;

/// How often a process of the same pod that has the name is looked for; the kernel is asked, not the API server.
const PAUSE: Duration = Duration::from_millis(500);
/// A process that is dying is gone by then; after that it is told of this often.
const PATIENCE: Duration = Duration::from_secs(2);
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// The work of the newest term of each pod and lock that an elector of this process stands for, or stood for.
static IN_PROCESS: Mutex<BTreeMap<String, Arc<Turns<Work>>>> = Mutex::new(BTreeMap::new());

type Work = Option<watch::Receiver<usize>>;

/// The right to stand in a pod's name, until this is dropped.
#[derive(Debug)]
pub(super) struct Bearing {
    /// `None`: taken for granted.
    turn: Option<OwnedMutexGuard<Work>>,
    /// Whether earlier processes of the pod are known to be dead.
    pub(super) proven: bool,
}

impl Bearing {
    /// Waits until no other process of the pod, no other elector of this one, and no work of an earlier one, goes on.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn acquire(pod_uid: String, namespace: String, lock: String) -> Self {
        let key = format!("{pod_uid}/{namespace}/{lock}");
        let turns = IN_PROCESS.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        let mut turn = turns.lock_owned().await;
        if let Some(work) = turn.as_mut() {
            // The sender is gone with the last of the work.
            let _ended = work.wait_for(|count| *count == 0).await;
        }
        let (start, mut told) = (Instant::now(), None::<Instant>);
        loop {
            match Bearer::of(&pod_uid, &namespace, &lock) {
                Ok(bearer) => return Self { turn: Some(turn), proven: bearer != Bearer::Unproven },
                Err(error) if start.elapsed() >= PATIENCE && told.is_none_or(|at| at.elapsed() >= TOLD_EVERY) => {
                    told = Some(Instant::now());
                    warn!(
                        %error,
                        pod_uid,
                        "another process of this pod stands for the lock {namespace}/{lock}: standing by until it ends; give each \
                         process a pod or a lock of its own"
                    );
                }
                Err(_) => {}
            }
            sleep(PAUSE).await;
        }
    }

    /// Without asking anybody.
    pub(super) const fn granted() -> Self {
        Self { turn: None, proven: true }
    }

    /// Whoever stands next in this process waits for this work.
    pub(super) fn works(&mut self, work: watch::Receiver<usize>) {
        if let Some(turn) = &mut self.turn {
            **turn = Some(work);
        }
    }
}
