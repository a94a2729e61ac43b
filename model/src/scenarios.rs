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

/// No broken rule needs longer histories than this to show.
const SMALL_DEPTH: usize = 15;

/// Two candidates alike.
pub(crate) fn two(name: &'static str, budget: Budget) -> Scenario {
    Scenario { budget, obedient: true, ..Scenario::of(name, &["a", "b"]) }
}

/// All of them: the first three are searched to their end in each size.
#[must_use]
pub fn scenarios(size: Size) -> Vec<Scenario> {
    let large = size == Size::Large;
    let few = u8::from(large);
    let lossy = Budget { silences: few, ..Budget::NONE };
    let twins = Scenario::of("twins of one identity", &["a", "a"]);
    let three = Scenario::of("three candidates", &["a", "b", "c"]);
    let whole = vec![
        Scenario { calm: true, ..two("late answers and watches, pauses", Budget::NONE) },
        Scenario { watch: false, calm: true, ..two("no watch", Budget::NONE) },
        Scenario { obedient: true, ..twins },
    ];
    let wide = vec![
        two(
            "writes that get no answer, and may land",
            Budget { silences: if large { EVER } else { 1 }, ..Budget::NONE },
        ),
        Scenario {
            watch: false,
            ..two("no watch, and answers that come late", Budget { silences: 1 + few, ..Budget::NONE })
        },
        two("calls that fail", Budget { failures: 1 + few, silences: 1, ..Budget::NONE }),
        Scenario { late: 2, ..two("a watch that also tells what is old", Budget::NONE) },
        working("a stop, and work that goes on", Budget { stops: 1, unanswered: 1, ..lossy }),
        Scenario { calm: true, ..working("both stop", Budget { stops: 2, ..Budget::NONE }) },
        two("deletion", Budget { deletions: 1, ..lossy }),
        two("restart under the old identity", Budget { crashes: 1, ..lossy }),
        Scenario { calm: true, ..working("a blocked runtime", Budget { blocks: 1 + few, ..Budget::NONE }) },
        two("labels by others", Budget { labels: 1 + few, ..lossy }),
        two("the holder is cleared by others", Budget { clears: 1, ..lossy }),
        two("a candidate of client-go", Budget { rival: 2 + few, ..Budget::NONE }),
        unlike("unlike leases", lossy),
        Scenario {
            settled: true,
            ..unlike("unlike leases, deleted twice, and client-go", Budget { deletions: 2, rival: 1, ..Budget::NONE })
        },
        Scenario { pauses: true, calm: true, ..working("step down", Budget { step_downs: 1 + few, ..Budget::NONE }) },
        Scenario { pauses: true, ..two("terms that end early", Budget { clears: 1, blocks: 1 + few, ..lossy }) },
        two("coordinated for a moment", Budget { coordinations: 1 + few, ..lossy }),
        two("the age of a record, one clock wrong", Budget { dates: 2, ..lossy }),
        Scenario { old: true, calm: true, ..two("an old record", Budget { dates: 2, ..Budget::NONE }) },
        proven("restart, and the kernel's proof", &["a", "b"], Budget { crashes: 1, ..lossy }),
        drifting("clocks that differ by as much as is tolerated", 3, 4),
        Scenario { obedient: true, ..three },
    ];
    let depth = if large { None } else { Some(SMALL_DEPTH) };
    whole.into_iter().chain(wide.into_iter().map(|scenario| Scenario { depth, ..scenario })).collect()
}

/// Work that ends when it likes.
pub(crate) fn working(name: &'static str, budget: Budget) -> Scenario {
    Scenario { obedient: false, ..two(name, budget) }
}

/// One candidate's lease is longer than the other's.
pub(crate) fn unlike(name: &'static str, budget: Budget) -> Scenario {
    let candidates = vec![Setup::new("a", 5, 4, 1), Setup::new("b", 3, 2, 1)];
    Scenario { candidates, ..two(name, budget) }
}

/// No two that live have one identity, which each of them knows.
pub(crate) fn proven(name: &'static str, identities: &[&str], budget: Budget) -> Scenario {
    Scenario { budget, obedient: true, settled: true, bearers: true, ..Scenario::of(name, identities) }
}

/// Clocks that show so many seconds a tick; a term lasts three fourths of a lease.
pub(crate) fn drifting(name: &'static str, one: u64, other: u64) -> Scenario {
    let mut candidates = vec![Setup::new("a", 12, 9, 3), Setup::new("b", 12, 9, 3)];
    candidates[0].rate = one;
    candidates[1].rate = other;
    Scenario { candidates, ..two(name, Budget::NONE) }
}
