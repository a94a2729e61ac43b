//! A witness: the API server's audit log, read as "who asked for what when". All times are the server's.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kubeops_testkit::AuditEvent;

use super::LOCK;

/// The requests of one moment, in the order in which the server received them.
#[derive(Clone, Debug)]
pub(crate) struct Ledger(Vec<AuditEvent>);

/// A stretch during which one user was the last to write the lock.
#[derive(Clone, Debug)]
struct Holding {
    user: String,
    /// The server received the write that began it.
    from: Timestamp,
    /// The server had answered the write of the next holder.
    until: Timestamp,
}

impl Ledger {
    pub(crate) fn new(mut events: Vec<AuditEvent>) -> Self {
        events.sort_by_key(|event| event.received);
        Self(events)
    }

    /// Requests that the server received from `from` to `until`.
    pub(crate) fn between(&self, from: Timestamp, until: Timestamp) -> Self {
        Self(self.0.iter().filter(|event| (from..=until).contains(&event.received)).cloned().collect())
    }

    pub(crate) fn since(&self, from: Timestamp) -> Self {
        self.between(from, Timestamp::MAX)
    }

    pub(crate) fn of(&self, user: &str) -> Self {
        self.such(|event| event.user == user)
    }

    pub(crate) fn such(&self, fits: impl Fn(&AuditEvent) -> bool) -> Self {
        Self(self.0.iter().filter(|event| fits(event)).cloned().collect())
    }

    /// Writes of the work: neither those of the lock nor Events, which are not fenced and need not be.
    pub(crate) fn writes(&self) -> Self {
        self.such(|event| event.is_write() && !is_of_lock(event) && event.resource != "events")
    }

    /// Writes of the lock that the server took.
    pub(crate) fn lock_writes(&self) -> Self {
        self.such(|event| event.is_write() && is_of_lock(event) && is_taken(event))
    }

    /// Writes of any Lease that the server took.
    pub(crate) fn lease_writes(&self) -> Self {
        self.such(|event| event.is_write() && event.resource == "leases" && is_taken(event))
    }

    /// Writes of the work of any program, Leases and Events left out.
    pub(crate) fn work(&self) -> Self {
        self.such(|event| event.is_write() && !matches!(event.resource.as_str(), "leases" | "events"))
    }

    /// Only what the server took, or may have taken: an answer that was not given in time does not say.
    pub(crate) fn taken(&self) -> Self {
        self.such(|event| is_taken(event) || matches!(event.code, None | Some(504)))
    }

    pub(crate) fn events(&self) -> &[AuditEvent] {
        &self.0
    }

    pub(crate) fn first(&self) -> Option<&AuditEvent> {
        self.0.first()
    }

    pub(crate) fn last(&self) -> Option<&AuditEvent> {
        self.0.last()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// How often each verb on each resource was asked for, for a report.
    pub(crate) fn summary(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for event in &self.0 {
            *counts.entry(format!("{} {}", event.verb, event.resource)).or_default() += 1;
        }
        counts
    }

    /// Never two writers: fails if the server took a write of a replica's work while the lock was another's.
    pub(crate) fn assert_only_holders_write(&self) {
        let strays = self.strays();
        assert!(strays.0.is_empty(), "written without the lock: {:#?}\n{:#?}", strays.lines(), self.holdings());
        assert!(!self.holdings().is_empty(), "nobody held the lock, so this proved nothing");
    }

    /// Writes of the replicas' work that the server took, or may have taken, from one that did not hold the lock.
    pub(crate) fn strays(&self) -> Self {
        let holdings = self.holdings();
        let is_held = |write: &AuditEvent| {
            holdings.iter().any(|one| one.user == write.user && (one.from..=one.until).contains(&write.received))
        };
        self.writes().taken().such(|write| write.user.starts_with("replica-") && !is_held(write))
    }

    /// One line a request.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |one: &AuditEvent| {
            let AuditEvent { received, user, verb, resource, name, code, .. } = one;
            format!("{received} {user} {verb} {resource} {name}: {code:?}")
        };
        self.0.iter().map(line).collect()
    }

    fn holdings(&self) -> Vec<Holding> {
        let mut holdings: Vec<Holding> = Vec::new();
        for write in self.lock_writes().0 {
            let last = holdings.last_mut();
            if last.as_ref().is_some_and(|holding| holding.user == write.user) {
                continue;
            }
            if let Some(last) = last {
                last.until = write.completed.unwrap_or(Timestamp::MAX);
            }
            holdings.push(Holding { user: write.user, from: write.received, until: Timestamp::MAX });
        }
        holdings
    }
}

fn is_taken(event: &AuditEvent) -> bool {
    event.code.is_some_and(|code| (200..300).contains(&code))
}

fn is_of_lock(event: &AuditEvent) -> bool {
    event.resource == "leases" && (event.name.is_empty() || event.name == LOCK)
}
