//! What a candidate writes into the lock.

use super::Election;
use super::record::{Spec, Stamp};

/// A released lock says this duration, as client-go's does: others that do not understand an empty holder wait no longer.
const RELEASED_DURATION_SECONDS: i32 = 1;

impl Election {
    pub(super) fn acquisition(&mut self, wall: Stamp) -> Spec {
        let before = self.lock.record().map(|record| record.spec.clone());
        let transitions = before.as_ref().map_or(0, |spec| {
            let changes = i32::from(spec.holder() != Some(&self.options.identity));
            spec.transitions.unwrap_or_default().saturating_add(changes)
        });
        let now = self.stamp(wall);
        Spec {
            holder: Some(self.options.identity.clone()),
            duration: Some(self.options.lease_seconds()),
            acquired: Some(now),
            renewed: Some(now),
            transitions: Some(transitions),
            foreign: before.unwrap_or_default().foreign,
        }
    }

    pub(super) fn renewal(&mut self, acquired: Option<Stamp>, wall: Stamp) -> Spec {
        let now = self.stamp(wall);
        let before = self.lock.record().map(|record| record.spec.clone()).unwrap_or_default();
        Spec {
            holder: Some(self.options.identity.clone()),
            duration: Some(self.options.lease_seconds()),
            acquired,
            renewed: Some(now),
            ..before
        }
    }

    pub(super) fn giving_back(&mut self, wall: Stamp) -> Spec {
        let now = self.stamp(wall);
        let before = self.lock.record().map(|record| record.spec.clone()).unwrap_or_default();
        Spec {
            holder: Some(String::new()),
            duration: Some(RELEASED_DURATION_SECONDS),
            acquired: Some(now),
            renewed: Some(now),
            ..before
        }
    }

    fn stamp(&mut self, wall: Stamp) -> Stamp {
        let newest = wall.after(self.last_stamp);
        self.last_stamp = Some(newest);
        newest
    }
}
