//! Every scenario, searched as far as the time goes, and every broken rule: two tables.
//!
//! `kubeops-model [seconds for one scenario] [words of its name]`

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::process::ExitCode;
use std::time::Duration;

use kubeops_model::mutations::mutations;
use kubeops_model::scenarios::{Size, scenarios};
use kubeops_model::search::{Outcome, search};

/// For one scenario, unless told otherwise: ten minutes altogether, and less memory than a laptop has.
const LONGEST: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|seconds| seconds.parse().ok());
    let longest = seconds.map_or(LONGEST, Duration::from_secs);
    let chosen = arguments.next().unwrap_or_default();
    println!("| scenario | states | steps | longest way | time | |\n| --- | ---: | ---: | ---: | ---: | --- |");
    let mut states = 0;
    let mut holds = true;
    for scenario in scenarios(Size::Large).into_iter().filter(|scenario| scenario.name.contains(&chosen)) {
        let outcome = search(scenario, longest, None);
        states += outcome.states;
        holds &= outcome.broken.is_empty() && outcome.missing.is_empty();
        tell(&outcome);
    }
    println!("\n{states} states altogether\n");
    println!("| broken rule | what then fails | after steps | states until then |\n| --- | --- | ---: | ---: |");
    for mutation in mutations().into_iter().filter(|mutation| mutation.rule.contains(&chosen)) {
        let (rule, property) = (mutation.rule, mutation.property);
        let outcome = search(mutation.scenario, longest, Some(property));
        let way = outcome.broken.iter().find(|(broken, _)| *broken == property).map_or(0, |(_, way)| way.len());
        holds &= way > 0;
        println!("| {rule} | {property} | {way} | {} |", outcome.states);
    }
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(outcome: &Outcome) {
    let Outcome { name, states, steps, depth, complete, took, broken, missing } = outcome;
    let whole = if *complete { "all" } else { "not all" };
    println!("| {name} | {states} | {steps} | {depth} | {} s | {whole} |", took.as_secs());
    for (property, way) in broken {
        println!("BROKEN: {property}: {way:?}");
    }
    for property in missing {
        println!("MISSING: {property}");
    }
}
