//! The election: a pure state machine that decides when to read and write the lock, and when a term begins and ends.
//!
//! It has no clock, does no I/O and knows nothing of Kubernetes; [`Election::step`] takes what happened and the time, and
//! answers with what is to be done. The rules are those of client-go's leader election where two candidates must agree (the
//! record, waiting for the record's own duration since the last observed change), and stricter elsewhere:
//!
//! - validity counts from the instant a write was *sent*;
//! - a record that somebody else wrote ends the term at once, not at the deadline;
//! - a lock is given back only after the term's work has ended and none of its writes may land later, and only if a fresh
//!   read still names that very term;
//! - the newest state known decides, whatever way it was learnt: by an answer, a read or a watch.

mod end_reason;
mod handing_over;
mod known;
/// Built by the crate `kubeops-model` alone, out of this very folder.
#[cfg(model)]
pub mod model;
mod options;
mod pauses;
mod record;
mod step;
#[cfg(test)]
#[cfg(not(model))]
mod tests;
mod vouched;
mod writes;

use std::time::Duration;

use self::known::{Knowledge, News};
use self::vouched::Vouched;
use crate::leadership::clock::Moment;

pub use self::end_reason::EndReason;
pub use self::options::{ElectionOptions, OptionsError};
pub(crate) use self::pauses::Pauses;
pub use self::record::{Dates, Observation, Put, Record, Spec, Stamp};
pub use self::step::{Effect, Input, Now};

/// A candidate for one lock.
#[derive(Clone, Debug)]
pub struct Election {
    options: ElectionOptions,
    lock: Knowledge,
    vouched: Vouched,
    pauses: Pauses,
    phase: Phase,
    /// The read or the write whose answer is waited for: one at a time.
    calling: Option<Call>,
    /// Nothing is written before the lock was read again.
    must_read: bool,
    /// The version that a refused write was based on, until the read that tells why it was refused.
    refused: Option<Option<u64>>,
    /// After a failure: not before this instant.
    not_before: Moment,
    watching: bool,
    last_read: Moment,
    standing: bool,
    blocked: bool,
    stopping: bool,
    /// Why, until the lock is given back.
    stepping_down: Option<String>,
    /// Work of an ended or draining term goes on.
    working: bool,
    /// When a write of such work was on its way the last time, if one has no answer.
    unanswered: Option<Moment>,
    last_stamp: Option<Stamp>,
    slow_renewals: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Read,
    /// With the version that the write was based on.
    Put(Option<u64>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Standby,
    Leading(Reign),
    /// The work has ended; the lock is to be given back if a fresh read shows a write of this process.
    Releasing {
        read: bool,
        give_up: Moment,
    },
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reign {
    acquired: Option<Stamp>,
    valid_until: Moment,
    /// When the next renewal is due.
    due: Moment,
}

// === impl Election ===

impl Election {
    /// A candidate that does not stand yet.
    #[must_use]
    pub fn new(options: ElectionOptions) -> Self {
        Self {
            options,
            lock: Knowledge::default(),
            vouched: Vouched::default(),
            pauses: Pauses::default(),
            phase: Phase::Standby,
            calling: None,
            must_read: true,
            refused: None,
            not_before: Moment::default(),
            watching: false,
            last_read: Moment::default(),
            standing: false,
            blocked: false,
            stopping: false,
            stepping_down: None,
            working: false,
            unanswered: None,
            last_stamp: None,
            slow_renewals: 0,
        }
    }

    /// The newest state of the lock that is known.
    #[must_use]
    pub fn newest(&self) -> Option<&Observation> {
        self.lock.newest().map(|known| &known.observation)
    }

    /// Who holds the lock, by the newest record known. It may have expired.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        self.lock.record()?.spec.holder()
    }

    /// Whether the newest record known is a write of this process that names it as the holder. A record may name its identity
    /// and be somebody else's: an earlier container's, or a twin's.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.lock.is_held_by_own_write()
    }

    /// When the newest state was first seen here: what it says of the election, that is, whatever else changes of the object.
    #[must_use]
    pub fn changed_at(&self) -> Option<Moment> {
        self.lock.newest().map(|known| known.seen)
    }

    /// How long the newest record, written by somebody else, makes others wait after its last change.
    #[must_use]
    pub fn foreign_wait(&self) -> Option<Duration> {
        let spec = &self.lock.record()?.spec;
        spec.holder()?;
        (!self.holds()).then(|| spec.duration_or(self.options.lease_duration))
    }

    /// When the lock may be taken from somebody else who holds it, if nothing changes.
    #[must_use]
    pub fn runs_out_at(&self) -> Option<Moment> {
        self.foreign_wait()?;
        self.free_from()
    }

    /// Whether a term is running.
    #[must_use]
    pub const fn leads(&self) -> bool {
        matches!(self.phase, Phase::Leading(_))
    }

    /// Whether the answer to a read or a write that it has asked for is news to it. A write may land all the same if it is not.
    #[must_use]
    pub const fn awaits_answer(&self) -> bool {
        self.calling.is_some()
    }

