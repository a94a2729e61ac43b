//! One rule broken at a time, and the property that then fails: each property can fail, and each rule is needed.

use crate::scenarios::{drifting, proven, two, unlike, working};
use crate::*;

/// A broken rule, and what it breaks.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// The rule.
    pub rule: &'static str,
    /// Where it is broken.
    pub scenario: Scenario,
    /// A property that does not hold without it.
    pub property: &'static str,
}

fn without(broken: Broken, rule: &'static str, property: &'static str, scenario: Scenario) -> Mutation {
    Mutation { rule, scenario: scenario.breaking(broken), property }
}

/// All of them.
#[must_use]
pub fn mutations() -> Vec<Mutation> {
    let base = || two("calls", Budget::NONE);
    let lossy = || two("lost answers", Budget { silences: 1, ..Budget::NONE });
    let deleted = || two("deletion", Budget { deletions: 1, ..Budget::NONE });
    let stopped = || working("a stop", Budget { stops: 1, unanswered: 1, ..Budget::NONE });
    let dated = || two("dates", Budget { dates: 1, ..Budget::NONE });
    let twins = || Scenario { obedient: true, ..Scenario::of("twins", &["a", "a"]) };
    let labelled =
        Scenario { labelled: true, calm: true, ..two("labels for ever", Budget { crashes: 1, ..Budget::NONE }) };
    let deleted_twice =
        Scenario { settled: true, ..unlike("deleted twice", Budget { deletions: 2, rival: 1, ..Budget::NONE }) };
    let late = Scenario { late: 2, ..base() };
    let cleared = two("cleared", Budget { clears: 1, ..Budget::NONE });
    let lossy_deleted = two("deleted, lossy", Budget { deletions: 1, silences: 1, ..Budget::NONE });
    vec![
        without(Broken::CountedFromSend, "validity counts from the send, not from the answer", ONE_TERM, base()),
        Mutation {
            rule: "a lease is longer than a term by more than clocks differ (here 4 to 2)",
            scenario: drifting("clocks too far apart", 2, 4),
            property: ONE_TERM,
        },
        without(Broken::EndOfValidity, "validity runs out, whatever an answer says", NO_REVIVAL, base()),
        without(Broken::WaitForExpiry, "an unexpired record is waited for", NO_OVERWRITE, base()),
        without(
            Broken::RecordsDuration,
            "the wait is the record's own duration",
            NO_OVERWRITE,
            unlike("unlike leases", Budget::NONE),
        ),
        without(Broken::ClockAnew, "a record that is news starts the wait anew", NO_OVERWRITE, base()),
        without(Broken::VersionInPut, "a write replaces the very version that it was based on", NO_OVERWRITE, lossy()),
        without(Broken::UniqueStamps, "no two writes of a process look alike", NO_OVERWRITE, base()),
        without(
            Broken::OwnWrites,
            "a record is one's own by its write, not by the identity in it",
            NO_OVERWRITE,
            twins(),
        ),
        without(
            Broken::WaitAfterDeletion,
            "a lock that is gone is left alone for as long as its holder was promised",
            NOT_IN_KNOWN_TERM,
            deleted(),
        ),
        without(
            Broken::LongestWaitAfterDeletion,
            "a second deletion takes nothing back",
            NOT_IN_KNOWN_TERM,
            deleted_twice,
        ),
        without(
            Broken::HolderShownLate,
            "also for a holder that is shown only after its lock was known to be gone",
            NOT_IN_KNOWN_TERM,
            deleted(),
        ),
        without(
            Broken::ForgetsOldTries,
            "a try based on an earlier state counts for nothing",
            NOT_IN_KNOWN_TERM,
            lossy_deleted,
        ),
        without(
            Broken::EndAtForeignRecord,
            "a term ends when the lock is another's, or gone",
            NOT_AGAINST_KNOWLEDGE,
            cleared,
        ),
        without(
            Broken::PauseAfterStepDown,
            "who has stepped down stands back for a lease",
            STANDS_BACK,
            Scenario { pauses: true, ..two("step down", Budget { step_downs: 1, ..Budget::NONE }) },
        ),
        without(
            Broken::EndAtCoordinated,
            "a term ends when the lock is coordinated by others",
            NOT_COORDINATED,
            two("coordinated", Budget { coordinations: 1, ..Budget::NONE }),
        ),
        without(
            Broken::AgeByOneNow,
            "a record is old only if the API server's clock and one's own say so",
            NO_OVERWRITE,
            dated(),
        ),
        without(
            Broken::AgeByOneThen,
            "a record is old only if the API server's clock and its holder's say so",
            NO_OVERWRITE,
            dated(),
        ),
        Mutation {
            rule: "who takes its own identity's record at once is the only one that lives under it",
            scenario: proven("no proof", &["a", "a"], Budget { crashes: 1, ..Budget::NONE }),
            property: NO_OVERWRITE,
        },
        without(Broken::OlderAnswers, "nothing older than what is known is believed", NO_END_FOR_NOTHING, late),
        without(
            Broken::EndOfWork,
            "no new term before the work of the last has ended",
            ONE_AT_A_TIME,
            working("work that goes on", Budget::NONE),
        ),
        without(Broken::EndOfWork, "no release before the work has ended", RELEASE_LAST, stopped()),
        without(
            Broken::WritesWithoutAnswer,
            "no release while a write without an answer may land",
            RELEASE_LAST,
            stopped(),
        ),
        without(Broken::CountedFromSend, "validity counts from the send, not from the answer", TOKEN_GROWS, base()),
        without(
            Broken::ReleaseAtOnce,
            "a release is answered at once",
            RELEASE_IS_ANSWERED,
            Scenario { calm: true, ..stopped() },
        ),
        without(
            Broken::MetadataMovesNoClock,
            "a change of metadata does not start the wait anew",
            SOMEBODY_LEADS,
            labelled,
        ),
    ]
}
