//! How the `KubeOps` section becomes each room's own options.

use std::time::Duration;

use super::kube_ops::{self, KubeOps};
use crate::controller::{ControllerOptions, ReconcileStrategy};
use crate::leadership::clock::Clock;
use crate::leadership::life::LifeOptions;
use crate::leadership::{ElectionOptions, random_uuid};
use crate::workqueue::Backoff;

/// Of the shutdown timeout running reconciles get this much; what is left is for giving the lock back.
const DRAIN_PERCENT: u32 = 80;

pub(super) fn election(settings: &KubeOps, only_bearer: bool) -> ElectionOptions {
    ElectionOptions {
        identity: settings.holder_identity(),
        lease_duration: settings.leader_election_lease_duration,
        renew_deadline: settings.leader_election_renew_deadline,
        retry_period: settings.leader_election_retry_period,
        release_on_stop: settings.leader_election_release_on_stop,
        trust_age: settings.leader_election_trust_age,
        only_bearer,
    }
}

/// Of a lock that goes with its holder's pod.
pub(super) fn life(settings: &KubeOps) -> LifeOptions {
    let (pod, pod_uid) = (settings.name.clone(), settings.pod_uid.clone());
    LifeOptions { pod, pod_uid, process: random_uuid(), timing: election(settings, false) }
}

pub(super) fn controllers(settings: &KubeOps, clock: Clock) -> ControllerOptions {
    ControllerOptions {
        concurrency: u16::try_from(settings.max_parallel_reconciliations.get()).unwrap_or(u16::MAX),
        strategy: match settings.reconcile_strategy {
            kube_ops::ReconcileStrategy::ByGeneration => ReconcileStrategy::ByGeneration,
            kube_ops::ReconcileStrategy::ByResourceVersion => ReconcileStrategy::ByResourceVersion,
        },
        resync: settings.resync_period,
        backoff: Backoff { base: settings.error_backoff_base, max: settings.error_backoff_max },
        timeout: settings.reconcile_timeout,
        auto_attach_finalizers: settings.auto_attach_finalizers,
        auto_detach_finalizers: settings.auto_detach_finalizers,
        clock,
    }
}

/// How long running reconciles may go on after a request to stop.
pub(super) fn drain(settings: &KubeOps) -> Duration {
    settings.shutdown_timeout * DRAIN_PERCENT / 100
}
