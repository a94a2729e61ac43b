//! Which process stands in a pod's name: no two may, because a lock tells them apart as little as a pod does.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
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
        let bearer = bearer(|| Bearer::of(&pod_uid, &namespace, &lock), &format!("{namespace}/{lock}"), &pod_uid).await;
        Self { turn: Some(turn), proven: bearer != Bearer::Unproven }
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

/// Asks the kernel until it gives the name. One that gives none to anybody proves nothing, and is not asked for ever.
async fn bearer(ask: impl Fn() -> io::Result<Bearer>, lock: &str, pod_uid: &str) -> Bearer {
    let (start, mut told) = (Instant::now(), None::<Instant>);
    loop {
        match ask() {
            Ok(bearer) => return bearer,
            Err(_) if start.elapsed() < PATIENCE => {}
            Err(error) if error.kind() != ErrorKind::AddrInUse => {
                warn!(
                    %error,
                    pod_uid,
                    "the system has no abstract unix sockets, so that a container that is started again can't lead by the lock {lock} of \
                     the one before"
                );
                return Bearer::Unproven;
            }
            Err(error) if told.is_none_or(|at| at.elapsed() >= TOLD_EVERY) => {
                told = Some(Instant::now());
                warn!(
                    %error,
                    pod_uid,
                    "another process of this pod stands for the lock {lock}: standing by until it ends; give each process a pod or a \
                     lock of its own"
                );
            }
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_name_that_another_process_has_is_waited_for() {
        let left = Cell::new(1000);
        let ask = || match left.replace(left.get() - 1) {
            0 => Ok(Bearer::Only),
            _ => Err(ErrorKind::AddrInUse.into()),
        };
        assert_eq!(bearer(ask, "default/lock", "p").await, Bearer::Only);
    }

    #[tokio::test(start_paused = true)]
    async fn a_system_that_gives_no_names_does_not_keep_everybody_from_leading() {
        let ask = || Err(ErrorKind::PermissionDenied.into());
        let bearer = tokio::time::timeout(PATIENCE * 2, bearer(ask, "default/lock", "p")).await;
        assert_eq!(bearer.expect("waits for ever"), Bearer::Unproven);
    }
}
