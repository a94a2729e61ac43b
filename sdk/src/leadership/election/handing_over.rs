//! Leadership is handed over: at a stop, and when this process steps down.

use super::{Effect, Election, EndReason, Phase};
use crate::leadership::clock::Moment;

impl Election {
    pub(super) const fn is_handing_over(&self) -> bool {
        self.stopping || self.stepping_down.is_some()
    }

    pub(super) fn handing_over_because(&self) -> EndReason {
        match &self.stepping_down {
            Some(reason) if !self.stopping => EndReason::SteppedDown { reason: reason.clone() },
            _ => EndReason::Stopped,
        }
    }

    pub(super) fn drain(&mut self, effects: &mut Vec<Effect>) {
        if !self.is_handing_over() && self.leads() {
            self.working = true;
            effects.push(Effect::Drain);
        }
    }

    /// What there was to give back is given back, or left to expire.
    pub(super) fn handed_over(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        self.stepping_down = None;
        if self.stopping {
            self.phase = Phase::Stopped;
            effects.push(Effect::Stopped);
        } else {
            self.phase = Phase::Standby;
            self.pauses.stepped_down(now, &self.options);
        }
    }

    /// Stopping or stepping down: the term ends when its work has ended, and what this process holds is given back.
    pub(super) fn hand_over(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        if !self.is_handing_over() || self.working || self.calling.is_some() {
            return;
        }
        match self.phase {
            // Then once more its work has to end: what wrote without being work is cut off only now.
            Phase::Leading(_) => self.end(now, self.handing_over_because(), effects),
            Phase::Standby => self.release(now, effects),
            Phase::Releasing { read: true, .. } if !self.must_read && !self.lock.is_held_by_own_write() => {
                self.handed_over(now, effects);
            }
            Phase::Releasing { .. } | Phase::Stopped => {}
        }
    }

    /// Gives the lock back, if this process holds it, or may hold it because a takeover was left without an answer.
    fn release(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let held = self.lock.is_held_by_own_write() || self.lock.has_unsettled_writes();
        // Left to expire, the lock gives such a write this long too, to land before another leads.
        let may_land = self.unanswered.is_some_and(|sent| now < sent + self.options.lease_duration);
        if held && self.options.release_on_stop && !may_land {
            self.phase = Phase::Releasing { read: false, give_up: now + self.options.renew_deadline };
            self.not_before = now;
        } else {
            self.handed_over(now, effects);
        }
    }
}
