//! Records that name a holder and are free all the same: it is known to be dead.

use std::time::Duration;

use super::Election;
use super::record::{Dates, Spec};
use super::step::Now;
use crate::leadership::clock::Moment;

/// Clocks of one cluster differ by less than this, but for one that is wrong altogether.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// What is known of the newest record's holder beyond what the record's own wait tells.
#[derive(Clone, Debug, Default)]
pub(super) struct Vouched {
    /// A write of this process has counted: from then on its identity in a record that it did not write is a twin's.
    pub(super) has_written: bool,
    /// The newest dates that a read told, and the wall clock's time then.
    pub(super) dated: Option<(Dates, Now)>,
}

impl Election {
    /// Whether the newest record is an earlier container's of this very pod, which is dead, so that it is free at once. One
    /// that had led for less than a lease is waited for: a container that dies again and again must not keep others away.
    #[must_use]
    pub fn is_of_earlier_container(&self) -> bool {
        let Some(spec) = self.lock.record().map(|record| &record.spec) else { return false };
        self.options.only_bearer
            && !self.vouched.has_written
            && spec.holder() == Some(&self.options.identity)
            && led_for(spec) >= self.options.lease_duration
    }

    /// Whether the newest record had run out long before it was first seen, by the wall clocks of three: the API server that
    /// answered, its holder, and this process. Any one of them may be wrong.
    #[must_use]
    pub fn is_long_dead(&self) -> bool {
        let (Some(record), Some((dates, read))) = (self.lock.record(), self.vouched.dated) else { return false };
        let Some(renewed) = record.spec.renewed else { return false };
        let lease = self.options.lease_duration;
        let age = dates.answered.min(read.wall).since(dates.written.max(renewed));
        self.options.trust_age
            && dates.version == record.version
            && age > lease.max(record.spec.duration_or(lease)) + CLOCKS_DIFFER
    }

    pub(super) fn dated(&mut self, now: Now, dates: Dates) {
        self.vouched.dated = Some((dates, now));
    }

    /// From when on this candidate may write the lock as its own.
    pub(super) fn free_from(&self) -> Option<Moment> {
        let is_dead = self.is_of_earlier_container() || self.is_long_dead();
        self.lock.free_from(self.options.lease_duration, is_dead)
    }
}

/// From the acquisition to the last renewal, both by the holder's clock.
pub(super) fn led_for(spec: &Spec) -> Duration {
    match (spec.acquired, spec.renewed) {
        (Some(acquired), Some(renewed)) => renewed.since(acquired),
        _ => Duration::ZERO,
    }
}
