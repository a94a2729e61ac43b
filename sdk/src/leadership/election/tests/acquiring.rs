use super::*;

#[test]
fn an_absent_lock_is_created_at_once_with_no_transitions() {
    let (mut candidate, effects) = Candidate::that_read(Observation::Absent { version: 10 });
    let put = put_of(&effects);
    assert_eq!(put.base, None);
    assert_eq!(put.spec.holder.as_deref(), Some(ME));
    assert_eq!((put.spec.duration, put.spec.transitions), (Some(15), Some(0)));
    assert_eq!(put.spec.acquired, put.spec.renewed);
    let effects = candidate.step(Input::Answered(written(&put, 11)));
    assert_eq!(effects, [Effect::Begin { valid_until: moment(110.0), token: 11 }]);
    assert_eq!(candidate.election.holder(), Some(ME));
}

#[test]
fn a_lease_with_an_empty_spec_is_free_and_counts_as_a_transition() {
    let bare = Record { version: 5, uid: "uid".to_owned(), spec: Spec::default() };
    let (_, effects) = Candidate::that_read(Observation::Present(bare));
    let put = put_of(&effects);
    assert_eq!(put.base, Some((5, "uid".to_owned())));
    assert_eq!(put.spec.transitions, Some(1));
}

#[test]
fn a_released_lock_is_taken_at_once_whatever_its_times_say() {
    let (_, effects) = Candidate::that_read(present(5, ""));
    assert_eq!(put_of(&effects).spec.transitions, Some(4));
}

#[test]
fn a_held_lock_is_only_watched() {
    let (mut candidate, effects) = Candidate::that_read(present(5, OTHER));
    assert_eq!(effects, []);
    assert_eq!(candidate.election.holder(), Some(OTHER));
    assert_eq!(candidate.at(114.9, Input::Woken), []);
}

#[test]
fn a_lock_held_by_another_is_taken_when_its_own_duration_has_passed_since_it_was_first_seen() {
    let mut held = record(5, OTHER);
    held.spec.duration = Some(3);
    let (mut candidate, _) = Candidate::that_read(Observation::Present(held));
    let wakes = candidate.wakes_at();
    assert!((103.0..103.1).contains(&wakes), "woken at {wakes}");
    let put = put_of(&candidate.wake());
    assert_eq!(put.base, Some((5, "uid".to_owned())), "no read before it");
    assert_eq!((put.spec.duration, put.spec.transitions), (Some(15), Some(4)));
}

#[test]
fn a_record_without_a_duration_is_waited_for_as_long_as_my_own() {
    let mut held = record(5, OTHER);
    held.spec.duration = None;
    let (candidate, _) = Candidate::that_read(Observation::Present(held));
    assert!((100.0 + LEASE.as_secs_f64()..100.1 + LEASE.as_secs_f64()).contains(&candidate.wakes_at()));
}

#[test]
fn every_renewal_of_the_holder_starts_the_wait_again() {
    let (mut candidate, _) = Candidate::that_read(present(5, OTHER));
    assert_eq!(candidate.at(112.0, Input::Watched(present(6, OTHER))), []);
    assert!(candidate.wakes_at() >= 127.0);
}

#[test]
fn a_change_of_metadata_does_not_start_the_wait_again_and_its_version_is_used() {
    let (mut candidate, _) = Candidate::that_read(present(5, OTHER));
    let mut labelled = record(5, OTHER);
    labelled.version = 9;
    candidate.at(110.0, Input::Watched(Observation::Present(labelled)));
    assert!(candidate.wakes_at() < 115.2);
    assert_eq!(put_of(&candidate.wake()).base, Some((9, "uid".to_owned())));
}

#[test]
fn an_expiry_is_jittered_and_a_release_is_not() {
    let takeovers: Vec<f64> = (0..20)
        .map(|twentieth| {
            let mut election = Election::new(ElectionOptions::new(ME));
            let now = Now { clock: moment(1.0), wall: Stamp::from_micros(0), chance: f64::from(twentieth) / 20.0 };
            election.step(now, Input::Stand);
            election.step(now, Input::Watching(true));
            election.step(now, Input::Answered(present(5, OTHER)));
            election.wake_at().unwrap().since(moment(16.0)).as_secs_f64()
        })
        .collect();
    assert!(takeovers.iter().all(|late| *late <= JITTER.as_secs_f64()));
    assert!(takeovers.iter().any(|late| (late - takeovers[0]).abs() > 0.001), "all at one instant: {takeovers:?}");

    let (mut candidate, _) = Candidate::that_read(present(5, OTHER));
    let effects = candidate.at(101.0, Input::Watched(present(6, "")));
    assert_eq!(put_of(&effects).base, Some((6, "uid".to_owned())));
}

