//! The election of a leader for life: a pure state machine that decides when to create and delete the lock, and when a term
//! begins and ends.
//!
//! Whoever creates the lock leads as long as it is there. It belongs to the holder's pod by an owner reference, and goes with
//! it: Kubernetes' garbage collector deletes it when the pod is gone. Nothing expires, so that no clock is trusted. The rules:
//!
//! - the lock is this process' if the *uid* of its owner is that of its pod, and no other process of the pod stands for it;
//! - a lock of its pod that another process writes to while this one has it is that process': it is not taken back;
//! - another's lock is deleted only if its pod is dead, which a pod that is there is only if none of its containers ever runs
//!   again; a pod that is gone is the garbage collector's business;
//! - every term begins with a write: the creation of the lock, or a change of one that an earlier container of the pod has left,
//!   so that a deletion which that container has sent does not find the version any more that it was sent for;
//! - a lock that this process asked to be deleted is never led by again: a deletion without an answer may land at any time;
//! - the lock is given back only after the term's work has ended and none of its writes may land later;
//! - the newest state known decides, whatever way it was learnt: by an answer, a read or a watch.

mod calling;
mod handing_over;
mod options;
mod own_pod;
mod seen;
mod step;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::calling::Call;
use self::own_pod::OwnPod;
use crate::leadership::clock::Moment;
use crate::leadership::election::{EndReason, Pauses};

pub use self::options::LifeOptions;
pub use self::own_pod::OwnPodTrouble;
pub use self::seen::{Fate, Foreign, Held, Holder, Lock, Mark, Pod, PodSeen, Seen};
pub use self::step::{Effect, Input, Now};

/// A candidate for one lock that is held for life.
#[derive(Clone, Debug)]
pub struct LifeElection {
    options: LifeOptions,
    newest: Option<Seen>,
    /// When the newest state was first seen here.
    changed: Moment,
    /// What is known of the holder's pod, and since when.
    fate: (Fate, Moment),
    /// The newest version of the holder's pod.
    pod_version: u64,
    own: OwnPod,
    /// Whether this process alone stands in its pod's name, and whether that is proven of earlier processes too.
    bears: Option<bool>,
    /// Since when: by then the earlier processes were dead, and their newest writes on their way.
    bore: Moment,
    /// Another process that lives has written to this one's lock in the pod's name: only what this one marked is its own.
    twin: bool,
    phase: Phase,
    pauses: Pauses,
    calling: Option<Call>,
    /// Nothing is created or deleted before the lock was read again.
    must_read: bool,
    /// After a failure: not before this instant.
    not_before: Moment,
    /// Refusals in a row.
    refusals: u32,
    /// How many terms there were: each marks the lock anew.
    terms: u64,
    /// A creation has had no answer, and the lock was not read since.
    unsettled: bool,
    /// Uid of the newest lock that was asked to be deleted.
    doomed: Option<String>,
    /// Uid and version of the newest lock that is known to be deleted.
    gone: Option<(String, u64)>,
    watching: bool,
    last_read: Moment,
    standing: bool,
    blocked: bool,
    stopping: bool,
    /// How long a stop waits for the lock to be given back.
    give_up: Option<Moment>,
    /// Why, until the lock is given back.
    stepping_down: Option<String>,
    /// Work of an ended or draining term goes on.
    working: bool,
    /// When a write of such work was on its way the last time, if one has no answer.
    unanswered: Option<Moment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Standby,
    Leading {
        /// Of the lock.
        uid: String,
    },
    Stopped,
}

/// Why nobody leads, or why this process can't, although it would: what people must hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stall {
    /// The lock is free, and could not be taken.
    Vacant,
    /// There is an object of the lock's name that is none.
    Foreign(Foreign),
    /// The holder's pod is gone, and the garbage collector has not deleted the lock.
    HolderGone,
    /// Something is wrong with this process' own pod.
    OwnPod(OwnPodTrouble),
    /// The lock is this pod's, and it can't be told whether an earlier container is at work.
    Unproven,
    /// The lock is this pod's, and another process leads by it in the pod's name.
    Twin,
}

// === impl LifeElection ===

impl LifeElection {
    /// A candidate that does not stand yet.
    #[must_use]
    pub fn new(options: LifeOptions) -> Self {
        Self {
            own: OwnPod::new(options.pod_uid.clone()),
            options,
            newest: None,
            changed: Moment::default(),
            fate: (Fate::Unknown, Moment::default()),
            pod_version: 0,
            bears: None,
            bore: Moment::default(),
            twin: false,
            phase: Phase::Standby,
            pauses: Pauses::default(),
            calling: None,
            must_read: true,
            not_before: Moment::default(),
            refusals: 0,
            terms: 0,
            unsettled: false,
            doomed: None,
            gone: None,
            watching: false,
            last_read: Moment::default(),
            standing: false,
            blocked: false,
            stopping: false,
            give_up: None,
            stepping_down: None,
            working: false,
            unanswered: None,
        }
    }

