//! Leadership is handed over: at a stop, and when this process steps down.

use super::calling::Call;
use super::step::Effect;
use super::{LifeElection, Phase};
use crate::leadership::clock::Moment;
use crate::leadership::election::EndReason;

impl LifeElection {
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

    /// From when on its own lock is to be given back; `None`: it is not, or there is none.
    pub(super) fn release_due(&self) -> Option<Moment> {
        let held = self.held().filter(|held| self.is_own(held) && !held.going)?;
        let wanted = match () {
            () if self.stopping => self.options.timing.release_on_stop,
            // There is no way back: the deletion may land.
            () if self.is_doomed(held) => true,
            // Nobody would ever take it.
            () => self.stepping_down.is_some() || self.blocked,
        };
        (wanted && !self.working).then(|| self.writes_land_until())
    }

    /// What work wrote has been committed by then, or never will be.
    fn writes_land_until(&self) -> Moment {
        let inherited = self.held().is_some_and(|held| self.is_own(held) && !self.is_marked(held)).then_some(self.bore);
        let newest = self.unanswered.max(inherited);
        newest.map_or_else(Moment::default, |sent| sent + self.options.timing.lease_duration)
    }

    /// Stopping or stepping down: the term ends when its work has ended, and what this process holds is given back.
    pub(super) fn hand_over(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        if !self.is_handing_over() || self.working {
            return;
        }
        if self.leads() {
            // Then once more its work has to end: what wrote without being work is cut off only now.
            return self.end(now, self.handing_over_because(), effects);
        }
        let changing = matches!(self.calling, Some(Call::Create { .. } | Call::Delete { .. }));
        let may_hold = self.unsettled || self.holds();
        if self.stopping {
            let give_up = *self.give_up.get_or_insert(now + self.options.timing.renew_deadline);
            // Left alone, the lock goes with the pod.
            let in_vain = now >= give_up || self.writes_land_until() > now || !self.options.timing.release_on_stop;
            if in_vain || (!changing && !may_hold) {
                self.phase = Phase::Stopped;
                effects.push(Effect::Stopped);
            }
        } else if !changing && !may_hold {
            self.stepping_down = None;
            self.pauses.stepped_down(now, &self.options.timing);
        }
    }
}
