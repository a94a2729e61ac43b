//! The election is right in every state that is searched, and wrong as soon as one of its rules is broken.

use std::collections::HashSet;
use std::time::Duration;

use kubeops_model::mutations::mutations;
use kubeops_model::scenarios::{Size, scenarios};
use kubeops_model::search::search;
use kubeops_model::{SOMEBODY_LEADS, THERE_ARE_TERMS, compare_ways};

/// Far longer than any of these searches takes.
const LIMIT: Duration = Duration::from_secs(600);

#[test]
fn every_property_holds_in_every_state() {
    let mut states = 0;
    for scenario in scenarios(Size::Small) {
        let bounded = scenario.depth.is_some();
        let outcome = search(scenario, LIMIT, None);
        println!("{:>9} states, {:>3} steps deep: {}", outcome.states, outcome.depth, outcome.name);
        assert!(outcome.broken.is_empty(), "{}: {:?}", outcome.name, outcome.broken);
        assert!(outcome.complete, "{} was not searched to its end", outcome.name);
        assert!(bounded || outcome.missing.is_empty(), "{}: never: {:?}", outcome.name, outcome.missing);
        states += outcome.states;
    }
    println!("{states:>9} states altogether");
    assert!(states > 500_000, "only {states} states: the world is too calm to show anything");
}

#[test]
fn states_that_count_as_the_same_are_followed_by_the_same() {
    for scenario in scenarios(Size::Small) {
        match compare_ways(&scenario, 4_000) {
            Ok(compared) => assert!(compared >= 4_000, "{}: only {compared} compared", scenario.name),
            Err(differing) => panic!("{}: {differing:#?}", scenario.name),
        }
    }
}

#[test]
fn each_rule_is_needed() {
    for mutation in mutations() {
        let outcome = search(mutation.scenario, LIMIT, Some(mutation.property));
        let way = outcome.broken.iter().find(|(property, _)| *property == mutation.property).map(|(_, way)| way);
        assert!(way.is_some(), "without \"{}\": {:?}, not {:?}", mutation.rule, outcome.broken, mutation.property);
        println!("{:>3} steps to \"{}\", without: {}", way.map_or(0, Vec::len), mutation.property, mutation.rule);
    }
}

#[test]
fn each_property_can_fail() {
    let failing: HashSet<_> = mutations().iter().map(|mutation| mutation.property).collect();
    let scenarios = scenarios(Size::Small);
    let all = scenarios.iter().flat_map(kubeops_model::properties).filter(|name| *name != THERE_ARE_TERMS);
    let never: HashSet<_> = all.filter(|name| !failing.contains(name)).collect();
    assert!(never.is_empty(), "nothing shows that these can fail: {never:?}");
    assert!(failing.contains(SOMEBODY_LEADS));
}
