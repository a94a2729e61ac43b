//! One search, and what it found.

use std::time::{Duration, Instant};

use stateright::{Checker as _, Expectation, HasDiscoveries, Model as _};

use crate::{Action, Scenario};

/// What a search has found.
#[derive(Debug)]
pub struct Outcome {
    /// What the scenario is about.
    pub name: &'static str,
    /// States that can be told apart.
    pub states: usize,
    /// Steps from one to another.
    pub steps: usize,
    /// The longest of the shortest ways to a state.
    pub depth: usize,
    /// Whether every state was looked at.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
    /// Properties that do not hold, each with the shortest way to such a state.
    pub broken: Vec<(&'static str, Vec<Action>)>,
    /// What should happen, and never does.
    pub missing: Vec<&'static str>,
}

/// Looks at every state, for so long at most; `until` only until this property does not hold.
#[must_use]
pub fn search(scenario: Scenario, limit: Duration, until: Option<&'static str>) -> Outcome {
    let (name, properties) = (scenario.name, scenario.properties());
    let (start, depth) = (Instant::now(), scenario.depth);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut checker = scenario.checker().threads(threads).timeout(limit);
    if let Some(depth) = depth {
        checker = checker.target_max_depth(depth);
    }
    if let Some(property) = until {
        checker = checker.finish_when(HasDiscoveries::AllOf([property].into()));
    }
    let checker = checker.spawn_bfs().join();
    let found = checker.discoveries();
    let sought = |property: &&stateright::Property<Scenario>| property.expectation == Expectation::Sometimes;
    let missing = properties.iter().filter(sought).map(|it| it.name).filter(|name| !found.contains_key(name)).collect();
    let failed = properties.iter().filter(|property| !sought(property));
    let mut broken: Vec<(&'static str, Vec<Action>)> =
        failed.filter_map(|property| Some((property.name, found.get(property.name)?.clone().into_actions()))).collect();
    broken.sort_by_key(|(_, way)| way.len());
    let took = start.elapsed();
    Outcome {
        name,
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth(),
        complete: took < limit && broken.is_empty(),
        took,
        broken,
        missing,
    }
}
