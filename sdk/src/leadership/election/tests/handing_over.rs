use super::*;

/// Stopping, its work has ended, and the read before the release is on its way.
fn releasing() -> Candidate {
    let mut candidate = Candidate::that_leads();
    assert_eq!(candidate.at(101.0, Input::Stop), [Effect::Drain]);
    assert_eq!(candidate.at(102.0, WORK_ENDED), [Effect::End(EndReason::Stopped)], "released only after the work");
    assert_eq!(candidate.step(WORK_ENDED), [Effect::Read]);
    candidate
}

fn newest(candidate: &Candidate) -> Observation {
    candidate.election.newest().unwrap().clone()
}

#[test]
fn a_stop_releases_after_the_work_with_a_fresh_read_and_keeps_the_transitions() {
    let mut candidate = releasing();
    let put = put_of(&candidate.step(Input::Answered(newest(&candidate))));
    assert_eq!(put.base, Some((11, "new".to_owned())));
    assert_eq!((put.spec.holder.as_deref(), put.spec.duration), (Some(""), Some(1)));
    assert_eq!(put.spec.transitions, Some(0));
    let effects = candidate.step(Input::Answered(written(&put, 12)));
    assert_eq!(effects, [Effect::Released, Effect::Stopped]);
    assert_eq!(candidate.election.holder(), None);
    assert_eq!(candidate.election.wake_at(), None);
}

#[test]
fn while_the_work_drains_the_term_is_still_renewed() {
    let mut candidate = Candidate::that_leads();
    assert_eq!(candidate.at(101.0, Input::Stop), [Effect::Drain]);
    let put = put_of(&candidate.wake());
    let effects = candidate.step(Input::Answered(written(&put, 12)));
    assert!(matches!(effects[..], [Effect::Extend { .. }]), "{effects:?}");
}

#[test]
fn a_release_waits_for_the_renewal_that_is_on_its_way() {
    let mut candidate = Candidate::that_leads();
    let put = put_of(&candidate.wake());
    candidate.step(Input::Stop);
    assert_eq!(candidate.step(WORK_ENDED), []);
    let effects = candidate.step(Input::Answered(written(&put, 12)));
    assert!(matches!(effects[..], [Effect::Extend { .. }, Effect::End(EndReason::Stopped)]), "{effects:?}");
    assert_eq!(candidate.step(WORK_ENDED), [Effect::Read]);
}

#[test]
fn a_refused_release_is_tried_again_if_the_lock_is_still_of_this_term() {
    let mut candidate = releasing();
    put_of(&candidate.step(Input::Answered(newest(&candidate))));
    assert_eq!(candidate.step(Input::Conflict), [Effect::Read]);
    let Observation::Present(mut labelled) = newest(&candidate) else { panic!("no record") };
    labelled.version = 15;
    let put = put_of(&candidate.step(Input::Answered(Observation::Present(labelled))));
    assert_eq!(put.base, Some((15, "new".to_owned())));
}

#[test]
fn a_release_never_overwrites_another_holder() {
    let mut candidate = releasing();
    let mut taken = record(20, OTHER);
    taken.uid = "new".to_owned();
    assert_eq!(candidate.step(Input::Answered(Observation::Present(taken.clone()))), [Effect::Stopped]);

    let mut candidate = releasing();
    put_of(&candidate.step(Input::Answered(newest(&candidate))));
    candidate.step(Input::Conflict);
    assert_eq!(candidate.step(Input::Answered(Observation::Present(taken))), [Effect::Stopped]);
}

#[test]
fn a_release_never_overwrites_a_later_term_of_the_same_identity() {
    let mut candidate = releasing();
    let Observation::Present(mut twin) = newest(&candidate) else { panic!("no record") };
    twin.version = 20;
    twin.spec.acquired = Some(Stamp::from_micros(i64::MAX));
    assert_eq!(candidate.step(Input::Answered(Observation::Present(twin))), [Effect::Stopped]);
}

#[test]
fn a_release_that_finds_no_lock_is_done() {
    let mut candidate = releasing();
    assert_eq!(candidate.step(Input::Answered(Observation::Absent { version: 30 })), [Effect::Stopped]);
}

#[test]
fn a_release_that_nobody_answers_is_given_up_after_the_renew_deadline() {
    let mut candidate = releasing();
    let mut effects = Vec::new();
    for _ in 0..20 {
        candidate.step(Input::Failed);
        effects = candidate.wake();
        if effects.contains(&Effect::Stopped) {
            break;
        }
    }
    assert_eq!(effects, [Effect::Stopped]);
    assert!((candidate.now - 112.0).abs() < 1e-6, "{}", candidate.now);
}

#[test]
fn an_answer_after_the_release_was_given_up_changes_nothing_any_more() {
    let mut candidate = releasing();
    let put = put_of(&candidate.step(Input::Answered(newest(&candidate))));
    assert_eq!(candidate.at(112.0, Input::Answered(written(&put, 12))), [Effect::Stopped]);
    assert_eq!(candidate.step(Input::Watched(written(&put, 12))), []);
}

#[test]
fn a_standby_stops_at_once_and_writes_nothing() {
    let (mut candidate, _) = Candidate::that_read(present(5, OTHER));
    assert_eq!(candidate.step(Input::Stop), [Effect::Stopped]);
}