#[test]
fn a_refused_takeover_that_lost_the_race_waits_with_a_new_clock() {
    let (mut candidate, effects) = Candidate::that_read(present(5, ""));
    put_of(&effects);
    assert_eq!(candidate.at(100.1, Input::Conflict), [Effect::Read]);
    assert_eq!(candidate.at(100.2, Input::Answered(present(6, OTHER))), []);
    assert!(candidate.wakes_at() >= 115.2);
}

#[test]
fn a_refused_takeover_where_only_metadata_changed_is_tried_again_at_once() {
    let (mut candidate, _) = Candidate::that_read(present(5, OTHER));
    put_of(&candidate.wake());
    assert_eq!(candidate.step(Input::Conflict), [Effect::Read]);
    let mut labelled = record(5, OTHER);
    labelled.version = 8;
    let effects = candidate.step(Input::Answered(Observation::Present(labelled)));
    assert_eq!(put_of(&effects).base, Some((8, "uid".to_owned())));
}

#[test]
fn a_refusal_that_no_change_explains_is_a_failure_and_waits() {
    let (mut candidate, _) = Candidate::that_read(present(5, ""));
    assert_eq!(candidate.step(Input::Conflict), [Effect::Read]);
    assert_eq!(candidate.step(Input::Answered(present(5, ""))), [], "no hot loop");
    assert!(candidate.wakes_at() >= 102.0);
    put_of(&candidate.wake());
}

#[test]
fn a_lost_race_of_two_creations_respects_the_winner() {
    let (mut candidate, effects) = Candidate::that_read(Observation::Absent { version: 10 });
    put_of(&effects);
    assert_eq!(candidate.step(Input::Conflict), [Effect::Read]);
    assert_eq!(candidate.step(Input::Answered(present(11, OTHER))), []);
    assert!(!candidate.election.leads());
}

#[test]
fn nobody_stands_before_the_replica_can_lead() {
    let mut election = Election::new(ElectionOptions::new(ME));
    let now = Now { clock: moment(1.0), wall: Stamp::from_micros(0), chance: 0.5 };
    assert_eq!(election.step(now, Input::Woken), [Effect::Read]);
    election.step(now, Input::Watching(true));
    assert_eq!(election.step(now, Input::Answered(Observation::Absent { version: 1 })), []);
    assert_eq!(election.wake_at(), None, "a warm standby asks for nothing");
    put_of(&election.step(now, Input::Stand));
}

#[test]
fn while_no_watch_is_open_the_lock_is_read_every_retry_period() {
    let (mut candidate, _) = Candidate::that_read(present(5, OTHER));
    candidate.step(Input::Watching(false));
    assert!((candidate.wakes_at() - 102.0).abs() < 1e-6);
    assert_eq!(candidate.wake(), [Effect::Read]);
    candidate.step(Input::Answered(present(5, OTHER)));
    candidate.step(Input::Watching(true));
    assert!(candidate.wakes_at() > 114.0, "and not once it is open again");
}

#[test]
fn a_failed_read_is_tried_again_after_a_jittered_pause() {
    let mut candidate = Candidate::new();
    assert_eq!(candidate.step(Input::Failed), []);
    assert!((102.0..=102.4).contains(&candidate.wakes_at()), "{}", candidate.wakes_at());
    assert_eq!(candidate.wake(), [Effect::Read]);
}

#[test]
fn an_acquisition_without_an_answer_that_a_read_shows_counts_from_when_it_was_sent() {
    let (mut candidate, effects) = Candidate::that_read(Observation::Absent { version: 10 });
    let put = put_of(&effects);
    assert_eq!(candidate.at(102.2, Input::Silent), [Effect::Read]);
    let effects = candidate.at(102.3, Input::Answered(written(&put, 12)));
    assert_eq!(effects, [Effect::Begin { valid_until: moment(110.0), token: 12 }]);
}

#[test]
fn an_acquisition_that_shows_too_late_begins_no_term_and_is_written_anew() {
    let (mut candidate, effects) = Candidate::that_read(Observation::Absent { version: 10 });
    let put = put_of(&effects);
    candidate.at(102.2, Input::Silent);
    let effects = candidate.at(110.5, Input::Answered(written(&put, 12)));
    assert!(!candidate.election.leads());
    let again = put_of(&effects);
    assert_eq!(again.base, Some((12, "new".to_owned())));
    assert!(again.spec.acquired > put.spec.acquired);
    assert_eq!(again.spec.transitions, Some(0), "the holder did not change");
}

#[test]
fn a_creation_counts_only_if_no_other_record_was_learnt_since() {
    let (mut candidate, effects) = Candidate::that_read(Observation::Absent { version: 10 });
    let put = put_of(&effects);
    candidate.at(100.1, Input::Watched(present(11, OTHER)));
    candidate.at(100.2, Input::Watched(Observation::Absent { version: 12 }));
    let effects = candidate.at(100.3, Input::Answered(written(&put, 13)));
    assert_eq!(effects, [], "the other one may still believe in its own term");
    assert!(candidate.wakes_at() >= 115.0);
}

