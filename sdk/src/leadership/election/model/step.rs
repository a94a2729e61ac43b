//! What an action leads to.

use std::sync::Arc;

use stateright::{Model, Property};

use super::super::pauses::Pauses;
use super::super::{Dates, Effect, EndReason, Input, Now, Observation, Put, Stamp};
use super::action::{Action, Wrong};
use super::mutation::Broken;
use super::properties;
use super::scenario::{EVER, Scenario, Setup};
use super::server::Author;
use super::state::{Call, Candidate, State, Stray, Term, Violation};

/// Further than any age that is trusted.
const FAR: i64 = 1_000_000_000;
const MICROS: i64 = 1_000_000;

impl Model for Scenario {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut state = State::new(self);
        if self.settled {
            self.settle(&mut state);
        }
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.possible(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        self.happen(&mut next, action);
        self.tidy(&mut next);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(self)
    }
}

impl Scenario {
    pub(super) fn happen(&self, state: &mut State, action: Action) {
        match action {
            Action::Tick => self.tick(state),
            Action::Wake(who) => self.step(state, who, Input::Woken),
            Action::Arrive(who) => self.arrive(state, who),
            Action::Answer(who) => {
                if let Some(Call::Answer { input, .. }) = Arc::make_mut(&mut state.candidates[who]).call.take() {
                    self.step(state, who, input);
                }
            }
            Action::AnswerDated(who, wrong) => {
                state.left.dates -= 1;
                self.answer_dated(state, who, wrong);
            }
            Action::StepDown(who) => {
                state.left.step_downs -= 1;
                let candidate = Arc::make_mut(&mut state.candidates[who]);
                candidate.stepped_down = Some(candidate.clock);
                self.step(state, who, Input::StepDown(String::new()));
            }
            Action::Coordinate(who) => {
                state.left.coordinations -= 1;
                state.server.label();
                self.step(state, who, Input::Coordinated);
                if state.candidates[who].valid_term().is_some() {
                    state.violation = Some(Violation::LeadsCoordinated);
                }
            }
            Action::Fail(who) => {
                state.left.failures = state.left.failures.saturating_sub(1);
                self.lose(state, who, Input::Failed);
            }
            Action::GiveUp(who) => self.lose(state, who, Input::Silent),
            Action::Land(which) => {
                let Stray { author, life, put } = state.strays.remove(which);
                self.write(state, author, life, put);
            }
            Action::LandTold(which) => {
                let Stray { author, life, put } = state.strays.remove(which);
                let answer = self.write(state, author, life, put);
                let candidate = &state.candidates[author];
                if let Input::Answered(late) = answer
                    && candidate.life == life
                    && !candidate.gone
                {
                    self.step(state, author, Input::Watched(late));
                }
            }
            Action::Watch(who) => {
                let newest = state.server.read();
                self.step(state, who, Input::Watched(newest));
            }
            Action::WatchLate(who, which) => {
                let earlier = state.server.earlier[which].clone();
                self.step(state, who, Input::Watched(earlier));
            }
            Action::Stop(who) => {
                state.left.stops -= 1;
                Arc::make_mut(&mut state.candidates[who]).stopping = true;
                self.step(state, who, Input::Stop);
            }
            Action::WorkEnds(who) => self.work_ends(state, who),
            Action::WorkEndsUnanswered(who) => {
                state.left.unanswered -= 1;
                let candidate = Arc::make_mut(&mut state.candidates[who]);
                candidate.unanswered = Some(candidate.clock);
                self.work_ends(state, who);
            }
            Action::Overdue(who) => self.step(state, who, Input::DrainOverdue),
            Action::Block(who) => {
                state.left.blocks -= 1;
                self.step(state, who, Input::Blocked(true));
            }
            Action::Unblock(who) => self.step(state, who, Input::Blocked(false)),
            Action::Crash(who) => self.crash(state, who),
            Action::Label => {
                state.left.labels -= 1;
                state.server.label();
            }
            Action::Delete => {
                state.left.deletions -= 1;
                state.server.delete();
            }
            Action::Clear => {
                state.left.clears -= 1;
                if let Some(mut spec) = state.server.held.as_ref().map(|held| held.record.spec.clone()) {
                    spec.holder = Some(String::new());
                    state.server.meddle(spec, state.tick, true);
                }
            }
            Action::RivalTries => {
                state.left.rival -= 1;
                state.rival.tries(&mut state.server, self.rival(), state.tick);
            }
            Action::RivalReleases => {
                state.left.rival -= 1;
                state.rival.releases(&mut state.server, state.tick);
            }
        }
    }

    fn tick(&self, state: &mut State) {
        state.tick += 1;
        for (candidate, setup) in state.candidates.iter_mut().zip(&self.candidates) {
            Arc::make_mut(candidate).clock = setup.clock(state.tick);
        }
    }

