//! Whole replicas on a cluster in memory, for an hour of paused time each seed, with every fault that the cluster has and every
//! one of processes. Whatever goes wrong, nobody is wrong about who leads, and once nothing goes wrong any more, all is well.
//!
//! Everything is drawn from the seed, and all runs on one thread in tokio's time: the same seed is the same history.
//! `cargo xtask simulate` plays as many seeds as one likes.

mod books;
mod contender;
mod log;
mod network;
mod play;
mod replica;
mod runner;
mod sabotage;
mod trouble;
mod weather;
mod world;

use std::fmt;
use std::time::Duration;

use self::runner::{Seeds, play_alone};
use self::sabotage::Sabotage;

/// Seeds that a run of all tests plays, and how long each; `cargo xtask simulate` plays hours, in a build that is fit for that.
const USUAL_SEEDS: u64 = 200;
const USUAL_LENGTH: Duration = Duration::from_secs(180);

/// Who asks for something: a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Author {
    /// A replica, in its how manieth life.
    Replica { number: usize, life: u32 },
    /// Who stands for the lock by client-go's rules.
    Contender,
    /// Who writes the lock without standing for it.
    Meddler,
}

impl Author {
    fn user(self) -> String {
        match self {
            Self::Replica { number, .. } => format!("replica-{number}"),
            Self::Contender => "contender".to_owned(),
            Self::Meddler => "kubectl".to_owned(),
        }
    }

    const fn is_replica(self) -> bool {
        matches!(self, Self::Replica { .. })
    }

    /// The same for all lives of a replica.
    const fn any_life(self) -> Self {
        match self {
            Self::Replica { number, life: _ } => Self::Replica { number, life: 0 },
            other => other,
        }
    }
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replica { number, life } => write!(f, "replica-{number} (life {life})"),
            other => f.write_str(&other.user()),
        }
    }
}

#[test]
fn whatever_goes_wrong_nobody_is_wrong_about_who_leads_and_in_the_end_all_is_well() {
    let report = Seeds::wanted(USUAL_SEEDS, USUAL_LENGTH).play();
    println!("{report}");
    assert!(report.failed.is_empty(), "{report}");
}

#[test]
fn the_same_seed_is_the_same_history_and_another_one_is_not() {
    let hashes = [1, 1, 2].map(|seed| play_alone(seed, USUAL_LENGTH, None).hash);
    assert!(hashes[0] == hashes[1] && hashes[1] != hashes[2], "{hashes:x?}");
}

#[test]
fn each_check_fails_when_its_rule_is_broken() {
    for (sabotage, expected) in Sabotage::ALL {
        let outcome = play_alone(3, Duration::from_secs(60), Some(sabotage));
        assert!(
            outcome.violations.iter().any(|what| what.contains(expected)),
            "{sabotage:?}: {:#?}",
            outcome.violations
        );
    }
    assert_eq!(play_alone(3, Duration::ZERO, None).violations, Vec::<String>::new());
}

/// Seeds that have failed, each with what was wrong, and for how long they have to be played.
const HAVE_FAILED: [(u64, u64, &str); 2] = [
    (1104, 6, "a write that hangs to the end keeps the lock from being given back, as it should"),
    (8483, 6, "the lock is taken by hand, and the leader that does not know it yet writes a status last, which stays"),
];

#[test]
fn seeds_that_have_failed_do_so_no_more() {
    for (seed, minutes, what) in HAVE_FAILED {
        let outcome = play_alone(seed, Duration::from_secs(minutes * 60), None);
        assert!(outcome.violations.is_empty(), "{seed}, in which {what}: {:#?}", outcome.violations);
    }
}
