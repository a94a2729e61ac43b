//! What the election is told at its start.

use crate::leadership::election::ElectionOptions;

/// How a candidate stands for a lock that is held for life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifeOptions {
    /// The name of the pod that this process runs in. It has to be in the lock's namespace.
    pub pod: String,
    /// The pod's uid; `None`: the API server is asked for it.
    pub pod_uid: Option<String>,
    /// Tells this process from others of the pod, earlier ones too: an id that is random for each.
    pub process: String,
    /// Patience and pauses: no lock expires, but calls are given up, tried again and followed by pauses as for a Lease, and a write
    /// without an answer holds the lock for a lease duration. The identity is for people. Not all of it is used.
    pub timing: ElectionOptions,
}