    pub(super) fn stand(&self, state: &mut State, who: usize) {
        if self.watch {
            self.step(state, who, Input::Watching(true));
        }
        self.step(state, who, Input::Stand);
    }

    /// It has the timing of the last candidate.
    pub(super) fn rival(&self) -> &Setup {
        &self.candidates[self.candidates.len() - 1]
    }

    fn crash(&self, state: &mut State, who: usize) {
        state.left.crashes -= 1;
        let old = &state.candidates[who];
        let life = old.life + 1;
        if let Some(Call::Put(put)) = &old.call {
            state.strays.push(Stray { author: who, life: old.life, put: put.clone() });
        }
        state.candidates[who] = Arc::new(Candidate::new(self, who, life, state.tick));
        self.stand(state, who);
    }

    /// The call is waited for no longer. What has not reached the server may reach it yet.
    fn lose(&self, state: &mut State, who: usize, input: Input) {
        let candidate = Arc::make_mut(&mut state.candidates[who]);
        if !matches!(candidate.call, Some(Call::Read) | None) && state.left.silences != EVER {
            state.left.silences = state.left.silences.saturating_sub(1);
        }
        Self::leave(state, who);
        self.step(state, who, input);
    }

    fn arrive(&self, state: &mut State, who: usize) {
        let life = state.candidates[who].life;
        let answer = match Arc::make_mut(&mut state.candidates[who]).call.take() {
            Some(Call::Put(put)) => Call::Answer { of_put: true, input: self.write(state, who, life, put) },
            _ => Call::Answer { of_put: false, input: Input::Answered(state.server.read()) },
        };
        Arc::make_mut(&mut state.candidates[who]).call = Some(answer);
    }

    /// As the elector does it: the dates first. By true clocks the record is as old as the server knows.
    fn answer_dated(&self, state: &mut State, who: usize, wrong: Wrong) {
        let Some(Call::Answer { input, .. }) = Arc::make_mut(&mut state.candidates[who]).call.take() else { return };
        let shown = if let Input::Answered(observation) = &input { observation.record() } else { None };
        let held = state.server.held.as_ref().filter(|held| shown.is_some_and(|shown| *shown == held.record));
        if let Some((held, renewed)) = held.and_then(|held| Some((held, held.record.spec.renewed?))) {
            let age = i64::try_from(state.tick - held.since).unwrap_or_default() * MICROS;
            let written = renewed.as_micros() + if wrong == Wrong::Holder { FAR } else { 0 };
            let now = written + age;
            let answered = now + if wrong == Wrong::Server { FAR } else { 0 };
            let own = now + if wrong == Wrong::Own { FAR } else { 0 };
            let [answered, written, own] = [answered, written, own].map(Stamp::from_micros);
            let dates = Dates { version: held.record.version, answered, written };
            let clock = state.candidates[who].clock;
            self.step_at(state, who, Now { clock, wall: own, chance: 0.0 }, Input::Dated(dates));
        }
        self.step(state, who, input);
    }

    fn write(&self, state: &mut State, who: usize, life: u8, put: Put) -> Input {
        let author = Author::Candidate(who, life);
        if !self.server_takes(&state.server, &put) {
            return Input::Conflict;
        }
        let takes_from_dead = self.bearers
            && put.spec.holder().is_some()
            && state.server.held.as_ref().is_some_and(|held| held.author.is_dead_before(author));
        if !takes_from_dead && state.server.forbids(&put, author, &self.candidates[who], state.tick) {
            state.violation = Some(Violation::Overwrites);
        }
        state.server.accept(author, put.spec, state.tick);
        Input::Answered(state.server.read())
    }

    /// Nobody cleared the lock, though it may have been deleted: who knew of a term waits for its end.
    fn begins_in_known_term(state: &State, who: usize) -> bool {
        let (beginner, cleared) = (&state.candidates[who], state.server.cleared);
        let others = state.candidates.iter().enumerate().filter(|(other, _)| *other != who);
        let mut terms = others.filter_map(|(_, other)| other.valid_term()).filter(|term| term.token > cleared);
        terms.any(|term| term.acquired.is_some_and(|acquired| beginner.told.contains(&acquired)))
    }

    /// Whether the lock is still what the candidate wrote.
    fn still_holds(state: &State, who: usize) -> bool {
        let author = state.candidates[who].author(who);
        state.server.held.as_ref().is_some_and(|held| held.author == author && held.record.spec.holder().is_some())
    }

    fn work_ends(&self, state: &mut State, who: usize) {
        let candidate = Arc::make_mut(&mut state.candidates[who]);
        candidate.awaited = false;
        candidate.working = false;
        let unanswered = candidate.unanswered.filter(|_| !self.breaks(Broken::WritesWithoutAnswer));
        self.step(state, who, Input::WorkEnded { unanswered });
    }