    /// How many renewals needed more than one write.
    #[must_use]
    pub const fn slow_renewals(&self) -> u64 {
        self.slow_renewals
    }

    /// Whether this candidate may lead and nobody else does: the lock has been free for `grace`, and yet there is no term.
    #[must_use]
    pub fn is_vacant_for(&self, grace: Duration, now: Moment) -> bool {
        let free = self.stands_from();
        !self.leads() && self.may_lead() && free.is_some_and(|free| free + grace <= now)
    }

    /// When to step with [`Input::Woken`] at the latest, if nothing else happens.
    #[must_use]
    pub fn wake_at(&self) -> Option<Moment> {
        let call = if self.calling.is_some() { None } else { self.next_call_at() };
        let end = match self.phase {
            Phase::Leading(reign) => Some(reign.valid_until),
            Phase::Releasing { give_up, .. } => Some(give_up),
            Phase::Standby | Phase::Stopped => None,
        };
        call.into_iter().chain(end).min()
    }

    /// Takes in what happened at `now`, and decides.
    pub fn step(&mut self, now: Now, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        // The clock first: no answer may revive a term that it has ended.
        self.end_if_run_out(now.clock, &mut effects);
        if self.phase == Phase::Stopped {
            return effects;
        }
        // What was heard of the work before the end of its term is told again after it.
        let heard_before = matches!(input, Input::WorkEnded { .. }) && !effects.is_empty();
        self.take_in(now, if heard_before { Input::Woken } else { input }, &mut effects);
        self.hand_over(now.clock, &mut effects);
        if self.calling.is_none() {
            self.call(now, &mut effects);
        }
        effects
    }

    fn end_if_run_out(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        match self.phase {
            Phase::Leading(reign) if now >= reign.valid_until => self.end(now, EndReason::Expired, effects),
            Phase::Releasing { give_up, .. } if now >= give_up => self.handed_over(now, effects),
            _ => {}
        }
    }

