//! The SDK's own health checks.
//!
//! Liveness says nothing of leading, so that a standby is never restarted for standing by.

use std::time::Duration;

use super::kube_ops::ReadyWhen;
use crate::cache::{CacheState, Caches};
use crate::health::{AddError, CheckResult, Health, Part, Probes};
use crate::leadership::{Leadership, LeadershipState, Pulse};
use crate::status::told;
use crate::workqueue::WorkQueue;

/// An object that is worked on for so many times as long as it may be is no slow one: its reconcile does not even notice that
/// it was given up, because it blocks its thread.
const STUCK: u32 = 2;

/// What the elector's checks look at.
pub(super) struct Election {
    pub(super) leadership: Leadership,
    /// `None` without leader election.
    pub(super) pulse: Option<Pulse>,
    pub(super) ready_when: ReadyWhen,
}

/// What the workers' check looks at.
pub(super) struct Workers {
    /// Names of controllers, and their queues.
    pub(super) queues: Vec<(&'static str, WorkQueue)>,
    /// How long a reconcile may take.
    pub(super) timeout: Option<Duration>,
}

pub(super) fn add(
    health: &Health,
    reached: impl Fn() -> bool + Send + Sync + 'static,
    caches: &Caches,
    workers: Workers,
    election: Election,
) -> Result<(), AddError> {
    health.add_sync("api-server", Probes::STARTUP, move || {
        if reached() { Ok(String::new()) } else { Err("the API server has not answered yet".to_owned()) }
    })?;
    let states = caches.clone();
    health.add_sync("caches-alive", Probes::LIVE, move || alive(&states.state()))?;
    let states = caches.clone();
    health.add_sync("crds", Probes::READY, move || present(&states.state()))?;
    let states = caches.clone();
    health.add_sync("caches", Probes::READY, move || synced(&states.state()))?;
    health.add_sync("workers", Probes::LIVE, move || workers.check())?;
    let Election { leadership, pulse, ready_when } = election;
    if let Some(pulse) = pulse {
        let beats = pulse.clone();
        health.add_sync("leader-election", Probes::LIVE, move || {
            let stuck = |still: Duration| format!("the elector has not moved for {}", told(still));
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
            Ok(format!("{} leads for {}, term {}", term.identity(), told(term.age()), term.id()))
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

fn present(caches: &[CacheState]) -> CheckResult {
    let mut missing: Vec<&str> = caches.iter().filter(|cache| cache.missing).map(|cache| &*cache.kind).collect();
    // One watch for each namespace.
    missing.dedup();
    let why = || format!("not installed: {}", missing.join(", "));
    if missing.is_empty() { Ok(String::new()) } else { Err(why()) }
}

fn synced(caches: &[CacheState]) -> CheckResult {
    let why = |cache: &CacheState| {
        let kind = &cache.kind;
        match &cache.last_error {
            Some(error) => format!("{kind} could not be listed: {error}"),
            None => format!("{kind} has not been listed yet"),
        }
    };
    let missing: Vec<String> = caches.iter().filter(|cache| !cache.synced).map(why).collect();
    if missing.is_empty() { Ok(String::new()) } else { Err(missing.join("; ")) }
}

impl Workers {
    fn check(&self) -> CheckResult {
        let longest = |(name, queue): &(&'static str, WorkQueue)| {
            queue.longest_running().map(|(key, time)| (time, format!("{name} has been at {key} for {}", told(time))))
        };
        self.queues
            .iter()
            .filter_map(longest)
            .max()
            .map_or_else(|| Ok(String::new()), |(time, what)| in_time(time, what, self.timeout))
    }
}

fn in_time(time: Duration, what: String, timeout: Option<Duration>) -> CheckResult {
    match timeout {
        Some(timeout) if time > timeout * STUCK => {
            Err(format!("{what}, and a reconcile may take {}: its code blocks its thread", told(timeout)))
        }
        _ => Ok(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_stuck_when_its_object_takes_much_longer_than_it_may() {
        let minute = Duration::from_secs(60);
        let check = |time, timeout| in_time(time, "pages has been at a".to_owned(), timeout);
        assert_eq!(check(minute * 2, Some(minute)), Ok("pages has been at a".to_owned()));
        let stuck = check(minute * 2 + Duration::from_millis(1), Some(minute)).unwrap_err();
        assert_eq!(stuck, "pages has been at a, and a reconcile may take 1m: its code blocks its thread");
        assert!(check(minute * 60, None).is_ok(), "without a limit nothing is too long");
    }
}
