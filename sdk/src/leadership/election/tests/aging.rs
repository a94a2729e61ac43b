use super::*;

/// Seconds since 1970 at which all clocks agree on what has happened so far.
const TODAY: i64 = 1_800_000_000;

/// What the three clocks say, in seconds before or after today. The holder and a server wrote, then a server and this process read.
#[derive(Clone, Copy)]
struct Clocks {
    renewed: i64,
    written: i64,
    answered: i64,
    mine: i64,
}

const AN_HOUR_OLD: Clocks = Clocks { renewed: -3600, written: -3600, answered: 0, mine: 0 };

fn seconds(seconds: i64) -> Stamp {
    Stamp::from_micros((TODAY + seconds) * 1_000_000)
}

fn held(clocks: Clocks, duration: Option<i32>) -> Record {
    let mut held = record(5, OTHER);
    held.spec.duration = duration;
    held.spec.renewed = Some(seconds(clocks.renewed));
    held
}

/// A candidate that starts, and what it does when it has read such a record.
fn starts(options: ElectionOptions, clocks: Clocks, held: Record) -> Vec<Effect> {
    let mut election = Election::new(options);
    let now = Now { clock: moment(100.0), wall: seconds(clocks.mine), chance: 0.5 };
    election.step(now, Input::Stand);
    election.step(now, Input::Watching(true));
    let dates = Dates { version: 5, answered: seconds(clocks.answered), written: seconds(clocks.written) };
    assert_eq!(election.step(now, Input::Dated(dates)), []);
    election.step(now, Input::Answered(Observation::Present(held)))
}

fn is_taken_at_once(clocks: Clocks) -> bool {
    !starts(ElectionOptions::new(ME), clocks, held(clocks, Some(15))).is_empty()
}

#[test]
fn a_lock_that_is_hours_old_by_all_clocks_is_taken_at_the_start() {
    let put = put_of(&starts(ElectionOptions::new(ME), AN_HOUR_OLD, held(AN_HOUR_OLD, Some(15))));
    assert_eq!(put.base, Some((5, "uid".to_owned())));
    assert_eq!(put.spec.transitions, Some(4));
}

#[test]
fn one_wrong_clock_never_takes_a_lock_that_was_just_renewed() {
    const WRONG: i64 = 100_000;
    for wrong in [-WRONG, WRONG] {
        let fresh = Clocks { renewed: 0, written: 0, answered: 0, mine: 0 };
        let holder = Clocks { renewed: wrong, ..fresh };
        let me = Clocks { mine: wrong, ..fresh };
        let server = Clocks { written: wrong, answered: wrong, ..fresh };
        let server_at_the_write = Clocks { written: wrong, ..fresh };
        let server_at_the_read = Clocks { answered: wrong, ..fresh };
        for clocks in [holder, me, server, server_at_the_write, server_at_the_read] {
            assert!(!is_taken_at_once(clocks), "wrong by {wrong}");
        }
    }
}

#[test]
fn a_minute_is_for_clocks_that_differ() {
    let age = |seconds: i64| Clocks { renewed: -seconds, written: -seconds, ..AN_HOUR_OLD };
    assert!(!is_taken_at_once(age(75)));
    assert!(is_taken_at_once(age(76)));
}

#[test]
fn the_longer_of_both_durations_counts() {
    let long = held(AN_HOUR_OLD, Some(3600));
    assert_eq!(starts(ElectionOptions::new(ME), AN_HOUR_OLD, long), []);
    let options = ElectionOptions { lease_duration: Duration::from_secs(3600), ..ElectionOptions::new(ME) };
    assert_eq!(starts(options, AN_HOUR_OLD, held(AN_HOUR_OLD, Some(15))), []);
}

#[test]
fn without_a_renewal_or_without_trust_the_lease_is_waited_for() {
    let mut bare = held(AN_HOUR_OLD, Some(15));
    bare.spec.renewed = None;
    assert_eq!(starts(ElectionOptions::new(ME), AN_HOUR_OLD, bare), []);
    let options = ElectionOptions { trust_age: false, ..ElectionOptions::new(ME) };
    assert_eq!(starts(options, AN_HOUR_OLD, held(AN_HOUR_OLD, Some(15))), []);
}

#[test]
fn dates_of_another_version_say_nothing() {
    let mut newer = held(AN_HOUR_OLD, Some(15));
    newer.version = 6;
    assert_eq!(starts(ElectionOptions::new(ME), AN_HOUR_OLD, newer), []);
}
