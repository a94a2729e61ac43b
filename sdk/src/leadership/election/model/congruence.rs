//! Whether states that count as the same are the same: what may follow one may follow the other.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, VecDeque};

use stateright::Model as _;

use super::scenario::Scenario;
use super::state::State;

/// Compares what follows two ways to a state, for the first so many states. The number of comparisons, or what differed.
///
/// # Errors
/// Two states that count as the same, and are not.
pub fn compare_ways(scenario: &Scenario, states: usize) -> Result<usize, Box<(State, State)>> {
    let mut known: HashMap<Vec<u64>, State> = HashMap::new();
    let mut waiting: VecDeque<State> = scenario.init_states().into();
    let mut compared = 0;
    while let Some(state) = waiting.pop_front() {
        match known.entry(state.canonical()) {
            Entry::Vacant(place) if compared < states => {
                waiting.extend(scenario.next_states(&state));
                place.insert(state);
            }
            Entry::Vacant(_) => {}
            Entry::Occupied(same) => {
                compared += 1;
                if what_follows(scenario, same.get()) != what_follows(scenario, &state) {
                    return Err(Box::new((same.get().clone(), state)));
                }
            }
        }
    }
    Ok(compared)
}

fn what_follows(scenario: &Scenario, state: &State) -> BTreeSet<Vec<u64>> {
    scenario.next_states(state).iter().map(State::canonical).collect()
}
