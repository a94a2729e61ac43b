//! A store that keeps one lock, compares versions as the API server does, and knows what should not have been overwritten.

use std::time::Duration;

use super::super::{Observation, Put, Record, Spec, Stamp};
use super::scenario::Setup;

/// Whose write the lock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Author {
    /// Which candidate, and its how manieth process.
    Candidate(usize, u8),
    /// None of the candidates.
    Other,
}

#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) version: u64,
    pub(super) uids: u64,
    pub(super) held: Option<Held>,
    /// Older states, the oldest first, and how many of them a late watch may tell.
    pub(super) earlier: Vec<Observation>,
    pub(super) late: usize,
    /// Version at which somebody cleared a holder or deleted the lock the last time: that forces an election.
    pub(super) cleared: u64,
    pub(super) deleted: u64,
    /// The highest token of a term.
    pub(super) newest_token: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) record: Record,
    pub(super) author: Author,
    /// The tick at which the spec became what it is.
    pub(super) since: u64,
}

impl Author {
    /// An earlier process of the same candidate: whatever it held it holds no more.
    pub(super) fn is_dead_before(self, later: Self) -> bool {
        match (self, later) {
            (Self::Candidate(who, life), Self::Candidate(same, next)) => who == same && life < next,
            _ => false,
        }
    }
}

impl Server {
    pub(super) const fn new(late: usize) -> Self {
        Self { version: 1, uids: 0, held: None, earlier: Vec::new(), late, cleared: 0, deleted: 0, newest_token: 0 }
    }

    /// Of a holder that was there at tick 0, and never again.
    pub(super) fn with_old_record(late: usize) -> Self {
        let stamp = Some(Stamp::from_micros(1));
        let mut server = Self::new(late);
        let spec = Spec {
            holder: Some("old".to_owned()),
            duration: Some(3),
            acquired: stamp,
            renewed: stamp,
            ..Spec::default()
        };
        server.accept(Author::Other, spec, 0);
        server
    }

    pub(super) fn read(&self) -> Observation {
        let absent = Observation::Absent { version: self.version };
        self.held.as_ref().map_or(absent, |held| Observation::Present(held.record.clone()))
    }

    /// Terms that began before this version may overlap later ones: somebody forced an election.
    pub(super) fn forced(&self) -> u64 {
        self.cleared.max(self.deleted)
    }

    /// A write replaces the very object and version that it was based on, or creates what is not there.
    pub(super) fn takes(&self, put: &Put) -> bool {
        let current = self.held.as_ref().map(|held| (held.record.version, &held.record.uid));
        current == put.base.as_ref().map(|(version, uid)| (*version, uid))
    }

    /// Whether `author`, whose clock and options these are, may not write this now.
    pub(super) fn forbids(&self, put: &Put, author: Author, setup: &Setup, tick: u64) -> bool {
        let Some(held) = self.held.as_ref().filter(|held| held.author != author) else { return false };
        let lasted = setup.elapsed(tick - held.since);
        let unexpired = lasted < held.record.spec.duration_or(setup.options.lease_duration);
        put.spec.holder().is_none() || (held.record.spec.holder().is_some() && unexpired)
    }

    pub(super) fn accept(&mut self, author: Author, spec: Spec, tick: u64) {
        self.remember();
        let uid = if let Some(held) = &self.held {
            held.record.uid.clone()
        } else {
            self.uids += 1;
            self.uids.to_string()
        };
        let record = Record { version: self.version, uid, spec };
        self.held = Some(Held { record, author, since: tick });
    }

    pub(super) fn label(&mut self) {
        self.remember();
        if let Some(held) = &mut self.held {
            held.record.version = self.version;
        }
    }

    pub(super) fn delete(&mut self) {
        self.remember();
        self.held = None;
        self.deleted = self.version;
    }

    /// Somebody else writes `spec`; that forces an election if it takes the lock from its holder.
    pub(super) fn meddle(&mut self, spec: Spec, tick: u64, forces: bool) {
        self.accept(Author::Other, spec, tick);
        if forces {
            self.cleared = self.version;
        }
    }

    fn remember(&mut self) {
        self.earlier.push(self.read());
        if self.earlier.len() > self.late {
            self.earlier.remove(0);
        }
        self.version += 1;
    }

    /// How long the spec has been what it is.
    pub(super) fn age(&self, tick: u64, longest: Duration) -> u64 {
        self.held.as_ref().map_or(0, |held| (tick - held.since).min(longest.as_secs()))
    }
}
