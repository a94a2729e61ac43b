//! The world at rest: nothing more goes wrong, messages arrive at once, and who wants to be woken is.

use super::super::Input;
use super::action::Action;
use super::scenario::Scenario;
use super::state::{Call, Candidate, State};

/// More rounds than any tick needs. A candidate that is busier is in a busy loop.
const ROUNDS: usize = 40;

/// Whether it asked to be woken by now.
pub(super) fn is_due(candidate: &Candidate) -> bool {
    !candidate.gone && candidate.election.wake_at().is_some_and(|at| at <= candidate.clock)
}

impl Scenario {
    /// Whether somebody leads within so many ticks of calm.
    pub(super) fn somebody_will_lead(&self, state: &State, ticks: u64) -> Option<State> {
        let mut state = state.clone();
        while let Some(which) = state.strays.len().checked_sub(1) {
            self.happen(&mut state, Action::Land(which));
        }
        for passed in 0..=ticks {
            self.settle(&mut state);
            if state.somebody_leads() {
                return Some(state);
            }
            if passed < ticks {
                self.pass(&mut state);
            }
        }
        None
    }

    /// Whether the leader of now goes on leading for so many ticks of calm.
    pub(super) fn leader_stays(&self, state: &State, ticks: u64) -> bool {
        let mut state = state.clone();
        let leader = |state: &State| state.candidates.iter().position(|it| it.valid_term().is_some());
        let first = leader(&state);
        (0..ticks).all(|_| {
            self.pass(&mut state);
            self.settle(&mut state);
            leader(&state) == first
        })
    }

    fn pass(&self, state: &mut State) {
        self.happen(state, Action::Tick);
        if self.labelled {
            state.server.label();
        }
    }

    /// Until nobody has anything to do before time passes.
    pub(super) fn settle(&self, state: &mut State) {
        for _ in 0..ROUNDS {
            let mut acted = false;
            for who in 0..state.candidates.len() {
                acted |= self.act(state, who);
            }
            if !acted {
                return;
            }
        }
    }

    fn act(&self, state: &mut State, who: usize) -> bool {
        let candidate = &state.candidates[who];
        if candidate.gone {
            return false;
        }
        if self.watch && candidate.knows_version() < state.server.version {
            self.happen(state, Action::Watch(who));
            return true;
        }
        match candidate.call {
            Some(Call::Answer { .. }) => self.happen(state, Action::Answer(who)),
            Some(_) => self.happen(state, Action::Arrive(who)),
            None if candidate.election.blocked => self.happen(state, Action::Unblock(who)),
            None if candidate.awaited => self.happen(state, Action::WorkEnds(who)),
            None if is_due(candidate) => self.step(state, who, Input::Woken),
            None => return false,
        }
        true
    }
}
