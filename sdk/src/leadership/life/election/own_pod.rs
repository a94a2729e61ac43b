//! The pod that this process runs in: the lock is to go with it.

use super::seen::{Pod, PodSeen};

/// What is known of it.
#[derive(Clone, Debug)]
pub(super) struct OwnPod {
    uid: Option<String>,
    /// It was read, and no doubt has come up since: a lock whose owner does not exist would be deleted again.
    is_sure: bool,
    trouble: Option<OwnPodTrouble>,
}

/// Why no lock can go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnPodTrouble {
    /// There is no pod of that name in the lock's namespace.
    Missing,
    /// The pod of that name has another uid.
    Other,
    /// It is dead, although this process lives: another would delete its lock.
    Dead,
}

impl OwnPod {
    pub(super) const fn new(uid: Option<String>) -> Self {
        Self { uid, is_sure: false, trouble: None }
    }

    pub(super) fn uid(&self) -> Option<&str> {
        self.uid.as_deref()
    }

    pub(super) const fn is_sure(&self) -> bool {
        self.is_sure
    }

    pub(super) const fn trouble(&self) -> Option<OwnPodTrouble> {
        self.trouble
    }

    pub(super) const fn doubt(&mut self) {
        self.is_sure = false;
    }

    pub(super) fn learn(&mut self, seen: PodSeen) {
        self.trouble = match seen.pod {
            None => Some(OwnPodTrouble::Missing),
            Some(pod) if self.uid.as_ref().is_some_and(|uid| *uid != pod.uid) => Some(OwnPodTrouble::Other),
            Some(Pod { dead: true, .. }) => Some(OwnPodTrouble::Dead),
            Some(pod) => {
                self.uid = Some(pod.uid);
                None
            }
        };
        self.is_sure = self.trouble.is_none();
    }
}
