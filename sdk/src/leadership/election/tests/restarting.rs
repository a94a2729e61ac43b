use super::*;

/// The only process that has this identity, which has read a record of an earlier container that led for so many seconds.
fn after_a_container_that_led_for(seconds: i64) -> (Candidate, Vec<Effect>) {
    let options = ElectionOptions { only_bearer: true, ..ElectionOptions::new(ME) };
    let mut candidate = Candidate { election: Election::new(options), now: 100.0 };
    candidate.step(Input::Stand);
    candidate.step(Input::Watching(true));
    let effects = candidate.step(Input::Answered(Observation::Present(earlier(5, seconds))));
    (candidate, effects)
}

fn earlier(version: u64, seconds: i64) -> Record {
    let mut earlier = record(version, ME);
    earlier.spec.acquired = Some(Stamp::from_micros(1_000_000));
    earlier.spec.renewed = Some(Stamp::from_micros((1 + seconds) * 1_000_000));
    earlier
}

#[test]
fn the_record_of_an_earlier_container_is_taken_at_once_as_a_new_term() {
    let (mut candidate, effects) = after_a_container_that_led_for(15);
    assert!(candidate.election.is_of_earlier_container());
    let put = put_of(&effects);
    assert_eq!(put.base, Some((5, "uid".to_owned())));
    assert_eq!(put.spec.transitions, Some(3), "the holder did not change");
    assert!(put.spec.acquired > earlier(5, 15).spec.acquired);
    assert!(matches!(candidate.step(Input::Answered(written(&put, 6)))[..], [Effect::Begin { token: 6, .. }]));
}

#[test]
fn a_container_that_died_young_does_not_get_it_back_at_once() {
    for seconds in [14, 0, -100] {
        let (candidate, effects) = after_a_container_that_led_for(seconds);
        assert_eq!(effects, []);
        assert!(candidate.wakes_at() >= 115.0);
    }
}

#[test]
fn a_last_renewal_of_the_earlier_container_that_lands_late_is_no_sign_of_life() {
    let (mut candidate, effects) = after_a_container_that_led_for(20);
    put_of(&effects);
    assert_eq!(candidate.step(Input::Conflict), [Effect::Read]);
    let again = put_of(&candidate.step(Input::Answered(Observation::Present(earlier(6, 21)))));
    assert_eq!(again.base, Some((6, "uid".to_owned())));
}

#[test]
fn once_this_process_has_led_its_identity_in_a_foreign_record_is_a_twins() {
    let (mut candidate, effects) = after_a_container_that_led_for(20);
    let put = put_of(&effects);
    candidate.step(Input::Answered(written(&put, 6)));
    let twin = Input::Watched(Observation::Present(earlier(7, 100)));
    assert_eq!(ended(&candidate.step(twin)), &EndReason::Lost { holder: ME.to_owned() });
    assert_eq!(candidate.step(WORK_ENDED), []);
    assert!(candidate.wakes_at() >= 115.0, "it may live elsewhere");
}

#[test]
fn a_record_of_another_pod_is_waited_for_as_ever() {
    let options = ElectionOptions { only_bearer: true, ..ElectionOptions::new(ME) };
    let mut candidate = Candidate { election: Election::new(options), now: 100.0 };
    candidate.step(Input::Stand);
    let mut other = earlier(5, 1000);
    other.spec.holder = Some(OTHER.to_owned());
    assert_eq!(candidate.step(Input::Answered(Observation::Present(other))), []);
}
