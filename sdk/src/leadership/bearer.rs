//! Proof that no other process of this pod stands under its identity: a socket whose name only one process can hold.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

/// A name of an abstract socket is at most this long, without the zero that begins it.
#[cfg(target_os = "linux")]
const LONGEST_NAME: usize = 107;

/// Bound as long as this process lives: the kernel frees them at its death, however it dies.
static BOUND: Mutex<BTreeMap<String, Socket>> = Mutex::new(BTreeMap::new());

#[cfg(target_os = "linux")]
type Socket = std::os::unix::net::UnixDatagram;
#[cfg(not(target_os = "linux"))]
type Socket = ();

/// Whether this process alone bears the identity of its pod in an election.
///
/// Two containers of a pod share its uid, and with it the identity in a lock. The kernel tells them apart: an abstract unix
/// socket named after the uid and the lock is bound by one process at a time, and is freed when that dies. All containers of a
/// pod share the network that such names belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// It has just bound the name: whoever stood under the identity before is dead.
    Only,
    /// It has the name already, from an earlier election of its own, whose work may still go on.
    Again,
    /// The system has no such sockets: nothing is known.
    Unproven,
}

impl Bearer {
    /// Binds the name of this pod and lock, for the rest of the process' life.
    ///
    /// # Errors
    /// If another process has it, or none can be had. Then the process must not stand under the pod's identity: whoever has the
    /// name would take what it holds for a dead container's.
    pub fn of(pod_uid: &str, namespace: &str, lock: &str) -> io::Result<Self> {
        let name = name(pod_uid, namespace, lock);
        let mut bound = BOUND.lock().unwrap_or_else(PoisonError::into_inner);
        if bound.contains_key(&name) {
            return Ok(Self::Again);
        }
        let Some(socket) = bind(&name)? else { return Ok(Self::Unproven) };
        bound.insert(name, socket);
        Ok(Self::Only)
    }
}

#[cfg(target_os = "linux")]
fn bind(name: &str) -> io::Result<Option<Socket>> {
    use std::os::linux::net::SocketAddrExt as _;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
    Socket::bind_addr(&address).map(Some)
}

#[cfg(not(target_os = "linux"))]
fn bind(_: &str) -> io::Result<Option<Socket>> {
    Ok(None)
}

#[cfg(target_os = "linux")]
fn name(pod_uid: &str, namespace: &str, lock: &str) -> String {
    let name = format!("kubeops/{pod_uid}/{namespace}/{lock}");
    if name.len() <= LONGEST_NAME { name } else { format!("kubeops/{:016x}", fnv1a(name.as_bytes())) }
}

#[cfg(not(target_os = "linux"))]
fn name(pod_uid: &str, namespace: &str, lock: &str) -> String {
    format!("kubeops/{pod_uid}/{namespace}/{lock}")
}

/// The same in every build, because the next container may be of another one. If two locks of a pod ever share a name, one of
/// them is stood for under a random id.
#[cfg(target_os = "linux")]
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    fn unique() -> String {
        crate::leadership::random_uuid()
    }

    #[test]
    fn one_process_has_a_name_for_life() {
        let pod = unique();
        assert_eq!(Bearer::of(&pod, "default", "lock").unwrap(), Bearer::Only);
        assert_eq!(Bearer::of(&pod, "default", "lock").unwrap(), Bearer::Again);
        assert_eq!(Bearer::of(&pod, "default", "other").unwrap(), Bearer::Only);
        assert_eq!(Bearer::of(&unique(), "default", "lock").unwrap(), Bearer::Only);
    }

    #[test]
    fn a_name_that_another_has_is_refused_until_its_end() {
        let pod = unique();
        // As another process would: not by the list of those that are this one's.
        let other = bind(&name(&pod, "default", "lock")).unwrap();
        let error = Bearer::of(&pod, "default", "lock").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        drop(other);
        assert_eq!(Bearer::of(&pod, "default", "lock").unwrap(), Bearer::Only);
    }

    #[test]
    fn long_names_are_cut_to_what_the_kernel_takes_and_still_differ() {
        let pod = unique();
        for lock in ["a".repeat(253), "b".repeat(253)] {
            assert_eq!(Bearer::of(&pod, &"n".repeat(63), &lock).unwrap(), Bearer::Only);
        }
    }
}
