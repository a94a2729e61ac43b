//! What a lock says, as far as an election needs to know it.

use std::fmt;
use std::time::Duration;

/// A wall-clock time in a record, in microseconds since 1970: all that a Lease can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(i64);

/// The fields of a lock that the holder writes. Two specs that differ in any of them are two writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// Who holds it. Absent or empty: nobody.
    pub holder: Option<String>,
    /// How many seconds others wait after they saw this record change.
    pub duration: Option<i32>,
    /// When the holder's term began, by the holder's clock.
    pub acquired: Option<Stamp>,
    /// When the holder wrote last, by the holder's clock. Never compared with a local clock alone.
    pub renewed: Option<Stamp>,
    /// How often the holder changed.
    pub transitions: Option<i32>,
    /// Fields of the spec that are not ours, kept as they are; a change of them is a foreign write all the same.
    pub foreign: String,
}

/// A lock object at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `metadata.resourceVersion`: of two versions of one object the higher one is newer.
    pub version: u64,
    /// `metadata.uid`: another one is another object.
    pub uid: String,
    /// What it says.
    pub spec: Spec,
}

/// What was learnt of the lock, from an answer, a read or a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// It was there.
    Present(Record),
    /// It was not there at this version (of the list that did not contain it, or of its deletion).
    Absent {
        /// Version at which it was absent.
        version: u64,
    },
}

/// When a read was answered and when the object that it showed was written last, both by clocks of API servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dates {
    /// Of the object that it showed.
    pub version: u64,
    /// `Date` of the answer.
    pub answered: Stamp,
    /// The newest `metadata.managedFields[].time`.
    pub written: Stamp,
}

/// A write of the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// Version and uid of the object that it replaces; `None` creates it.
    pub base: Option<(u64, String)>,
    /// What the lock is to say.
    pub spec: Spec,
}

// === impl Stamp ===

impl Stamp {
    /// From microseconds since 1970.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// How long after `earlier` it is; zero if it is before it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or_default())
    }

    /// The later of this time and the next possible one after `last`: stamps of one process grow strictly, even when its
    /// wall clock is set back, so that no two of its writes look alike.
    #[must_use]
    pub fn after(self, last: Option<Self>) -> Self {
        last.map_or(self, |last| self.max(Self(last.0.saturating_add(1))))
    }
}

// === impl Spec ===

impl Spec {
    /// Who holds the lock, if anybody.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        self.holder.as_deref().filter(|holder| !holder.is_empty())
    }

    /// How long others wait after they saw this record, `otherwise` if it does not say.
    #[must_use]
    pub fn duration_or(&self, otherwise: Duration) -> Duration {
        self.duration
            .and_then(|seconds| u64::try_from(seconds).ok())
            .filter(|seconds| *seconds > 0)
            .map_or(otherwise, Duration::from_secs)
    }
}

// === impl Observation ===

impl Observation {
    /// The version that it was learnt at.
    #[must_use]
    pub const fn version(&self) -> u64 {
        match self {
            Self::Present(record) => record.version,
            Self::Absent { version } => *version,
        }
    }

    /// The record, if the lock was there.
    #[must_use]
    pub const fn record(&self) -> Option<&Record> {
        match self {
            Self::Present(record) => Some(record),
            Self::Absent { .. } => None,
        }
    }
}

impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.record().map(|record| record.spec.holder()) {
            Some(Some(holder)) => write!(f, "held by {holder}"),
            Some(None) => f.write_str("held by nobody"),
            None => f.write_str("not there"),
        }
    }
}
