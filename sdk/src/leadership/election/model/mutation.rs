//! One rule broken at a time: what the search must then find.
//!
//! The election stays as it is. A broken rule is its state, what it is told, or what the server does with its writes,
//! changed right before or after a step, so that the rule has no effect.

use std::time::Duration;

use super::super::known::{Knowledge, Sent};
use super::super::{Effect, Election, EndReason, Input, Now, Observation, Phase, Put, Stamp};
use super::scenario::{Budget, Scenario};
use super::server::Server;
use crate::leadership::clock::Moment;

/// A rule that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Validity counts from the answer.
    CountedFromSend,
    /// A term goes on when its validity has run out.
    EndOfValidity,
    /// Who stands by waits for its own lease duration, whatever the record says.
    RecordsDuration,
    /// Who stands by does not wait at all.
    WaitForExpiry,
    /// A write replaces whatever is there.
    VersionInPut,
    /// A record that is news does not start the wait anew.
    ClockAnew,
    /// A lock that is gone is created at once.
    WaitAfterDeletion,
    /// A second deletion takes back what was promised at the first.
    LongestWaitAfterDeletion,
    /// A holder shown by an answer that the end of its lock has overtaken is nobody.
    HolderShownLate,
    /// Who sees a release looks again a second later.
    ReleaseAtOnce,
    /// Metadata starts the wait anew.
    MetadataMovesNoClock,
    /// An older answer replaces what is known.
    OlderAnswers,
    /// A write that was based on an earlier state counts when it shows.
    ForgetsOldTries,
    /// The work is said to have ended when it was told to.
    EndOfWork,
    /// Nobody asks for writes without an answer.
    WritesWithoutAnswer,
    /// A record is one's own if it names one's identity.
    OwnWrites,
    /// Two writes may look alike.
    UniqueStamps,
    /// Who has stepped down stands again at once.
    PauseAfterStepDown,
    /// A coordinated lock does not end the term.
    EndAtCoordinated,
    /// Of the age of a record the API server's clock alone says what time it is.
    AgeByOneNow,
    /// Of the age of a record the holder's clock alone says when it was written.
    AgeByOneThen,
    /// A foreign record does not end the term, nor does a lock that is gone.
    EndAtForeignRecord,
}

impl Scenario {
    pub(super) fn broken_step(&self, election: &mut Election, now: Now, input: Input) -> Vec<Effect> {
        match self.broken {
            None => election.step(now, input),
            Some(broken) => {
                let before = election.clone();
                broken.prepare(election, now, &input);
                let ignored = broken == Broken::EndAtCoordinated && input == Input::Coordinated;
                let mut effects = election.step(now, if ignored { Input::Woken } else { input });
                broken.spoil(election, &before, now, &mut effects);
                effects
            }
        }
    }

    pub(super) fn server_takes(&self, server: &Server, put: &Put) -> bool {
        match (&server.held, &put.base) {
            (Some(held), Some((_, uid))) if self.breaks(Broken::VersionInPut) => held.record.uid == *uid,
            _ => server.takes(put),
        }
    }

    /// Whether a write that was given up can have an effect yet.
    pub(super) fn may_land(&self, server: &Server, put: &Put, left: Budget) -> bool {
        match &put.base {
            None => server.held.is_none() || left.deletions > 0,
            Some(_) if self.breaks(Broken::VersionInPut) => true,
            Some(_) => server.takes(put),
        }
    }
}

impl Broken {
    fn prepare(self, election: &mut Election, now: Now, input: &Input) {
        let observation = match input {
            Input::Watched(observation) | Input::Answered(observation) => Some(observation),
            _ => None,
        };
        let lock = &mut election.lock;
        match self {
            Self::CountedFromSend if observation.is_some() => {
                lock.pending.iter_mut().for_each(|sent| sent.at = now.clock);
            }
            Self::EndOfValidity => {
                if let Phase::Leading(reign) = &mut election.phase {
                    reign.valid_until = reign.valid_until.max(now.clock + Duration::from_secs(1));
                }
            }
            Self::OlderAnswers => {
                if let (Some(known), Some(observation)) = (&mut lock.newest, observation)
                    && observation.version() < known.observation.version()
                {
                    set_version(&mut known.observation, observation.version() - 1);
                }
            }
            Self::OwnWrites => {
                if let Some(record) = observation.and_then(Observation::record)
                    && record.spec.holder() == Some(&election.options.identity)
                {
                    let put = Put { base: None, spec: record.spec.clone() };
                    lock.pending.push(Sent { put, at: now.clock, release: false });
                }
            }
            Self::UniqueStamps => election.last_stamp = None,
            Self::LongestWaitAfterDeletion => {
                let before = lock.record().map(|record| &record.uid);
                let after = observation.and_then(Observation::record).map(|record| &record.uid);
                if observation.is_some() && before.is_some() && before != after {
                    lock.left_alone_until = Moment::default();
                }
            }
            _ => {}
        }
    }

    fn spoil(self, election: &mut Election, before: &Election, now: Now, effects: &mut Vec<Effect>) {
        let own = election.options.lease_seconds();
        let (newest, earlier) = (&mut election.lock.newest, &before.lock.newest);
        match self {
            Self::RecordsDuration => {
                if let Some(Observation::Present(record)) = newest.as_mut().map(|known| &mut known.observation) {
                    record.spec.duration = Some(own);
                }
            }
            Self::WaitForExpiry => {
                if let Some(known) = newest {
                    known.seen = Moment::default();
                }
            }
            Self::ClockAnew => {
                if let (Some(known), Some(earlier)) = (newest, earlier) {
                    known.seen = earlier.seen;
                }
            }
            Self::HolderShownLate => {
                let version = |lock: &Knowledge| lock.newest.as_ref().map(|known| known.observation.version());
                if version(&election.lock) == version(&before.lock) {
                    election.lock.left_alone_until = before.lock.left_alone_until;
                }
            }
            Self::ReleaseAtOnce => {
                let released = |lock: &Knowledge| lock.record().is_some_and(|record| record.spec.holder().is_none());
                if released(&election.lock) && !released(&before.lock) {
                    election.lock.left_alone_until = now.clock + Duration::from_secs(1);
                }
            }
            Self::PauseAfterStepDown => election.pauses.until = Moment::default(),
            Self::AgeByOneNow => {
                if let Some((dates, read)) = &mut election.vouched.dated {
                    read.wall = dates.answered;
                }
            }
            Self::AgeByOneThen => {
                if let Some((dates, _)) = &mut election.vouched.dated {
                    dates.written = Stamp::from_micros(0);
                }
            }
            Self::WaitAfterDeletion => election.lock.left_alone_until = Moment::default(),
            Self::MetadataMovesNoClock => {
                if let (Some(known), Some(earlier)) = (newest, earlier)
                    && known.observation.version() > earlier.observation.version()
                {
                    known.seen = now.clock;
                }
            }
            Self::EndAtForeignRecord => {
                let ended =
                    |effect: &Effect| matches!(effect, Effect::End(EndReason::Lost { .. } | EndReason::Deleted));
                if effects.iter().any(ended) {
                    effects.retain(|effect| !ended(effect));
                    (election.phase, election.working) = (before.phase, before.working);
                }
            }
            Self::ForgetsOldTries if election.lock.pending.is_empty() => {
                election.lock.pending.clone_from(&before.lock.pending);
            }
            _ => {}
        }
    }
}

const fn set_version(observation: &mut Observation, to: u64) {
    match observation {
        Observation::Present(record) => record.version = to,
        Observation::Absent { version } => *version = to,
    }
}
