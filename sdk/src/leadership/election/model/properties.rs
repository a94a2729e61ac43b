//! What must hold in every state.

use stateright::Property;

use super::scenario::Scenario;
use super::state::{Candidate, State, Violation};

/// At most one valid term.
pub const ONE_TERM: &str = "at most one valid term at any instant";
/// No write over what somebody else holds.
pub const NO_OVERWRITE: &str = "no write over a record that somebody else holds and that has not expired";
/// A release comes last.
pub const RELEASE_LAST: &str = "a release only when no work goes on, and none of its writes may land";
/// One term after another.
pub const ONE_AT_A_TIME: &str = "no term next to work of an earlier one in the same process, nor once it stops";
/// Tokens grow.
pub const TOKEN_GROWS: &str = "the fencing token grows from term to term";
/// Deletion.
pub const NOT_IN_KNOWN_TERM: &str = "whoever knew of a term begins none before its end, also when the lock was deleted";
/// Trust in the newest state.
pub const NO_END_FOR_NOTHING: &str = "no term ends as lost while the lock is its own";
/// Nothing comes back.
pub const NO_REVIVAL: &str = "no term that is over begins or goes on";
/// Better knowledge.
pub const NOT_AGAINST_KNOWLEDGE: &str = "no term of one who knows that the lock is not its own";
/// Stepping down.
pub const STANDS_BACK: &str = "who has stepped down begins no term within a lease";
/// Coordinated leader election.
pub const NOT_COORDINATED: &str = "no term of one who knows that the control plane chooses the holder";
/// Liveness.
pub const SOMEBODY_LEADS: &str = "once all is calm, somebody leads in the end, and goes on leading";
/// Handover.
pub const RELEASE_IS_ANSWERED: &str = "a release is followed by a takeover without waiting";
/// There is something to check.
pub const THERE_ARE_TERMS: &str = "somebody leads, and then somebody else (an example)";

/// What is checked in a scenario.
#[must_use]
pub fn properties(scenario: &Scenario) -> Vec<&'static str> {
    of(scenario).into_iter().map(|property| property.name).collect()
}

pub(super) fn of(scenario: &Scenario) -> Vec<Property<Scenario>> {
    let mut properties = vec![
        Property::always(ONE_TERM, one_term),
        Property::always(NOT_AGAINST_KNOWLEDGE, |_, state: &State| {
            state.candidates.iter().all(|it| it.valid_term().is_none() || it.election.holds())
        }),
        Property::always(NO_OVERWRITE, |_, state: &State| state.is_without(Violation::Overwrites)),
        Property::always(RELEASE_LAST, |_, state: &State| state.is_without(Violation::ReleasesEarly)),
        Property::always(ONE_AT_A_TIME, |_, state: &State| state.is_without(Violation::LeadsNextToWork)),
        Property::always(TOKEN_GROWS, |_, state: &State| state.is_without(Violation::TokenDoesNotGrow)),
        Property::always(NOT_IN_KNOWN_TERM, |_, state: &State| state.is_without(Violation::BeginsInKnownTerm)),
        Property::always(NO_REVIVAL, |_, state: &State| state.is_without(Violation::Revives)),
        Property::always(STANDS_BACK, |_, state: &State| state.is_without(Violation::StandsBackTooShortly)),
        Property::always(NOT_COORDINATED, |_, state: &State| state.is_without(Violation::LeadsCoordinated)),
        Property::always(NO_END_FOR_NOTHING, |_, state: &State| state.is_without(Violation::EndsForNothing)),
        Property::sometimes(THERE_ARE_TERMS, somebody_else_leads),
    ];
    if scenario.calm {
        properties.extend([
            Property::always(SOMEBODY_LEADS, somebody_leads),
            Property::always(RELEASE_IS_ANSWERED, release_is_answered),
        ]);
    }
    properties
}

fn one_term(scenario: &Scenario, state: &State) -> bool {
    let rival = state.rival.leads(scenario.rival().clock(state.tick), state.server.forced());
    state.leaders().count() + usize::from(rival) <= 1
}

fn somebody_leads(scenario: &Scenario, state: &State) -> bool {
    if state.candidates.iter().all(|it| it.gone || it.stopping) || state.violation.is_some() {
        return true;
    }
    let led = scenario.somebody_will_lead(state, scenario.patience());
    led.is_some_and(|led| scenario.leader_stays(&led, 4))
}

fn release_is_answered(scenario: &Scenario, state: &State) -> bool {
    let released = state.server.held.as_ref().is_some_and(|held| held.record.spec.holder().is_none());
    let ready = state.candidates.iter().any(|it| it.stands_ready());
    !released || !ready || state.violation.is_some() || scenario.somebody_will_lead(state, 0).is_some()
}

/// Twins are one to the record.
fn somebody_else_leads(scenario: &Scenario, state: &State) -> bool {
    let [first, others @ ..] = &scenario.candidates[..] else { return false };
    let twins = others.iter().all(|other| other.options.identity == first.options.identity);
    let changed = |candidate: &Candidate| candidate.election.lock.record()?.spec.transitions;
    state.leaders().any(|leader| twins || changed(leader).is_some_and(|changes| changes > 0))
}