#[test]
fn a_standby_that_stops_with_a_takeover_in_flight_settles_it_and_gives_it_back() {
    let (mut candidate, effects) = Candidate::that_read(present(5, ""));
    let put = put_of(&effects);
    assert_eq!(candidate.step(Input::Stop), []);
    let effects = candidate.step(Input::Answered(written(&put, 6)));
    assert_eq!(effects, [Effect::Read], "no term begins");
    let release = put_of(&candidate.step(Input::Answered(written(&put, 6))));
    assert_eq!(release.spec.holder.as_deref(), Some(""));
}

#[test]
fn a_takeover_in_flight_whose_answer_is_lost_is_settled_by_a_read() {
    let (mut candidate, effects) = Candidate::that_read(present(5, ""));
    let put = put_of(&effects);
    candidate.step(Input::Stop);
    assert_eq!(candidate.step(Input::Silent), [Effect::Read]);
    let release = put_of(&candidate.step(Input::Answered(written(&put, 6))));
    assert_eq!(release.base, Some((6, "uid".to_owned())));
}

#[test]
fn a_term_that_runs_out_while_it_drains_is_given_back_once_its_work_has_ended() {
    let mut candidate = Candidate::that_leads();
    candidate.at(101.0, Input::Stop);
    put_of(&candidate.wake());
    candidate.step(Input::Failed);
    assert_eq!(ended(&candidate.at(110.0, Input::Woken)), &EndReason::Expired);
    candidate.at(110.1, Input::Failed);
    assert!(!candidate.at(113.0, Input::Woken).iter().any(|effect| matches!(effect, Effect::Put(_))), "work runs");
    candidate.at(113.1, Input::Answered(newest(&candidate)));
    assert_eq!(candidate.at(114.0, WORK_ENDED), [Effect::Read]);
    put_of(&candidate.step(Input::Answered(newest(&candidate))));
}

#[test]
fn without_release_on_stop_the_lock_is_left_to_expire() {
    let options = ElectionOptions { release_on_stop: false, ..ElectionOptions::new(ME) };
    let mut candidate = Candidate { election: Election::new(options), now: 100.0 };
    candidate.step(Input::Stand);
    let put = put_of(&candidate.step(Input::Answered(Observation::Absent { version: 1 })));
    candidate.step(Input::Answered(written(&put, 2)));
    candidate.step(Input::Stop);
    assert_eq!(candidate.step(WORK_ENDED), [Effect::End(EndReason::Stopped)]);
    assert_eq!(candidate.step(WORK_ENDED), [Effect::Stopped]);
}

#[test]
fn a_drain_that_takes_too_long_ends_the_term_and_the_lock_is_still_given_back_only_after_the_work() {
    let mut candidate = Candidate::that_leads();
    candidate.at(101.0, Input::Stop);
    assert_eq!(candidate.at(102.0, Input::DrainOverdue), [Effect::End(EndReason::Stopped)]);
    assert_eq!(candidate.at(103.0, Input::Woken), [], "not while work goes on");
    assert_eq!(candidate.at(104.0, WORK_ENDED), [Effect::Read]);
    let put = put_of(&candidate.step(Input::Answered(newest(&candidate))));
    assert_eq!(put.spec.holder.as_deref(), Some(""));
}

#[test]
fn a_lock_is_left_to_expire_when_a_write_of_its_work_may_still_land() {
    let mut candidate = Candidate::that_leads();
    candidate.at(101.0, Input::Stop);
    let unanswered = Some(moment(101.5));
    candidate.at(102.0, Input::WorkEnded { unanswered });
    assert_eq!(candidate.step(Input::WorkEnded { unanswered }), [Effect::Stopped]);
    assert!(candidate.election.holds());
}

#[test]
fn a_write_without_an_answer_counts_also_when_it_was_cut_off_by_the_end_or_by_an_earlier_term() {
    let mut candidate = Candidate::that_leads();
    candidate.at(101.0, Input::Stop);
    candidate.at(102.0, WORK_ENDED);
    assert_eq!(candidate.step(Input::WorkEnded { unanswered: Some(moment(102.0)) }), [Effect::Stopped]);

    let mut candidate = Candidate::that_leads();
    candidate.at(101.0, Input::Watched(Observation::Absent { version: 12 }));
    let put = put_of(&candidate.at(101.2, Input::WorkEnded { unanswered: Some(moment(101.1)) }));
    candidate.at(101.3, Input::Answered(written(&put, 13)));
    assert!(candidate.election.leads());
    candidate.at(102.0, Input::Stop);
    candidate.step(WORK_ENDED);
    assert_eq!(candidate.step(WORK_ENDED), [Effect::Stopped]);
}

#[test]
fn a_write_without_an_answer_is_forgotten_after_a_lease() {
    let mut candidate = Candidate::that_leads();
    candidate.at(101.0, Input::Stop);
    let unanswered = Some(moment(102.0) - LEASE);
    candidate.at(102.0, Input::WorkEnded { unanswered });
    assert_eq!(candidate.step(Input::WorkEnded { unanswered }), [Effect::Read], "it would have landed by now");
}

#[test]
fn a_drain_whose_end_is_heard_of_when_the_term_has_run_out_is_heard_of_once_more() {
    let mut candidate = Candidate::that_leads();
    candidate.at(101.0, Input::Stop);
    put_of(&candidate.wake());
    candidate.at(105.0, Input::Failed);
    let effects = candidate.at(110.0, WORK_ENDED);
    assert_eq!(effects, [Effect::End(EndReason::Expired), Effect::Read], "not a release yet");
    candidate.step(Input::Answered(newest(&candidate)));
    assert_eq!(candidate.step(Input::WorkEnded { unanswered: Some(moment(110.0)) }), [Effect::Stopped]);
}
