//! What is searched: one scenario for each kind of trouble.

use crate::{Budget, EVER, Scenario, Setup};

/// How much may go wrong in one history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// For each run of the tests.
    Small,
    /// For `cargo xtask model`.
    Large,
}

/// Two candidates alike.
pub(crate) fn two(name: &'static str, budget: Budget) -> Scenario {
    Scenario { budget, obedient: true, ..Scenario::of(name, &["a", "b"]) }
}

/// All of them.
#[must_use]
pub fn scenarios(size: Size) -> Vec<Scenario> {
    let large = size == Size::Large;
    let few = u8::from(large);
    let silences = few;
    let mut all = vec![
        Scenario { calm: true, ..two("late answers and watches, pauses", Budget::NONE) },
        two(
            "writes that get no answer, and may land",
            Budget { silences: if large { EVER } else { 1 }, ..Budget::NONE },
        ),
        two("calls that fail", Budget { failures: 1 + few, silences: 1, ..Budget::NONE }),
        Scenario { late: 1 + usize::from(large), ..two("a watch that also tells what is old", Budget::NONE) },
        Scenario { watch: false, calm: true, ..two("no watch", Budget { silences, ..Budget::NONE }) },
        Scenario {
            obedient: false,
            ..two("stop, with work that goes on", Budget { stops: 1, unanswered: 1, silences, ..Budget::NONE })
        },
        Scenario { obedient: false, calm: true, ..two("both stop", Budget { stops: 2, ..Budget::NONE }) },
        two("deletion", Budget { deletions: 1, silences, ..Budget::NONE }),
        two("restart under the old identity", Budget { crashes: 1, silences, ..Budget::NONE }),
        two("labels by others", Budget { labels: 1 + few, silences, ..Budget::NONE }),
        two("the holder is cleared by others", Budget { clears: 1, silences, ..Budget::NONE }),
        two("a candidate of client-go", Budget { rival: 2 + few, ..Budget::NONE }),
        Scenario {
            obedient: true,
            budget: Budget { silences, ..Budget::NONE },
            ..Scenario::of("twins of one identity", &["a", "a"])
        },
        unlike("unlike leases", Budget { silences, ..Budget::NONE }),
        unlike("unlike leases, deleted twice, and client-go", Budget { deletions: 2, rival: 1, ..Budget::NONE }),
        drifting("clocks that differ by as much as is tolerated", 3, 4),
    ];
    all.push(Scenario { obedient: true, budget: Budget::NONE, ..Scenario::of("three candidates", &["a", "b", "c"]) });
    all
}

/// One candidate's lease is longer than the other's.
pub(crate) fn unlike(name: &'static str, budget: Budget) -> Scenario {
    let candidates = vec![Setup::new("a", 5, 4, 1), Setup::new("b", 3, 2, 1)];
    Scenario { candidates, ..two(name, budget) }
}

/// Clocks that show so many seconds a tick; a term lasts three fourths of a lease.
pub(crate) fn drifting(name: &'static str, one: u64, other: u64) -> Scenario {
    let mut candidates = vec![Setup::new("a", 12, 9, 3), Setup::new("b", 12, 9, 3)];
    candidates[0].rate = one;
    candidates[1].rate = other;
    Scenario { candidates, ..two(name, Budget::NONE) }
}
