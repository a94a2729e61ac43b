//! Which locks this process stands for. Two operators in it may well have the same identity, as pods have one, and what both write
//! in the same microsecond is the same: each could take the other's lock for its own, and both would lead.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::kube_ops::KubeOps;
use super::run::RunError;

/// Each with the operator that stands for it.
static CLAIMS: Mutex<BTreeMap<Stand, &'static str>> = Mutex::new(BTreeMap::new());

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stand {
    server: String,
    lock: String,
    identity: String,
}

/// A lock and an identity that no other operator of this process has, until this is dropped.
#[derive(Debug)]
pub(super) struct Claim(Option<Stand>);

impl Claim {
    /// Nothing to claim without leader election.
    pub(super) fn of(operator: &'static str, server: String, settings: &KubeOps) -> Result<Self, RunError> {
        if !settings.enable_leader_election {
            return Ok(Self(None));
        }
        let lock = format!("{}/{}", settings.leader_election_namespace, settings.leader_election_id);
        let is_for_life = settings.leader_election_lock.is_for_life();
        let identity = if is_for_life { settings.name.clone() } else { settings.holder_identity() };
        let stand = Stand { server, lock, identity };
        let mut claims = claims();
        if let Some(other) = claims.get(&stand) {
            let Stand { lock, identity, .. } = stand;
            return Err(RunError::LockTwice { operators: [other, operator], lock, identity });
        }
        claims.insert(stand.clone(), operator);
        Ok(Self(Some(stand)))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(stand) = &self.0 {
            claims().remove(stand);
        }
    }
}

fn claims() -> MutexGuard<'static, BTreeMap<Stand, &'static str>> {
    CLAIMS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::kube_ops::Defaults;
    use super::*;
    use crate::settings::{LoadOptions, Settings};

    fn settings(set: &[(&str, &str)]) -> KubeOps {
        let set = [("KubeOps:Name", "pod"), ("KubeOps:LeaderElectionId", "twice")].iter().chain(set);
        let set = set.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let settings = Settings::load(LoadOptions { set, ..LoadOptions::default() }).unwrap();
        KubeOps::from_settings(&settings, &Defaults::default()).unwrap().0
    }

    fn claim(operator: &'static str, set: &[(&str, &str)]) -> Result<Claim, RunError> {
        Claim::of(operator, "https://server".to_owned(), &settings(set))
    }

    #[test]
    fn one_identity_stands_for_a_lock_once_in_a_process() {
        let pod = ("KubeOps:PodUid", "1");
        let first = claim("shop", &[pod]).unwrap();
        let told = claim("till", &[pod]).unwrap_err().to_string();
        let expected = "`shop` and `till` run in this process, and both stand for the lock default/twice as pod_1: both \
                        could lead; put their controllers into one operator, or run each in a process of its own";
        assert_eq!(told, expected);
        let others = [
            claim("till", &[pod, ("KubeOps:LeaderElectionId", "other")]),
            claim("till", &[("KubeOps:PodUid", "2")]),
            claim("till", &[pod, ("KubeOps:EnableLeaderElection", "false")]),
            // Without a uid each has an identity of its own.
            claim("till", &[]),
            claim("till", &[]),
        ];
        assert!(others.iter().all(Result::is_ok), "{others:?}");
        drop(first);
        claim("till", &[pod]).unwrap();
    }
}