    /// What the elector does: reads the clock, asks the election, does as it says.
    pub(super) fn step(&self, state: &mut State, who: usize, input: Input) {
        let candidate = Arc::make_mut(&mut state.candidates[who]);
        // A leader that is shown an older holder goes on: the election was forced already.
        if !candidate.election.leads() {
            candidate.is_told(&input);
        }
        let now = candidate.now(who, self.bearers);
        self.step_at(state, who, now, input);
    }

    fn step_at(&self, state: &mut State, who: usize, now: Now, input: Input) {
        let candidate = Arc::make_mut(&mut state.candidates[who]);
        let effects = self.broken_step(&mut candidate.election, now, input);
        if !self.pauses {
            candidate.election.pauses = Pauses::default();
        }
        for effect in effects {
            self.carry_out(state, who, effect);
        }
        if !state.candidates[who].election.awaits_answer() {
            Self::leave(state, who);
        }
    }

    /// The answer of its call is waited for no longer. A write that has not reached the server may reach it yet.
    fn leave(state: &mut State, who: usize) {
        let candidate = Arc::make_mut(&mut state.candidates[who]);
        if let Some(Call::Put(put)) = candidate.call.take() {
            state.strays.push(Stray { author: who, life: candidate.life, put });
        }
    }

    fn carry_out(&self, state: &mut State, who: usize, effect: Effect) {
        if matches!(effect, Effect::Read | Effect::Put(_)) {
            Self::leave(state, who);
        }
        let candidate = Arc::make_mut(&mut state.candidates[who]);
        let now = candidate.clock;
        match effect {
            Effect::Read => candidate.call = Some(Call::Read),
            Effect::Put(put) => {
                let may_land =
                    candidate.unanswered.is_some_and(|sent| now < sent + self.candidates[who].options.lease_duration);
                let busy = candidate.working || candidate.valid_term().is_some() || may_land;
                candidate.call = Some(Call::Put(put.clone()));
                if put.spec.holder().is_none() && busy {
                    state.violation = Some(Violation::ReleasesEarly);
                }
            }
            Effect::Begin { valid_until, token } => {
                let newest = candidate.election.newest().and_then(Observation::record);
                let acquired = newest.and_then(|record| record.spec.acquired);
                if candidate.working || candidate.stopping {
                    state.violation = Some(Violation::LeadsNextToWork);
                }
                candidate.working = true;
                candidate.term = Some(Term { valid_until, token, acquired });
                let lease = self.candidates[who].options.lease_duration;
                if candidate.stepped_down.take().is_some_and(|since| now < since + lease) {
                    state.violation = Some(Violation::StandsBackTooShortly);
                }
                let server = &mut state.server;
                if valid_until <= now {
                    state.violation = Some(Violation::Revives);
                }
                if token <= server.newest_token && token >= server.forced() {
                    state.violation = Some(Violation::TokenDoesNotGrow);
                }
                server.newest_token = server.newest_token.max(token);
                if Self::begins_in_known_term(state, who) {
                    state.violation = Some(Violation::BeginsInKnownTerm);
                }
            }
            Effect::Extend { valid_until } => match candidate.valid_term() {
                Some(term) => candidate.term = Some(Term { valid_until, ..term }),
                None => state.violation = Some(Violation::Revives),
            },
            Effect::Drain => {
                candidate.awaited = true;
                if self.obedient {
                    self.work_ends(state, who);
                }
            }
            Effect::End(reason) => {
                let without = matches!(reason, EndReason::Lost { .. } | EndReason::Deleted);
                let forced = state.server.forced();
                let unforced = state.candidates[who].term.is_some_and(|term| term.token > forced);
                if without && unforced && Self::still_holds(state, who) {
                    state.violation = Some(Violation::EndsForNothing);
                }
                let candidate = Arc::make_mut(&mut state.candidates[who]);
                candidate.term = None;
                candidate.working = true;
                candidate.awaited = true;
                if self.breaks(Broken::EndOfWork) {
                    self.step(state, who, Input::WorkEnded { unanswered: None });
                } else if self.obedient {
                    self.work_ends(state, who);
                }
            }
            Effect::Released => {}
            Effect::Stopped => candidate.gone = true,
        }
    }

    /// Forgets what can have no effect any more.
    fn tidy(&self, state: &mut State) {
        let State { server, strays, candidates, left, .. } = state;
        strays.retain(|stray| self.may_land(server, &stray.put, *left));
        strays.sort_by_key(|stray| (stray.author, stray.life, stray.put.spec.renewed));
        if !self.breaks(Broken::OlderAnswers) {
            let known = candidates.iter().filter(|it| !it.gone).map(|it| it.knows_version()).min().unwrap_or(u64::MAX);
            server.earlier.retain(|observation| observation.version() > known);
        }
    }

    /// Candidates of one kind may be exchanged.
    pub(super) fn kind(&self, who: usize) -> usize {
        let own = self.candidates[who].timing();
        self.candidates.iter().position(|other| other.timing() == own).unwrap_or(who)
    }
}
