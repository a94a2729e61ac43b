//! Under which identity this process may stand for the lock.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::warn;

use super::kube_ops::KubeOps;
use crate::leadership::Bearer;

/// How long a process of the same pod that is dying may take to be gone, and how often it is looked for.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);

/// Lets this process alone bear the identity of its pod, or gives it one of its own if another process has that. `true`: whoever
/// had stood under its identity is dead.
pub(super) async fn bear(settings: &mut KubeOps) -> bool {
    // The elector of a lock that is held for life sees to it by itself: no other identity would do.
    let stands = settings.enable_leader_election && !settings.leader_election_lock.is_for_life();
    let Some(pod_uid) = settings.pod_uid.clone().filter(|_| stands) else { return false };
    let (namespace, lock) = (settings.leader_election_namespace.clone(), settings.leader_election_id.clone());
    let start = Instant::now();
    let error = loop {
        match Bearer::of(&pod_uid, &namespace, &lock) {
            Ok(bearer) => return bearer == Bearer::Only,
            Err(error) if start.elapsed() >= PATIENCE => break error,
            Err(_) => sleep(PAUSE).await,
        }
    };
    settings.pod_uid = None;
    warn!(
        %error,
        pod_uid,
        identity = settings.holder_identity(),
        "another process of this pod stands for the lock {namespace}/{lock} under the same PodUid; standing under a random id \
         instead, give each process a pod or a lock of its own"
    );
    false
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    use super::super::kube_ops::Defaults;
    use super::*;
    use crate::leadership::random_uuid;
    use crate::settings::{LoadOptions, Settings};

    fn settings(set: &[(&str, &str)]) -> KubeOps {
        let set = [("KubeOps:Name", "pod"), ("KubeOps:LeaderElectionId", "lock")].iter().chain(set);
        let set = set.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let settings = Settings::load(LoadOptions { set, ..LoadOptions::default() }).unwrap();
        KubeOps::from_settings(&settings, &Defaults::default()).unwrap().0
    }

    #[tokio::test]
    async fn only_the_first_election_of_the_only_process_of_a_pod_knows_the_earlier_ones_dead() {
        let uid = random_uuid();
        let mut first = settings(&[("KubeOps:PodUid", &uid)]);
        assert!(bear(&mut first).await);
        assert!(!bear(&mut first).await, "work of the first may go on");
        assert_eq!(first.holder_identity(), format!("pod_{uid}"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_process_of_a_pod_takes_an_identity_of_its_own() {
        let uid = random_uuid();
        let name = format!("kubeops/{uid}/default/lock");
        let _twin = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name).unwrap()).unwrap();
        let mut second = settings(&[("KubeOps:PodUid", &uid)]);
        assert!(!bear(&mut second).await);
        let identity = second.holder_identity();
        assert!(identity.starts_with("pod_") && !identity.contains(&uid), "{identity}");
        assert_eq!(identity, second.holder_identity());
    }

    #[tokio::test]
    async fn without_a_uid_or_an_election_nothing_is_bound() {
        let uid = random_uuid();
        assert!(!bear(&mut settings(&[])).await);
        let alone = [("KubeOps:PodUid", uid.as_str()), ("KubeOps:EnableLeaderElection", "false")];
        assert!(!bear(&mut settings(&alone)).await);
        assert!(bear(&mut settings(&alone[..1])).await, "the name was free");
    }
}