#[test]
fn my_own_identity_in_a_record_that_i_did_not_write_is_somebody_else() {
    let (candidate, effects) = Candidate::that_read(present(5, ME));
    assert_eq!(effects, []);
    assert!(candidate.wakes_at() >= 115.0);
}

#[test]
fn a_lock_that_disappears_is_left_alone_for_as_long_as_its_holder_may_believe_in_it() {
    let mut held = record(5, OTHER);
    held.spec.duration = Some(40);
    let (mut candidate, _) = Candidate::that_read(Observation::Present(held));
    assert_eq!(candidate.at(101.0, Input::Watched(Observation::Absent { version: 6 })), []);
    assert!((candidate.wakes_at() - 141.0).abs() < 1e-6);
    assert_eq!(candidate.at(120.0, Input::Answered(Observation::Absent { version: 9 })), []);
    assert!((candidate.wakes_at() - 141.0).abs() < 1e-6, "seeing it absent again does not start anew");
    assert_eq!(put_of(&candidate.wake()).base, None);
}

#[test]
fn a_shorter_lease_that_disappears_too_does_not_take_back_what_an_earlier_one_was_promised() {
    let mut held = record(5, OTHER);
    held.spec.duration = Some(40);
    let (mut candidate, _) = Candidate::that_read(Observation::Present(held));
    candidate.at(101.0, Input::Watched(Observation::Absent { version: 6 }));
    let mut again = record(7, "third");
    again.uid = "another".to_owned();
    candidate.at(102.0, Input::Watched(Observation::Present(again)));
    candidate.at(103.0, Input::Watched(Observation::Absent { version: 8 }));
    assert!((candidate.wakes_at() - 141.0).abs() < 1e-6, "{}", candidate.wakes_at());
}

/// Found by the model.
#[test]
fn a_lock_created_again_and_released_does_not_take_back_what_its_holder_before_was_promised() {
    let (mut candidate, _) = Candidate::that_read(present(5, OTHER));
    let mut again = record(7, "");
    again.uid = "another".to_owned();
    assert_eq!(candidate.at(101.0, Input::Watched(Observation::Present(again))), []);
    assert!((candidate.wakes_at() - 116.0).abs() < 1e-6, "{}", candidate.wakes_at());
}

/// Found by the model: the watch had begun with a read of its own.
#[test]
fn a_holder_shown_by_an_answer_that_the_end_of_its_lock_has_overtaken_is_waited_for() {
    let mut candidate = Candidate::new();
    candidate.step(Input::Watched(Observation::Absent { version: 9 }));
    assert_eq!(candidate.at(101.0, Input::Answered(present(8, OTHER))), []);
    assert!((candidate.wakes_at() - 116.0).abs() < 1e-6, "{}", candidate.wakes_at());
    assert_eq!(put_of(&candidate.wake()).base, None);

    let mut candidate = Candidate::new();
    candidate.step(Input::Watched(Observation::Absent { version: 9 }));
    put_of(&candidate.step(Input::Answered(present(8, ""))));
}

/// Found by the model.
#[test]
fn a_try_from_before_such_a_holder_was_shown_begins_no_term() {
    let (mut candidate, effects) = Candidate::that_read(Observation::Absent { version: 5 });
    let put = put_of(&effects);
    assert_eq!(candidate.at(102.2, Input::Silent), [Effect::Read]);
    candidate.step(Input::Watched(Observation::Absent { version: 9 }));
    candidate.step(Input::Answered(present(8, OTHER)));
    assert_eq!(candidate.step(Input::Watched(written(&put, 10))), []);
    assert!((candidate.wakes_at() - 117.3).abs() < 0.1, "{}", candidate.wakes_at());
}

/// Found by the model: my own first try landed after the lock of another was deleted.
#[test]
fn a_holder_of_an_object_before_mine_is_waited_for_too() {
    let (mut candidate, effects) = Candidate::that_read(Observation::Absent { version: 5 });
    let put = put_of(&effects);
    assert_eq!(candidate.at(110.0, Input::Silent), [Effect::Read]);
    assert_eq!(candidate.step(Input::Watched(written(&put, 8))), [], "it counts from when it was sent");
    assert_eq!(candidate.at(111.0, Input::Answered(present(6, OTHER))), []);
    assert!((candidate.wakes_at() - 126.0).abs() < 1e-6, "{}", candidate.wakes_at());
}

#[test]
fn a_lock_created_again_by_somebody_else_is_a_first_sighting() {
    let (mut candidate, _) = Candidate::that_read(present(5, OTHER));
    let mut again = record(9, "third");
    again.uid = "another".to_owned();
    assert_eq!(candidate.at(110.0, Input::Watched(Observation::Present(again))), []);
    assert!(candidate.wakes_at() >= 125.0);
}
