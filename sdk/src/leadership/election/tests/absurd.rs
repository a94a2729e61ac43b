use super::*;

#[test]
fn a_duration_that_is_none_is_as_good_as_absent() {
    for duration in [Some(0), Some(-1), Some(i32::MIN), None] {
        let mut held = record(5, OTHER);
        held.spec.duration = duration;
        let (candidate, effects) = Candidate::that_read(Observation::Present(held));
        assert_eq!(effects, []);
        let mine = 100.0 + LEASE.as_secs_f64();
        assert!((mine..mine + 0.1).contains(&candidate.wakes_at()), "{duration:?}: {}", candidate.wakes_at());
    }
}

#[test]
fn a_huge_duration_is_waited_for_and_its_release_is_answered_at_once() {
    let mut held = record(5, OTHER);
    held.spec.duration = Some(i32::MAX);
    let (mut candidate, _) = Candidate::that_read(Observation::Present(held));
    assert!(candidate.wakes_at() >= f64::from(i32::MAX));
    put_of(&candidate.at(1e6, Input::Watched(present(6, ""))));
}

#[test]
fn times_in_the_future_and_before_time_change_nothing() {
    for stamp in [i64::MIN, -1, 0, i64::MAX] {
        let mut held = record(5, OTHER);
        held.spec.acquired = Some(Stamp::from_micros(stamp));
        held.spec.renewed = Some(Stamp::from_micros(stamp));
        let (mut candidate, effects) = Candidate::that_read(Observation::Present(held));
        assert_eq!(effects, []);
        let put = put_of(&candidate.wake());
        let written = Stamp::from_micros(1_000_000_000)..Stamp::from_micros(2_000_000_000);
        assert!(put.spec.renewed.is_some_and(|renewed| written.contains(&renewed)), "{:?}", put.spec);
    }
}

#[test]
fn transitions_do_not_overflow() {
    for (before, after) in [(Some(i32::MAX), i32::MAX), (Some(-5), -4), (None, 1)] {
        let mut free = record(5, "");
        free.spec.transitions = before;
        let (_, effects) = Candidate::that_read(Observation::Present(free));
        assert_eq!(put_of(&effects).spec.transitions, Some(after));
    }
}

#[test]
fn a_lock_that_becomes_a_coordinated_one_ends_the_term_and_is_left_alone_until_it_is_none_any_more() {
    let mut candidate = Candidate::that_leads();
    let effects = candidate.at(101.0, Input::Coordinated);
    assert_eq!(effects, [Effect::End(EndReason::Coordinated), Effect::Read]);
    for _ in 0..10 {
        assert_eq!(candidate.step(WORK_ENDED), []);
        assert_eq!(candidate.step(Input::Coordinated), []);
        assert_eq!(candidate.step(Input::Failed), [], "told why");
        assert_eq!(candidate.wake(), [Effect::Read], "and asks again after a pause");
    }
    let mut free = record(30, "");
    free.uid = "new".to_owned();
    put_of(&candidate.step(Input::Answered(Observation::Present(free))));
}

#[test]
fn a_takeover_that_meets_a_coordinated_lock_is_not_tried_again() {
    let (mut candidate, effects) = Candidate::that_read(present(5, ""));
    put_of(&effects);
    assert_eq!(candidate.step(Input::Coordinated), [], "it waits for its answer");
    assert_eq!(candidate.step(Input::Conflict), [Effect::Read]);
}
