//! The SDK's own health checks.
//!
//! Liveness says nothing of leading, so that a standby is never restarted for standing by.

use std::time::Duration;

use super::kube_ops::ReadyWhen;
use crate::cache::{CacheState, Caches};
use crate::health::{AddError, CheckResult, Health, Part, Probes};
use crate::leadership::{Leadership, LeadershipState, Pulse};

/// What the elector's checks look at.
pub(super) struct Election {
    pub(super) leadership: Leadership,
    /// `None` without leader election.
    pub(super) pulse: Option<Pulse>,
    pub(super) ready_when: ReadyWhen,
}

pub(super) fn add(
    health: &Health,
    reached: impl Fn() -> bool + Send + Sync + 'static,
    caches: &Caches,
    election: Election,
) -> Result<(), AddError> {
    health.add_sync("api-server", Probes::STARTUP, move || {
        if reached() { Ok(String::new()) } else { Err("the API server has not answered yet".to_owned()) }
    })?;
    let states = caches.clone();
    health.add_sync("caches-alive", Probes::LIVE, move || alive(&states.state()))?;
    let states = caches.clone();
    health.add_sync("caches", Probes::READY, move || synced(&states.state()))?;
    let Election { leadership, pulse, ready_when } = election;
    if let Some(pulse) = pulse {
        let beats = pulse.clone();
        health.add_sync("leader-election", Probes::LIVE, move || {
            let stuck = |still: Duration| format!("the elector has not moved for {} s", still.as_secs());
            beats.stuck_for().map_or_else(|| Ok(String::new()), |still| Err(stuck(still)))
        })?;
        health.add_sync("lock", Probes::STARTUP, move || {
            let seen = pulse.has_seen_lock();
            if seen { Ok(String::new()) } else { Err("the lock has not been read and watched yet".to_owned()) }
        })?;
    }
    let part = match ready_when {
        ReadyWhen::Leading => Part::Counts,
        ReadyWhen::Synced => Part::Listed,
    };
    health.add_sync("leading", Probes { ready: part, ..Probes::default() }, move || leading(&leadership))
}

fn leading(leadership: &Leadership) -> CheckResult {
    match leadership.current() {
        LeadershipState::Leading(term) if term.is_valid() => {
            Ok(format!("{} leads, term {}", term.identity(), term.id()))
        }
        LeadershipState::Leading(term) => Err(format!("term {} has just run out", term.id())),
        LeadershipState::Standby { leader: Some(leader) } => Err(format!("standing by, {leader} leads")),
        LeadershipState::Standby { leader: None } => Err("standing by, nobody leads".to_owned()),
    }
}

fn alive(caches: &[CacheState]) -> CheckResult {
    let dead: Vec<&str> = caches.iter().filter(|cache| !cache.moving).map(|cache| &*cache.kind).collect();
    if dead.is_empty() { Ok(String::new()) } else { Err(format!("the watches of {} have ended", dead.join(", "))) }
}

fn synced(caches: &[CacheState]) -> CheckResult {
    let why = |cache: &CacheState| {
        let kind = &cache.kind;
        match &cache.last_error {
            _ if cache.missing => format!("{kind} is not installed"),
            Some(error) => format!("{kind} could not be listed: {error}"),
            None => format!("{kind} has not been listed yet"),
        }
    };
    let missing: Vec<String> = caches.iter().filter(|cache| !cache.synced).map(why).collect();
    if missing.is_empty() { Ok(String::new()) } else { Err(missing.join("; ")) }
}
