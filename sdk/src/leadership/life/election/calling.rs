//! What is asked of the API server, one call at a time, and what becomes of it.

use std::time::Duration;

use super::seen::{Fate, Seen};
use super::step::{Effect, Input, Now};
use super::{LifeElection, Phase};
use crate::leadership::clock::Moment;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Read,
    ReadOwnPod,
    Create { owner: String },
    Touch { uid: String, version: u64 },
    Delete { uid: String, version: u64 },
}

impl LifeElection {
    /// The next call, and when it is due.
    pub(super) fn next_call(&self) -> Option<(Moment, Call)> {
        let (due, call) = match self.phase {
            Phase::Stopped => return None,
            _ if self.must_read || self.newest.is_none() => (Moment::default(), Call::Read),
            _ if self.own.uid().is_none() => (Moment::default(), Call::ReadOwnPod),
            Phase::Standby => match self.change() {
                Some(change) => change,
                None => self.poll()?,
            },
            Phase::Leading { .. } => self.poll()?,
        };
        Some((due.max(self.not_before), call))
    }

    /// In place of a watch.
    fn poll(&self) -> Option<(Moment, Call)> {
        (!self.watching).then(|| (self.last_read + self.options.timing.retry_period, Call::Read))
    }

    /// What a standby would change.
    fn change(&self) -> Option<(Moment, Call)> {
        if let Some(due) = self.release_due() {
            return Some((due, self.deletion()?));
        }
        if !self.may_lead() {
            return None;
        }
        if let Some(due) = self.begin_due() {
            let held = self.held().filter(|_| !self.is_written())?;
            return Some((due, Call::Touch { uid: held.uid.clone(), version: held.version }));
        }
        if self.is_free() {
            let owner = self.own.uid()?.to_owned();
            let call = if self.own.is_sure() { Call::Create { owner } } else { Call::ReadOwnPod };
            return Some((self.pauses.until, call));
        }
        let dead = self.fate.0 == Fate::Dead && self.follows().is_some() && !self.held()?.has_data;
        if dead { Some((Moment::default(), self.deletion()?)) } else { None }
    }

    fn deletion(&self) -> Option<Call> {
        let held = self.held().filter(|held| !held.going)?;
        Some(Call::Delete { uid: held.uid.clone(), version: held.version })
    }

    pub(super) fn call(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let Some((_, call)) = self.next_call().filter(|(due, _)| *due <= now) else { return };
        self.calling = Some(call.clone());
        effects.push(match call {
            Call::Read => Effect::Read,
            Call::ReadOwnPod => Effect::ReadOwnPod,
            Call::Create { owner } => Effect::Create { owner, mark: self.mark() },
            Call::Touch { uid, version } => {
                // From now on the lock does not say any more that another process worked for it.
                if self.held().is_some_and(|held| !self.is_marked(held)) {
                    self.unanswered = self.unanswered.max(Some(self.bore));
                }
                Effect::Touch { uid, version, mark: self.mark() }
            }
            Call::Delete { uid, version } => {
                self.doomed = Some(uid.clone());
                Effect::Delete { uid, version }
            }
        });
    }

    pub(super) fn answered(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        let Some(call) = self.calling.take() else { return };
        match input {
            Input::Answered(seen) => self.shown(now, &call, seen, effects),
            Input::OwnPod(pod) => {
                self.own.learn(pod);
                if self.own.trouble().is_some() {
                    self.not_before = now.clock + self.pause(now.chance);
                }
            }
            Input::Deleted => {
                if let Call::Delete { uid, version } = call {
                    self.deleted(now.clock, uid, version, effects);
                }
            }
            Input::Conflict => {
                self.refusals += 1;
                self.must_read = true;
            }
            // Silent: there has been a pause already.
            Input::Failed | Input::Silent => {
                if input == Input::Failed {
                    self.not_before = now.clock + self.pause(now.chance);
                }
                self.unsettled |= matches!(call, Call::Create { .. });
                self.must_read |= call != Call::ReadOwnPod;
            }
            _ => {}
        }
    }

    fn shown(&mut self, now: Now, call: &Call, seen: Seen, effects: &mut Vec<Effect>) {
        self.must_read = false;
        self.unsettled = false;
        if *call == Call::Read {
            self.last_read = now.clock;
            // Once is no wonder: the lock came and went.
            if self.refusals > 1 {
                self.not_before = now.clock + self.pause(now.chance);
            }
        }
        self.learn(now.clock, seen, effects);
    }

    fn deleted(&mut self, now: Moment, uid: String, version: u64, effects: &mut Vec<Effect>) {
        self.refusals = 0;
        // The watch may have shown its end before the answer came.
        let own = self.held().filter(|held| held.uid == uid).map(|held| self.is_own(held));
        self.gone = Some((uid, version));
        self.changed = now;
        match own {
            Some(true) => effects.push(Effect::Released),
            Some(false) => effects.push(Effect::Cleared),
            None => {}
        }
    }

    fn pause(&self, chance: f64) -> Duration {
        self.options.timing.retry_period.mul_f64(1.0 + 0.2 * chance)
    }
}
