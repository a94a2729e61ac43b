//! What may happen next.

use super::calm;
use super::scenario::Scenario;
use super::state::{Call, Candidate, State};

/// What may happen. Nothing has to, nor at any time: a candidate that nothing happens to is paused, or its messages are late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Time passes.
    Tick,
    /// A candidate wakes up at an instant that it asked for.
    Wake(usize),
    /// Its request arrives at the server.
    Arrive(usize),
    /// The answer arrives at it.
    Answer(usize),
    /// Its call fails; a write may land all the same.
    Fail(usize),
    /// Its write gets no answer, and is waited for no longer; it may land all the same.
    GiveUp(usize),
    /// A write that was given up lands.
    Land(usize),
    /// A write that was given up lands, and its late answer arrives.
    LandTold(usize),
    /// Its watch tells the newest state of the lock.
    Watch(usize),
    /// Its watch tells an older state of the lock.
    WatchLate(usize, usize),
    /// The answer to its read arrives, with dates by which the record's age is told; one clock may be wrong.
    AnswerDated(usize, Wrong),
    /// It is asked to stop.
    Stop(usize),
    /// It is asked to let another lead.
    StepDown(usize),
    /// The lock is a coordinated one for a moment, and it sees that.
    Coordinate(usize),
    /// Its work ends.
    WorkEnds(usize),
    /// Its work ends, with a write that has no answer.
    WorkEndsUnanswered(usize),
    /// Its work does not end in time.
    Overdue(usize),
    /// What its work runs on is blocked.
    Block(usize),
    /// What its work runs on goes on.
    Unblock(usize),
    /// It is killed, and started anew.
    Crash(usize),
    /// Somebody changes the lock's metadata.
    Label,
    /// Somebody deletes the lock.
    Delete,
    /// Somebody clears the holder.
    Clear,
    /// client-go tries to take or to renew the lock.
    RivalTries,
    /// client-go releases the lock.
    RivalReleases,
}

/// A wall clock that is wrong by far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// None of them.
    None,
    /// The API server's is ahead.
    Server,
    /// The holder's was behind.
    Holder,
    /// The candidate's own is ahead.
    Own,
}

impl Scenario {
    /// All that may happen in this state.
    pub(super) fn possible(&self, state: &State, actions: &mut Vec<Action>) {
        if state.violation.is_some() {
            return;
        }
        actions.push(Action::Tick);
        for (who, candidate) in state.candidates.iter().enumerate().filter(|(_, candidate)| !candidate.gone) {
            self.actions_of(state, who, candidate, actions);
        }
        actions.extend((0..state.strays.len()).map(Action::Land));
        if !self.watch {
            // A watch tells the same.
            actions.extend((0..state.strays.len()).map(Action::LandTold));
        }
        self.actions_of_others(state, actions);
    }

    fn actions_of(&self, state: &State, who: usize, candidate: &Candidate, actions: &mut Vec<Action>) {
        if calm::is_due(candidate) {
            actions.push(Action::Wake(who));
        }
        let may_go_unanswered = candidate.tries() <= self.tries && state.left.silences > 0;
        let may_fail = state.left.failures > 0;
        match &candidate.call {
            None => {}
            Some(Call::Read) => {
                actions.push(Action::Arrive(who));
                actions.extend(may_fail.then_some(Action::Fail(who)));
            }
            Some(Call::Put(_)) => {
                actions.push(Action::Arrive(who));
                actions.extend(may_go_unanswered.then_some(Action::GiveUp(who)));
                actions.extend((may_go_unanswered && may_fail).then_some(Action::Fail(who)));
            }
            Some(Call::Answer { of_put, .. }) => {
                actions.push(Action::Answer(who));
                if !of_put && state.left.dates > 0 {
                    let wrong = [Wrong::None, Wrong::Server, Wrong::Holder, Wrong::Own];
                    actions.extend(wrong.map(|wrong| Action::AnswerDated(who, wrong)));
                }
                actions.extend((*of_put && may_go_unanswered).then_some(Action::GiveUp(who)));
                actions.extend((*of_put && may_go_unanswered && may_fail).then_some(Action::Fail(who)));
            }
        }
        if self.watch {
            actions.push(Action::Watch(who));
            actions.extend((0..state.server.earlier.len()).map(|which| Action::WatchLate(who, which)));
        }
        if candidate.awaited {
            actions.push(Action::WorkEnds(who));
            actions.extend((state.left.unanswered > 0).then_some(Action::WorkEndsUnanswered(who)));
        }
        if candidate.election.is_handing_over() && candidate.election.leads() {
            actions.push(Action::Overdue(who));
        }
        let may_step_down = candidate.valid_term().is_some() && !candidate.election.is_handing_over();
        actions.extend((state.left.step_downs > 0 && may_step_down).then_some(Action::StepDown(who)));
        let is_there = state.server.held.is_some();
        actions.extend((state.left.coordinations > 0 && is_there).then_some(Action::Coordinate(who)));
        actions.extend((state.left.stops > 0 && !candidate.stopping).then_some(Action::Stop(who)));
        let blocked = candidate.election.blocked;
        actions.extend(blocked.then_some(Action::Unblock(who)));
        actions.extend((state.left.blocks > 0 && !blocked).then_some(Action::Block(who)));
        actions.extend((state.left.crashes > 0).then_some(Action::Crash(who)));
    }

    fn actions_of_others(&self, state: &State, actions: &mut Vec<Action>) {
        if state.left.rival > 0 {
            actions.push(Action::RivalTries);
            actions.extend(state.rival.term.is_some().then_some(Action::RivalReleases));
        }
        let Some(held) = &state.server.held else { return };
        actions.extend((state.left.labels > 0).then_some(Action::Label));
        actions.extend((state.left.deletions > 0).then_some(Action::Delete));
        actions.extend((state.left.clears > 0 && held.record.spec.holder().is_some()).then_some(Action::Clear));
    }
}
