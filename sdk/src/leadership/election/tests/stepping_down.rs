use super::*;

fn tired() -> EndReason {
    EndReason::SteppedDown { reason: "tired".to_owned() }
}

fn newest(candidate: &Candidate) -> Observation {
    candidate.election.newest().unwrap().clone()
}

/// It has led for a second, steps down, and its work has ended: the read before the release is on its way.
fn stepping_down() -> Candidate {
    let mut candidate = Candidate::that_leads();
    assert_eq!(candidate.at(101.0, Input::StepDown("tired".to_owned())), [Effect::Drain]);
    assert_eq!(candidate.at(102.0, WORK_ENDED), [Effect::End(tired())], "only after the work");
    assert_eq!(candidate.step(WORK_ENDED), [Effect::Read]);
    candidate
}

/// ... and has given the lock back, by version 12.
fn stepped_down() -> Candidate {
    let mut candidate = stepping_down();
    let put = put_of(&candidate.step(Input::Answered(newest(&candidate))));
    assert_eq!(put.spec.holder.as_deref(), Some(""));
    assert_eq!(candidate.step(Input::Answered(written(&put, 12))), [Effect::Released]);
    candidate
}

#[test]
fn a_leader_that_steps_down_renews_until_its_work_has_ended() {
    let mut candidate = Candidate::that_leads();
    candidate.at(101.0, Input::StepDown("tired".to_owned()));
    let put = put_of(&candidate.wake());
    assert!(matches!(candidate.step(Input::Answered(written(&put, 12)))[..], [Effect::Extend { .. }]));
    assert_eq!(candidate.step(Input::StepDown("again".to_owned())), [], "it does already");
}

#[test]
fn it_stands_again_after_a_pause_that_is_longer_than_the_lease_if_nobody_else_leads() {
    let mut candidate = stepped_down();
    assert!((candidate.wakes_at() - (102.0 + 15.0 + 2.0)).abs() < 1e-6, "{}", candidate.wakes_at());
    let put = put_of(&candidate.wake());
    assert!(matches!(candidate.step(Input::Answered(written(&put, 13)))[..], [Effect::Begin { token: 13, .. }]));
}

#[test]
fn it_respects_who_leads_after_it_and_stands_for_the_lock_as_ever() {
    let mut candidate = stepped_down();
    let mut taken = record(20, OTHER);
    taken.uid = "new".to_owned();
    assert_eq!(candidate.at(102.1, Input::Watched(Observation::Present(taken.clone()))), []);
    taken.version = 21;
    taken.spec.holder = Some(String::new());
    assert_eq!(candidate.at(103.0, Input::Watched(Observation::Present(taken))), [], "not yet");
    put_of(&candidate.wake());
    assert!((candidate.now - 119.0).abs() < 1e-6);
}

#[test]
fn a_drain_that_takes_too_long_ends_the_term_all_the_same() {
    let mut candidate = Candidate::that_leads();
    candidate.at(101.0, Input::StepDown("tired".to_owned()));
    assert_eq!(candidate.at(102.0, Input::DrainOverdue), [Effect::End(tired())]);
    assert_eq!(candidate.at(104.0, WORK_ENDED), [Effect::Read]);
}

#[test]
fn a_lock_that_may_not_be_given_back_is_left_to_expire_and_not_taken_again_before() {
    let mut candidate = Candidate::that_leads();
    candidate.at(101.0, Input::StepDown("tired".to_owned()));
    let unanswered = Some(moment(101.5));
    candidate.at(102.0, Input::WorkEnded { unanswered });
    assert_eq!(candidate.step(Input::WorkEnded { unanswered }), []);
    assert!(candidate.election.holds());
    assert!(candidate.wakes_at() >= 119.0 - 1e-6);
}

#[test]
fn a_release_that_nobody_answers_is_given_up_and_it_stands_again_later() {
    let mut candidate = stepping_down();
    while candidate.now < 112.0 {
        candidate.step(Input::Failed);
        candidate.wake();
    }
    let read = candidate.step(Input::Failed);
    assert_eq!(if read.is_empty() { candidate.wake() } else { read }, [Effect::Read]);
    assert_eq!(candidate.step(Input::Answered(newest(&candidate))), [], "it is left to expire");
    assert!((candidate.wakes_at() - 129.0).abs() < 1e-6, "{}", candidate.wakes_at());
}

#[test]
fn a_stop_meanwhile_is_one() {
    let mut candidate = Candidate::that_leads();
    candidate.at(101.0, Input::StepDown("tired".to_owned()));
    assert_eq!(candidate.step(Input::Stop), [], "it drains already");
    assert_eq!(candidate.at(102.0, WORK_ENDED), [Effect::End(EndReason::Stopped)]);

    let mut candidate = stepping_down();
    candidate.step(Input::Stop);
    let put = put_of(&candidate.step(Input::Answered(newest(&candidate))));
    assert_eq!(candidate.step(Input::Answered(written(&put, 12))), [Effect::Released, Effect::Stopped]);
}

#[test]
fn another_end_of_the_term_meanwhile_is_that_end() {
    let mut candidate = Candidate::that_leads();
    candidate.at(101.0, Input::StepDown("tired".to_owned()));
    let mut taken = record(20, OTHER);
    taken.uid = "new".to_owned();
    let effects = candidate.step(Input::Watched(Observation::Present(taken)));
    assert_eq!(ended(&effects), &EndReason::Lost { holder: OTHER.to_owned() });
    assert_eq!(candidate.step(WORK_ENDED), []);
    assert!(candidate.wakes_at() >= 118.0 - 1e-6);
}

#[test]
fn nobody_steps_down_from_nothing() {
    let (mut candidate, _) = Candidate::that_read(present(5, OTHER));
    assert_eq!(candidate.step(Input::StepDown("tired".to_owned())), []);
    let effects = candidate.at(101.0, Input::Watched(present(6, "")));
    put_of(&effects);
}
