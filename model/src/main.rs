//! Searches, and prints what was found.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::time::{Duration, Instant};

use kubeops_model::{Broken, Budget, Scenario, Setup};
use stateright::{Checker as _, HasDiscoveries, Model as _};

fn main() {
    let n = |i: usize| -> u8 { std::env::args().nth(i).and_then(|it| it.parse().ok()).unwrap_or(0) };
    let budget = Budget { silences: n(2), ..Budget::default() };
    let base = Scenario { budget, obedient: true, calm: n(3) > 0, ..Scenario::of("two", &["a", "b"]) };
    if n(1) == 99 { return mutations(base); }
    let scenario = match n(1) {
        0 => base,
        1 => Scenario { budget: Budget { stops: 1, unanswered: 1, ..budget }, obedient: false, ..base },
        2 => Scenario { budget: Budget { crashes: 1, ..budget }, ..base },
        3 => Scenario { budget: Budget { deletions: 1, ..budget }, ..base },
        4 => Scenario { budget: Budget { labels: 1, ..budget }, ..base },
        5 => Scenario { budget: Budget { clears: 1, ..budget }, ..base },
        6 => Scenario { budget: Budget { rival: 4, ..budget }, ..base },
        7 => Scenario { budget, obedient: true, ..Scenario::of("twins", &["a", "a"]) },
        8 => Scenario { watch: false, ..base },
        9 => Scenario { late: 1, ..base },
        10 => Scenario { obedient: false, ..base },
        11 => Scenario { candidates: vec![Setup::new("a", 3, 2, 1), Setup::new("b", 5, 4, 1)], ..base },
        12 => { let mut s = base; s.candidates = vec![Setup::new("a", 12, 9, 3), Setup::new("b", 12, 9, 3)]; s.candidates[0].rate = 3; s.candidates[1].rate = 4; s }
        _ => Scenario { budget, obedient: true, ..Scenario::of("three", &["a", "b", "c"]) },
    };
    run(scenario, n(4).max(1) as u64 * 60, false);
}

fn run(scenario: Scenario, limit: u64, failures: bool) {
    let start = Instant::now();
    let checker = scenario.checker().threads(2).timeout(Duration::from_secs(limit));
    let checker = if failures { checker.finish_when(HasDiscoveries::AnyFailures) } else { checker };
    let checker = checker.spawn_bfs().join();
    println!("{} unique of {} states, depth {}, {:?}", checker.unique_state_count(), checker.state_count(), checker.max_depth(), start.elapsed());
    for (name, path) in checker.discoveries() {
        let actions = path.into_actions();
        println!("   {name}: {} {:?}", actions.len(), actions);
    }
}

fn mutations(base: Scenario) {
    let silent = Budget { silences: 1, ..Budget::default() };
    let quiet = Budget::default();
    let twins = Scenario { obedient: true, ..Scenario::of("twins", &["a", "a"]) };
    let stops = Scenario { obedient: false, budget: Budget { stops: 1, ..quiet }, ..base.clone() };
    let unlike = Scenario { candidates: vec![Setup::new("a", 3, 2, 1), Setup::new("b", 5, 4, 1)], ..base.clone() };
    let deleted = Scenario { budget: Budget { deletions: 1, ..quiet }, ..base.clone() };
    let labelled = Scenario { labelled: true, calm: true, budget: quiet, ..base.clone() };
    let base = Scenario { budget: quiet, ..base };
    let table = [
        (Broken::CountedFromSend, base.clone()),
        (Broken::EndOfValidity, base.clone()),
        (Broken::RecordsDuration, unlike.clone()),
        (Broken::WaitForExpiry, base.clone()),
        (Broken::VersionInPut, Scenario { budget: silent, ..base.clone() }),
        (Broken::UidInPut, Scenario { budget: Budget { deletions: 1, silences: 1, ..quiet }, ..base.clone() }),
        (Broken::ClockAnew, base.clone()),
        (Broken::WaitAfterDeletion, deleted.clone()),
        (Broken::LongestWaitAfterDeletion, Scenario { budget: Budget { deletions: 2, ..quiet }, ..unlike.clone() }),
        (Broken::MetadataMovesNoClock, labelled),
        (Broken::OlderAnswers, Scenario { late: 2, ..base.clone() }),
        (Broken::ForgetsOldTries, Scenario { budget: Budget { deletions: 1, silences: 1, ..quiet }, ..base.clone() }),
        (Broken::EndOfWork, stops.clone()),
        (Broken::WritesWithoutAnswer, Scenario { budget: Budget { stops: 1, unanswered: 1, ..quiet }, ..stops.clone() }),
        (Broken::OwnWrites, twins),
        (Broken::UniqueStamps, base.clone()),
        (Broken::EndAtForeignRecord, Scenario { budget: Budget { clears: 1, ..quiet }, ..base.clone() }),
    ];
    for (broken, scenario) in table {
        println!("== {broken:?}");
        run(scenario.breaking(broken), 30, true);
    }
}