    fn take_in(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::RanOut if self.leads() => self.end(now.clock, EndReason::Expired, effects),
            Input::Woken | Input::RanOut => {}
            Input::Dated(dates) => self.dated(now, dates),
            Input::Stand => self.standing = true,
            Input::Blocked(blocked) => {
                self.blocked = blocked;
                if blocked && self.leads() {
                    self.end(now.clock, EndReason::Blocked, effects);
                }
            }
            Input::Stop => {
                self.drain(effects);
                self.stopping = true;
            }
            Input::StepDown(reason) => {
                self.drain(effects);
                self.stepping_down = self.leads().then_some(reason);
            }
            Input::DrainOverdue if self.is_handing_over() && self.leads() => {
                self.end(now.clock, self.handing_over_because(), effects);
            }
            Input::DrainOverdue => {}
            Input::WorkEnded { unanswered } => {
                self.working = false;
                self.unanswered = self.unanswered.max(unanswered);
            }
            Input::Watching(open) => self.watching = open,
            Input::Watched(observation) => self.learn(now, observation, effects),
            Input::Coordinated => {
                self.must_read = true;
                if self.leads() {
                    self.end(now.clock, EndReason::Coordinated, effects);
                }
            }
            Input::Answered(observation) if self.awaits_answer() => self.answered(now, observation, effects),
            Input::Answered(observation) => self.learn(now, observation, effects),
            Input::Conflict | Input::Failed | Input::Silent if !self.awaits_answer() => {}
            Input::Conflict => self.refused(),
            Input::Failed => {
                self.calling = None;
                self.must_read = true;
                self.not_before = now.clock + self.pause(now.chance);
            }
            Input::Silent => {
                self.calling = None;
                self.must_read = true;
            }
        }
    }

    fn answered(&mut self, now: Now, observation: Observation, effects: &mut Vec<Effect>) {
        let call = self.calling.take();
        self.must_read = false;
        if call == Some(Call::Read) {
            self.last_read = now.clock;
            if let Phase::Releasing { read, .. } = &mut self.phase {
                *read = true;
            }
        }
        self.learn(now, observation, effects);
        // If the lock is as it was, the refusal has another cause, and trying again at once would never end.
        let version = self.lock.record().map(|record| record.version);
        if self.refused.take().is_some_and(|base| base == version) {
            self.not_before = now.clock + self.pause(now.chance);
        }
    }

    /// A write was refused: only a read tells why.
    fn refused(&mut self) {
        if let Some(Call::Put(base)) = self.calling.take() {
            self.refused = Some(base);
        }
        self.must_read = true;
    }

    fn learn(&mut self, now: Now, observation: Observation, effects: &mut Vec<Effect>) {
        let leads = self.leads();
        let lease = self.options.lease_duration;
        // A leader knows that nobody else led when its own lock went.
        let absence = |earlier: &Spec| (!leads).then(|| lease.max(earlier.duration_or(lease)));
        let news = self.lock.learn(now, observation, absence);
        self.vouched.has_written |= news == News::OwnWrite;
        match (news, self.phase) {
            (News::OwnWrite, _) => {
                self.count(now.clock, effects);
                self.supersede_call();
            }
            (News::ForeignWrite, Phase::Leading(_)) => {
                let holder = self.holder().unwrap_or_default().to_owned();
                self.end(now.clock, EndReason::Lost { holder }, effects);
            }
            (News::Gone, Phase::Leading(_)) => self.end(now.clock, EndReason::Deleted, effects),
            (News::Nothing | News::ForeignWrite | News::Gone, _) => {}
        }
    }

    /// The newest state of the lock is a write of this process: it counts from the instant it was sent.
    fn count(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let Some((known, sent)) = self.lock.newest().and_then(|known| Some((known, known.mine.as_ref()?))) else {
            return;
        };
        if sent.release {
            effects.push(Effect::Released);
            return;
        }
        let valid_until = sent.at + self.options.renew_deadline;
        let reign =
            Reign { acquired: sent.put.spec.acquired, valid_until, due: sent.at + self.options.renewal_interval() };
        match self.phase {
            Phase::Leading(running) if running.acquired == reign.acquired && valid_until > running.valid_until => {
                self.phase = Phase::Leading(reign);
                effects.push(Effect::Extend { valid_until });
            }
            Phase::Standby if self.may_lead() && now >= self.pauses.until && now < valid_until => {
                let token = known.observation.version();
                self.pauses.began(now);
                self.phase = Phase::Leading(reign);
                effects.push(Effect::Begin { valid_until, token });
            }
            _ => {}
        }
    }

    /// A leader that learns of a write of its own needs no read, and none of its other writes can land any more: they were based
    /// on what was before.
    fn supersede_call(&mut self) {
        let shown = self.lock.newest().and_then(|known| known.mine.as_ref()).and_then(|sent| sent.put.spec.renewed);
        let is_answered_soon = matches!(self.calling, Some(Call::Put(_))) && shown == self.last_stamp;
        if self.leads() && !is_answered_soon {
            (self.calling, self.must_read, self.refused) = (None, false, None);
        }
    }

    const fn may_lead(&self) -> bool {
        self.standing && !self.blocked && !self.is_handing_over() && !self.working
    }

    /// From when on it may take the lock.
    fn stands_from(&self) -> Option<Moment> {
        Some(self.free_from()?.max(self.pauses.until))
    }

    fn end(&mut self, now: Moment, reason: EndReason, effects: &mut Vec<Effect>) {
        self.pauses.ended(now, &self.options);
        self.phase = Phase::Standby;
        self.working = true;
        effects.push(Effect::End(reason));
    }

    /// The instant at which the next read or write is due, if one is.
    fn next_call_at(&self) -> Option<Moment> {
        let due = match self.phase {
            Phase::Stopped => return None,
            Phase::Leading(_) | Phase::Releasing { .. } if self.must_read => Moment::default(),
            Phase::Leading(reign) => reign.due,
            Phase::Releasing { .. } => Moment::default(),
            Phase::Standby if self.must_read || self.lock.newest().is_none() => Moment::default(),
            Phase::Standby => {
                let poll = (!self.watching).then(|| self.last_read + self.options.retry_period);
                let stand = if self.may_lead() { self.stands_from() } else { None };
                poll.into_iter().chain(stand).min()?
            }
        };
        Some(due.max(self.not_before))
    }

    fn call(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if self.next_call_at().is_none_or(|due| due > now.clock) {
            return;
        }
        let free = self.stands_from().is_some_and(|free| free <= now.clock);
        let (spec, release) = match self.phase {
            _ if self.must_read => return self.read(effects),
            Phase::Releasing { read: false, .. } => return self.read(effects),
            Phase::Standby if !(free && self.may_lead()) => return self.read(effects),
            Phase::Standby => (self.acquisition(now.wall), false),
            Phase::Leading(reign) => (self.renewal(reign.acquired, now.wall), false),
            Phase::Releasing { .. } => (self.giving_back(now.wall), true),
            Phase::Stopped => return,
        };
        let base = self.lock.record().map(|record| (record.version, record.uid.clone()));
        let put = Put { base, spec };
        self.calling = Some(Call::Put(put.base.as_ref().map(|(version, _)| *version)));
        self.lock.sent(put.clone(), now.clock, release);
        effects.push(Effect::Put(put));
    }

    fn read(&mut self, effects: &mut Vec<Effect>) {
        if self.leads() {
            self.slow_renewals += 1;
        }
        self.calling = Some(Call::Read);
        effects.push(Effect::Read);
    }

    /// How long to wait after a failure. A leader tries often enough to get through within its deadline.
    fn pause(&self, chance: f64) -> Duration {
        let jittered = self.options.retry_period.mul_f64(1.0 + 0.2 * chance);
        if self.leads() { jittered.min(self.options.call_timeout()) } else { jittered }
    }
}