    /// The uid of this process' own pod, once it is known.
    #[must_use]
    pub fn pod_uid(&self) -> Option<&str> {
        self.own.uid()
    }

    /// The newest state of the lock that is known.
    #[must_use]
    pub const fn newest(&self) -> Option<&Seen> {
        self.newest.as_ref()
    }

    /// The lock, if it is there and a pod's.
    #[must_use]
    pub fn held(&self) -> Option<&Held> {
        let held = self.newest.as_ref()?.held()?;
        (!self.is_gone(held)).then_some(held)
    }

    /// Whether the lock belongs to this process.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.held().is_some_and(|held| self.is_own(held))
    }

    /// When the newest state was first seen here.
    #[must_use]
    pub fn changed_at(&self) -> Option<Moment> {
        self.newest.is_some().then_some(self.changed)
    }

    /// Whether a term is running.
    #[must_use]
    pub const fn leads(&self) -> bool {
        matches!(self.phase, Phase::Leading { .. })
    }

    /// The pod that is to be watched: that of another holder.
    #[must_use]
    pub fn follows(&self) -> Option<&Holder> {
        let holder = &self.held()?.holder;
        let other = self.own.uid().is_some_and(|own| own != holder.uid);
        (other && !self.stopping && !self.leads()).then_some(holder)
    }

    /// What has gone on for `grace`, and would be told of.
    #[must_use]
    pub fn stall(&self, grace: Duration, now: Moment) -> Option<Stall> {
        if self.leads() || !self.standing || self.stopping {
            return None;
        }
        if let Some(trouble) = self.own.trouble() {
            return Some(Stall::OwnPod(trouble));
        }
        let newest = self.newest.as_ref()?;
        match &newest.lock {
            Lock::Foreign(foreign) => Some(Stall::Foreign(*foreign)),
            Lock::Held(held) if self.own.uid() == Some(&held.holder.uid) => self.kept_from(held),
            Lock::Held(held) if held.has_data && self.fate.0 == Fate::Dead => Some(Stall::Foreign(Foreign::Data)),
            Lock::Held(_) if self.fate.0 == Fate::Gone => (self.fate.1 + grace <= now).then_some(Stall::HolderGone),
            _ if self.is_free() && self.may_lead() => {
                (self.changed.max(self.pauses.until) + grace <= now).then_some(Stall::Vacant)
            }
            _ => None,
        }
    }

    /// Why it does not lead by this lock of its own pod.
    fn kept_from(&self, held: &Held) -> Option<Stall> {
        match self.bears {
            None => None,
            Some(_) if self.is_own(held) => None,
            Some(_) if is_full(held) => Some(Stall::Foreign(Foreign::Data)),
            Some(_) if self.twin => Some(Stall::Twin),
            Some(_) => Some(Stall::Unproven),
        }
    }

    /// When to step with [`Input::Woken`] at the latest, if nothing else happens.
    #[must_use]
    pub fn wake_at(&self) -> Option<Moment> {
        let call = if self.calling.is_some() { None } else { self.next_call().map(|(due, _)| due) };
        let begin = self.begin_due().filter(|_| self.is_written());
        call.into_iter().chain(self.give_up).chain(begin).min()
    }

    /// Takes in what happened at `now`, and decides.
    pub fn step(&mut self, now: Now, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.phase == Phase::Stopped {
            return effects;
        }
        self.take_in(now, input, &mut effects);
        self.end_if_lost(now.clock, &mut effects);
        self.begin_if_held(now.clock, &mut effects);
        self.hand_over(now.clock, &mut effects);
        if self.calling.is_none() {
            self.call(now.clock, &mut effects);
        }
        effects
    }

    fn take_in(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Woken => {}
            Input::Stand => self.standing = true,
            Input::Bears { proven } => (self.bears, self.bore) = (Some(proven), now.clock),
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
            Input::Watched(seen) => self.learn(now.clock, seen, effects),
            Input::Holder(pod) => self.learn_fate(now.clock, &pod),
            Input::Answered(_)
            | Input::OwnPod(_)
            | Input::Deleted
            | Input::Conflict
            | Input::Failed
            | Input::Silent => {
                self.answered(now, input, effects);
            }
        }
    }

    fn learn(&mut self, now: Moment, seen: Seen, effects: &mut Vec<Effect>) {
        if self.newest.as_ref().is_some_and(|newest| seen.version < newest.version) {
            return;
        }
        let holder = |seen: Option<&Seen>| Some(seen?.held()?.holder.uid.clone());
        if holder(self.newest.as_ref()) != holder(Some(&seen)) {
            self.fate = (Fate::Unknown, now);
            self.pod_version = 0;
        }
        let released = self.held().is_some_and(|held| self.is_own(held) && self.is_doomed(held));
        // What was deleted changed no more, unless it is still there: something keeps it.
        let stays = |(uid, version): &(String, u64)| {
            seen.held().is_some_and(|held| held.uid == *uid && held.version > *version)
        };
        if self.gone.as_ref().is_some_and(stays) {
            self.gone = None;
        }
        if self.newest.as_ref().map(|newest| &newest.lock) != Some(&seen.lock) {
            self.changed = now;
        }
        self.twin |= self.is_written_by_twin(&seen);
        self.newest = Some(seen);
        if released && self.held().is_none_or(|held| !self.is_doomed(held)) {
            effects.push(Effect::Released);
        }
    }

    /// Who has read a write of this process and wrote over it has lived meanwhile, whatever the kernel says: it may know of
    /// another machine's processes as little as of another pod's, and the pod's name may be told to any of them.
    fn is_written_by_twin(&self, seen: &Seen) -> bool {
        let (Some(known), Some(held)) = (self.held(), seen.held()) else { return false };
        let by_other = held.mark.as_ref().is_some_and(|mark| mark.process != self.options.process);
        known.uid == held.uid && by_other && (self.leads() || self.is_marked(known))
    }

    fn learn_fate(&mut self, now: Moment, pod: &PodSeen) {
        let Some(holder) = self.follows().map(|holder| holder.uid.clone()) else { return };
        if pod.version < self.pod_version {
            return;
        }
        self.pod_version = pod.version;
        let fate = pod.fate_of(&holder);
        // Neither the dead nor those that are gone come back.
        if fate != self.fate.0 && !matches!(self.fate.0, Fate::Dead | Fate::Gone) {
            self.fate = (fate, now);
        }
    }

    /// A leader whose lock is gone, or another's, leads no more.
    fn end_if_lost(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let (Phase::Leading { uid }, Some(newest)) = (&self.phase, &self.newest) else { return };
        let reason = match &newest.lock {
            Lock::Held(held) if !self.is_own(held) => EndReason::Lost { holder: held.holder.identity() },
            Lock::Held(held) if held.uid == *uid && !held.going => return,
            Lock::Held(_) | Lock::Absent => EndReason::Deleted,
            Lock::Foreign(_) => EndReason::Lost { holder: String::new() },
        };
        // Maybe because its pod is gone: then it must not create another.
        self.own.doubt();
        self.end(now, reason, effects);
    }

    /// From when on its own lock, which is there, is to be led by.
    fn begin_due(&self) -> Option<Moment> {
        let leads = |held: &&Held| self.is_own(held) && !self.is_doomed(held) && !held.going;
        self.held().filter(leads)?;
        let begins = self.phase == Phase::Standby && self.may_lead() && !self.must_read;
        begins.then_some(self.pauses.until)
    }

    /// Whether its newest write is one of this process for its next term: no deletion that was sent before finds it any more.
    fn is_written(&self) -> bool {
        self.held().is_some_and(|held| held.mark == Some(self.mark()))
    }

    fn begin_if_held(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        if self.begin_due().is_none_or(|due| due > now) || !self.is_written() {
            return;
        }
        let Some((held, newest)) = self.held().zip(self.newest.as_ref()) else { return };
        let (uid, token) = (held.uid.clone(), newest.version);
        self.pauses.began(now);
        self.refusals = 0;
        self.phase = Phase::Leading { uid };
        effects.push(Effect::Begin { token });
    }

    fn end(&mut self, now: Moment, reason: EndReason, effects: &mut Vec<Effect>) {
        self.pauses.ended(now, &self.options.timing);
        self.phase = Phase::Standby;
        self.working = true;
        // The next term begins with a write of its own, and a greater token.
        self.terms += 1;
        effects.push(Effect::End(reason));
    }

    const fn may_lead(&self) -> bool {
        self.standing && self.bears.is_some() && !self.blocked && !self.is_handing_over() && !self.working
    }

    /// Whether nobody has the lock.
    fn is_free(&self) -> bool {
        match &self.newest {
            Some(Seen { lock: Lock::Absent, .. }) => true,
            Some(Seen { lock: Lock::Held(held), .. }) => self.is_gone(held),
            Some(Seen { lock: Lock::Foreign(_), .. }) | None => false,
        }
    }

    fn mark(&self) -> Mark {
        Mark { process: self.options.process.clone(), term: self.terms }
    }

    fn is_gone(&self, held: &Held) -> bool {
        self.gone.as_ref().is_some_and(|(uid, _)| *uid == held.uid)
    }

    fn is_own(&self, held: &Held) -> bool {
        let proven = self.bears.is_some_and(|proven| (proven && !self.twin) || self.is_marked(held));
        proven && self.own.uid() == Some(&held.holder.uid) && !is_full(held)
    }

    fn is_marked(&self, held: &Held) -> bool {
        held.mark.as_ref().is_some_and(|mark| mark.process == self.options.process)
    }

    fn is_doomed(&self, held: &Held) -> bool {
        self.doomed.as_ref() == Some(&held.uid)
    }
}

/// Whether there is something in it, and it was never a lock of ours: what a pod owns need not be one.
const fn is_full(held: &Held) -> bool {
    held.has_data && held.mark.is_none()
}
