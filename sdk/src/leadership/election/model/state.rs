//! One state of the world: the lock, the candidates, and what is on its way between them.

use std::sync::Arc;
use std::time::Duration;

use super::super::{Election, Input, Now, Observation, Put, Stamp};
use super::rival::Rival;
use super::scenario::{Budget, Scenario};
use super::server::{Author, Server};
use crate::leadership::clock::Moment;

/// Stamps of one process are never those of another.
const STAMPS_OF_A_PROCESS: i64 = 1_000_000_000_000;
/// How many ticks an old record is old: longer than any lease, and than clocks differ.
const AGE: u64 = 100;

/// A state of the world. Two of them are equal if they can't be told apart by anything that may happen from then on:
/// instants count as distances from now, versions by their order, stamps and uids by whether they are the same.
#[derive(Clone, Debug)]
pub struct State {
    pub(super) tick: u64,
    pub(super) server: Server,
    /// Shared with the states before, until they change.
    pub(super) candidates: Vec<Arc<Candidate>>,
    /// Writes that were given up and may land.
    pub(super) strays: Vec<Stray>,
    pub(super) rival: Rival,
    pub(super) left: Budget,
    pub(super) violation: Option<Violation>,
    /// Of the scenario: what equality needs to know of it.
    pub(super) view: View,
}

/// What equality needs to know of the scenario.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub(super) longest: Duration,
    pub(super) keeps_told: bool,
    /// How long a term has lasted by its stamps counts.
    pub(super) bearers: bool,
}

/// A process that stands for the lock: what the elector does, as the election sees it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) election: Election,
    pub(super) clock: Moment,
    pub(super) kind: usize,
    pub(super) life: u8,
    pub(super) call: Option<Call>,
    pub(super) term: Option<Term>,
    /// Work goes on.
    pub(super) working: bool,
    /// The election waits to hear of its end.
    pub(super) awaited: bool,
    /// When a write of its work was left without an answer.
    pub(super) unanswered: Option<Moment>,
    pub(super) stopping: bool,
    /// When it was asked to let another lead, until it leads again.
    pub(super) stepped_down: Option<Moment>,
    /// Its election is over.
    pub(super) gone: bool,
    /// When the terms began that it was told of.
    pub(super) told: Vec<Stamp>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub(super) valid_until: Moment,
    pub(super) token: u64,
    pub(super) acquired: Option<Stamp>,
}

#[derive(Clone, Debug)]
pub(super) enum Call {
    /// On its way to the server.
    Read,
    Put(Put),
    /// On its way back; of a read or of a write.
    Answer {
        of_put: bool,
        input: Input,
    },
}

/// A write that nobody waits for any more.
#[derive(Clone, Debug)]
pub(super) struct Stray {
    pub(super) author: usize,
    pub(super) life: u8,
    pub(super) put: Put,
}

/// What must not happen, and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Violation {
    Overwrites,
    ReleasesEarly,
    LeadsNextToWork,
    TokenDoesNotGrow,
    BeginsInKnownTerm,
    EndsForNothing,
    Revives,
    StandsBackTooShortly,
    LeadsCoordinated,
}

// === impl State ===

impl State {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let view = View {
            longest: scenario.longest_lease(),
            keeps_told: scenario.budget.deletions > 0,
            bearers: scenario.bearers,
        };
        let tick = if scenario.old { AGE } else { 0 };
        let candidates =
            (0..scenario.candidates.len()).map(|who| Arc::new(Candidate::new(scenario, who, 0, tick))).collect();
        let mut state = Self {
            tick,
            server: if scenario.old { Server::with_old_record(scenario.late) } else { Server::new(scenario.late) },
            candidates,
            strays: Vec::new(),
            rival: Rival::default(),
            left: scenario.budget,
            violation: None,
            view,
        };
        for who in 0..scenario.candidates.len() {
            scenario.stand(&mut state, who);
        }
        state
    }

    /// Who has a valid term, but for those that an election was forced on.
    pub(super) fn leaders(&self) -> impl Iterator<Item = &Arc<Candidate>> {
        let forced = self.server.forced();
        self.candidates.iter().filter(move |it| it.valid_term().is_some_and(|term| term.token > forced))
    }

    pub(super) fn is_without(&self, violation: Violation) -> bool {
        self.violation != Some(violation)
    }

    pub(super) fn somebody_leads(&self) -> bool {
        self.candidates.iter().any(|candidate| candidate.valid_term().is_some())
    }
}

// === impl Candidate ===

impl Candidate {
    pub(super) fn new(scenario: &Scenario, who: usize, life: u8, tick: u64) -> Self {
        let setup = &scenario.candidates[who];
        Self {
            election: Election::new(scenario.options(who)),
            clock: setup.clock(tick),
            kind: scenario.kind(who),
            life,
            call: None,
            term: None,
            working: false,
            awaited: false,
            unanswered: None,
            stopping: false,
            stepped_down: None,
            gone: false,
            told: Vec::new(),
        }
    }

    /// What `Term::is_valid` says: by the clock, at the time of the question.
    pub(super) fn valid_term(&self) -> Option<Term> {
        self.term.filter(|term| self.clock < term.valid_until)
    }

    /// Stamps must differ from process to process, and are compared with those of the same one only.
    /// The wall clock moves only if `goes`.
    pub(super) fn now(&self, who: usize, goes: bool) -> Now {
        let process = i64::try_from(who).unwrap_or_default() * 100 + i64::from(self.life) + 1;
        let passed = if goes { self.clock.since(Moment::default()).as_micros() } else { 0 };
        let wall = process * STAMPS_OF_A_PROCESS + i64::try_from(passed).unwrap_or_default();
        Now { clock: self.clock, wall: Stamp::from_micros(wall), chance: 0.0 }
    }

    pub(super) const fn author(&self, who: usize) -> Author {
        Author::Candidate(who, self.life)
    }

    pub(super) fn is_told(&mut self, input: &Input) {
        let (Input::Watched(observation) | Input::Answered(observation)) = input else { return };
        let Some(record) = observation.record().filter(|record| record.spec.holder().is_some()) else { return };
        if let Some(acquired) = record.spec.acquired
            && !self.told.contains(&acquired)
        {
            self.told.push(acquired);
        }
    }

    pub(super) fn knows_version(&self) -> u64 {
        self.election.newest().map_or(0, Observation::version)
    }

    /// Writes without an answer, the one that is waited for among them.
    pub(super) fn tries(&self) -> usize {
        self.election.lock.pending.len()
    }

    /// It would lead if it could, and nothing keeps it from trying at once.
    pub(super) fn stands_ready(&self) -> bool {
        let waits_until = self.election.not_before.max(self.election.pauses.until);
        !self.gone && self.election.may_lead() && waits_until <= self.clock
    }
}
