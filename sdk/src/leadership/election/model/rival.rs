//! A candidate of another make: client-go's rules, with their faults.
//!
//! It waits for its own lease duration, not for the record's; counts validity from its own try; and its release takes the
//! newest version it can get, so that it clears whoever holds the lock by then.

use std::time::Duration;

use super::super::{Spec, Stamp};
use super::scenario::Setup;
use super::server::Server;
use crate::leadership::clock::Moment;

pub(super) const RIVAL: &str = "go";
/// Its stamps are unlike those of all others.
const STAMPS: i64 = 1_000_000_000;

#[derive(Clone, Debug, Default)]
pub(super) struct Rival {
    pub(super) observed: Option<Spec>,
    pub(super) observed_at: Moment,
    /// Until then it leads, by its own reckoning, and since which version.
    pub(super) term: Option<(Moment, u64)>,
    stamps: i64,
}

impl Rival {
    fn is_leader(&self) -> bool {
        self.observed.as_ref().is_some_and(|spec| spec.holder() == Some(RIVAL))
    }

    /// `tryAcquireOrRenew`, whose read and write nothing comes between.
    pub(super) fn tries(&mut self, server: &mut Server, setup: &Setup, tick: u64) {
        let now = setup.clock(tick);
        let seen = server.held.as_ref().map(|held| held.record.spec.clone());
        if let Some(spec) = &seen {
            if self.observed.as_ref() != Some(spec) {
                self.observed = Some(spec.clone());
                self.observed_at = now;
            }
            let valid = now.since(self.observed_at) < setup.options.lease_duration;
            if spec.holder().is_some() && valid && !self.is_leader() {
                return;
            }
        }
        let renews = seen.is_some() && self.is_leader();
        let stamp = self.stamp();
        let spec = Spec {
            holder: Some(RIVAL.to_owned()),
            duration: Some(setup.options.lease_seconds()),
            acquired: if renews { seen.as_ref().and_then(|spec| spec.acquired) } else { Some(stamp) },
            renewed: Some(stamp),
            ..seen.unwrap_or_default()
        };
        server.meddle(spec.clone(), tick, false);
        self.observed = Some(spec);
        self.observed_at = now;
        let token = self.term.filter(|_| renews).map_or(server.version, |(_, token)| token);
        self.term = Some((now + setup.options.renew_deadline, token));
    }

    /// `release`: whoever holds the lock by now.
    pub(super) fn releases(&mut self, server: &mut Server, tick: u64) {
        self.term = None;
        let Some(record) = server.held.as_ref().map(|held| held.record.clone()) else { return };
        if !self.is_leader() {
            return;
        }
        let forces = record.spec.holder().is_some_and(|holder| holder != RIVAL);
        let stamp = self.stamp();
        let spec = Spec {
            holder: Some(String::new()),
            duration: Some(1),
            acquired: Some(stamp),
            renewed: Some(stamp),
            ..record.spec
        };
        server.meddle(spec.clone(), tick, forces);
        self.observed = Some(spec);
    }

    fn stamp(&mut self) -> Stamp {
        self.stamps += 1;
        Stamp::from_micros(STAMPS + self.stamps)
    }

    pub(super) fn leads(&self, now: Moment, forced: u64) -> bool {
        self.term.is_some_and(|(until, token)| now < until && token > forced)
    }

    /// How long it has observed what it observes.
    pub(super) fn age(&self, now: Moment, longest: Duration) -> Duration {
        now.since(self.observed_at).min(longest)
    }
}
