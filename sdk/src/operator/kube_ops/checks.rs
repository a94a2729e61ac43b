//! What must hold between and within the values of the section, checked as far as they could be read.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use super::Draft;
use super::names::{not_a_label, not_a_subdomain};
use super::reader::Reader;
use super::types::{LeaderElectionLock, Setting};

/// Tries are up to this much, in tenths, of the retry period apart (client-go's `JitterFactor`).
const JITTER_TENTHS: u32 = 12;
/// Less between renew deadline and lease is soon eaten up by clocks that run at different speeds and by slow requests.
const ENOUGH_MARGIN: Duration = Duration::from_secs(2);
/// How a container learns which pod it is in.
/// <https://kubernetes.io/docs/concepts/workloads/pods/downward-api/>
const DOWNWARD_API: &str = "\
    set POD_NAME by the Downward API, with these lines under the container's `env` in the pod's template:
- { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
- { name: POD_UID, valueFrom: { fieldRef: { fieldPath: metadata.uid } } }
- { name: POD_NAMESPACE, valueFrom: { fieldRef: { fieldPath: metadata.namespace } } }";
/// A Lease holds its duration as an `i32` of seconds.
const LONGEST_LEASE: Duration = Duration::from_secs(i32::MAX as u64);

pub(super) fn check(draft: &Draft, reader: &mut Reader<'_>) {
    check_names(draft, reader);
    check_pod(draft, reader);
    check_fence(draft, reader);
    check_lease(draft, reader);
    check_backoff(draft, reader);
    check_addresses(draft, reader);
}

fn check_names(draft: &Draft, reader: &mut Reader<'_>) {
    if let Some(expected) = draft.name.as_deref().and_then(not_a_subdomain) {
        let empty = draft.name.as_deref() == Some("");
        let hint = if empty { "must not be empty; set it, or POD_NAME by the Downward API; " } else { "" };
        reader.problem("Name", format!("{hint}{expected}"));
    }
    if let Some(expected) = draft.leader_election_id.as_deref().and_then(not_a_subdomain) {
        reader.problem("LeaderElectionId", expected);
    }
    if let Some(expected) = draft.leader_election_namespace.as_deref().and_then(not_a_label) {
        reader.problem("LeaderElectionNamespace", expected);
    }
    let mut seen = BTreeSet::new();
    for namespace in draft.namespaces.iter().flatten() {
        if let Some(expected) = not_a_label(namespace) {
            reader.problem("Namespaces", format!("{namespace:?} names no namespace; {expected}"));
        } else if !seen.insert(namespace) {
            reader.problem("Namespaces", format!("{namespace:?} is there twice; expected each namespace once"));
        }
    }
}

/// A lock that goes with its holder's pod.
fn check_pod(draft: &Draft, reader: &mut Reader<'_>) {
    let is_for_life = draft.leader_election_lock.is_some_and(LeaderElectionLock::is_for_life);
    if !is_for_life || draft.enable_leader_election != Some(true) || reader.is_for_pods() {
        return;
    }
    if reader.is_made_up("Name") {
        let expected =
            format!("a ConfigMap or LeaderLock goes with its holder's pod, whose name must be known; {DOWNWARD_API}");
        reader.problem("Name", expected);
    }
    if let (Some(namespace), Some(own)) = (&draft.leader_election_namespace, reader.variable("POD_NAMESPACE"))
        && *namespace != own
    {
        let expected = format!(
            "expected the pod's own namespace, {own} (POD_NAMESPACE): a ConfigMap or LeaderLock belongs to its holder's pod, and \
             the garbage collector deletes what belongs to a pod of another namespace"
        );
        reader.problem("LeaderElectionNamespace", expected);
    }
}

fn check_fence(draft: &Draft, reader: &mut Reader<'_>) {
    if draft.leader_election_fence == Some(true) && draft.enable_leader_election == Some(false) {
        let message =
            "lets only the leader write, and EnableLeaderElection is false: set that to true, or this to false";
        reader.problem("LeaderElectionFence", message);
    }
    if draft.leader_election_fence == Some(true)
        && draft.leader_election_lock.is_some_and(LeaderElectionLock::is_for_life)
    {
        let message = "asks the API server to compare writers with the holder of a Lease, and LeaderElectionLock is another lock: \
                       set that to Lease, or this to false";
        reader.problem("LeaderElectionFence", message);
    }
}

/// client-go's order of the three durations, and what a Lease can hold.
fn check_lease(draft: &Draft, reader: &mut Reader<'_>) {
    let (lease, renew, retry) = (
        draft.leader_election_lease_duration,
        draft.leader_election_renew_deadline,
        draft.leader_election_retry_period,
    );
    if let Some(lease) = lease
        && (lease.subsec_nanos() > 0 || lease.is_zero() || lease > LONGEST_LEASE)
    {
        reader.problem(
            "LeaderElectionLeaseDuration",
            "expected whole seconds, at least 1: that is what a Lease can hold",
        );
    }
    if retry.is_some_and(|retry| retry.is_zero()) {
        reader.problem("LeaderElectionRetryPeriod", "expected more than 0");
    }
    if let (Some(lease), Some(renew)) = (lease, renew) {
        if lease <= renew {
            let renew = renew.show();
            let expected = format!("expected more than LeaderElectionRenewDeadline ({renew})");
            reader.problem("LeaderElectionLeaseDuration", expected);
        } else if lease - renew < ENOUGH_MARGIN && !reader.is_development() {
            let margin = (lease - renew).show();
            let message = format!(
                "is only {margin} below LeaderElectionLeaseDuration; with less than 00:00:02 a slow request may end a term"
            );
            reader.warn("LeaderElectionRenewDeadline", message);
        }
    }
    if let (Some(renew), Some(retry)) = (renew, retry)
        && renew <= retry.saturating_mul(JITTER_TENTHS) / 10
    {
        let retry = retry.show();
        let expected = format!("expected more than 1.2 times LeaderElectionRetryPeriod ({retry})");
        reader.problem("LeaderElectionRenewDeadline", expected);
    }
}

fn check_backoff(draft: &Draft, reader: &mut Reader<'_>) {
    let (base, max) = (draft.error_backoff_base, draft.error_backoff_max);
    if base.is_some_and(|base| base.is_zero()) {
        reader.problem("ErrorBackoffBase", "expected more than 0: without a pause a failing object takes all CPUs");
    }
    if let (Some(base), Some(max)) = (base, max)
        && base > max
    {
        let base = base.show();
        reader.problem("ErrorBackoffMax", format!("expected at least ErrorBackoffBase ({base})"));
    }
}

fn check_addresses(draft: &Draft, reader: &mut Reader<'_>) {
    let addresses = [
        ("HealthAddress", draft.health_address),
        ("MetricsAddress", draft.metrics_address),
        ("StatusAddress", draft.status_address),
    ];
    let mut taken: Vec<(&str, SocketAddr)> = Vec::new();
    for (key, address) in addresses {
        let Some(address) = address.flatten() else { continue };
        if let Some((other, at)) = taken.iter().find(|(_, at)| collide(*at, address)) {
            reader.problem(key, format!("expected another address than {other} ({at})"));
        }
        taken.push((key, address));
    }
}

/// Whether both cannot be bound: an unspecified address takes the port on all others.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    let same_ip = everywhere || one.ip().to_canonical() == other.ip().to_canonical();
    one.port() != 0 && one.port() == other.port() && same_ip
}
