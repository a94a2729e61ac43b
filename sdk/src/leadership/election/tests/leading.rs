use super::*;

#[test]
fn a_term_is_renewed_after_a_third_of_the_deadline_without_a_read() {
    let mut candidate = Candidate::that_leads();
    assert!((candidate.wakes_at() - (100.0 + DEADLINE.as_secs_f64() / 3.0)).abs() < 1e-6);
    let put = put_of(&candidate.wake());
    assert_eq!(put.base, Some((11, "new".to_owned())));
    let sent = candidate.now;
    let effects = candidate.at(sent + 1.0, Input::Answered(written(&put, 12)));
    assert_eq!(effects, [Effect::Extend { valid_until: moment(sent) + DEADLINE }], "counted from the send");
    assert_eq!(candidate.election.slow_renewals(), 0);
}

#[test]
fn a_renewal_keeps_acquisition_transitions_and_foreign_fields_and_moves_the_renew_time() {
    let mut candidate = Candidate::that_leads();
    let Some(Observation::Present(before)) = candidate.election.newest().cloned() else { panic!("no record") };
    let put = put_of(&candidate.wake());
    assert_eq!((put.spec.acquired, put.spec.transitions), (before.spec.acquired, before.spec.transitions));
    assert_eq!(put.spec.foreign, before.spec.foreign);
    assert!(put.spec.renewed > before.spec.renewed);
}

#[test]
fn renew_times_grow_even_when_the_wall_clock_is_set_back() {
    let mut candidate = Candidate::that_leads();
    let Some(Observation::Present(before)) = candidate.election.newest().cloned() else { panic!("no record") };
    let now = Now { clock: moment(104.0), wall: Stamp::from_micros(5), chance: 0.5 };
    let put = put_of(&candidate.election.step(now, Input::Woken));
    assert_eq!(put.spec.renewed.unwrap().as_micros(), before.spec.renewed.unwrap().as_micros() + 1);
}

#[test]
fn a_term_ends_at_its_deadline_and_leaves_the_record_alone() {
    let mut candidate = Candidate::that_leads();
    put_of(&candidate.wake());
    candidate.at(105.5, Input::Failed);
    candidate.at(106.0, Input::Woken);
    assert!(candidate.election.leads());
    let effects = candidate.at(110.0, Input::Woken);
    assert_eq!(ended(&effects), &EndReason::Expired);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Put(_))));
}

#[test]
fn a_term_that_others_saw_run_out_ends_although_a_renewal_has_just_counted() {
    let mut candidate = Candidate::that_leads();
    let put = put_of(&candidate.wake());
    assert!(matches!(candidate.step(Input::Answered(written(&put, 12)))[..], [Effect::Extend { .. }]));
    assert_eq!(ended(&candidate.step(Input::RanOut)), &EndReason::Expired);
    assert_eq!(candidate.step(Input::RanOut), [], "it is over already");
}

#[test]
fn an_answer_that_comes_after_the_deadline_does_not_revive_the_term() {
    let mut candidate = Candidate::that_leads();
    let put = put_of(&candidate.wake());
    let effects = candidate.at(125.0, Input::Answered(written(&put, 12)));
    assert_eq!(effects, [Effect::End(EndReason::Expired)]);
    assert!(!candidate.election.leads());
}

#[test]
fn a_renewal_accepted_before_the_deadline_but_learnt_after_it_begins_a_new_term_once_the_work_has_ended() {
    let mut candidate = Candidate::that_leads();
    candidate.now = 109.0;
    let put = put_of(&candidate.step(Input::Woken));
    assert_eq!(ended(&candidate.at(110.5, Input::Woken)), &EndReason::Expired);
    assert_eq!(candidate.at(110.6, Input::Answered(written(&put, 12))), [], "the old work still runs");
    let next = put_of(&candidate.at(111.0, WORK_ENDED));
    assert!(next.spec.acquired > put.spec.acquired, "a new term, not the old one again");
    let effects = candidate.at(111.1, Input::Answered(written(&next, 13)));
    assert_eq!(effects, [Effect::Begin { valid_until: moment(121.0), token: 13 }]);
}

#[test]
fn three_silent_calls_fit_before_the_deadline() {
    let mut candidate = Candidate::that_leads();
    let timeout = ElectionOptions::new(ME).call_timeout().as_secs_f64();
    put_of(&candidate.wake());
    assert_eq!(candidate.at(candidate.now + timeout, Input::Silent), [Effect::Read]);
    assert_eq!(candidate.at(candidate.now + timeout, Input::Silent), [Effect::Read]);
    let effects = candidate.at(candidate.now + 0.01, Input::Answered(present_own(&candidate)));
    put_of(&effects);
    assert!(candidate.now < 110.0);
    assert!(candidate.election.slow_renewals() >= 1);
}

fn present_own(candidate: &Candidate) -> Observation {
    candidate.election.newest().unwrap().clone()
}

#[test]
fn a_silent_renewal_that_a_read_shows_counts_from_when_it_was_sent() {
    let mut candidate = Candidate::that_leads();
    let put = put_of(&candidate.wake());
    let sent = candidate.now;
    assert_eq!(candidate.at(sent + 2.3, Input::Silent), [Effect::Read]);
    let effects = candidate.at(sent + 2.4, Input::Answered(written(&put, 12)));
    assert_eq!(effects, [Effect::Extend { valid_until: moment(sent) + DEADLINE }]);
}

#[test]
fn a_silent_renewal_that_is_answered_late_makes_the_tries_after_it_needless() {
    for second_try in [false, true] {
        let mut candidate = Candidate::that_leads();
        let put = put_of(&candidate.wake());
        let sent = candidate.now;
        assert_eq!(candidate.at(sent + 2.3, Input::Silent), [Effect::Read]);
        if second_try {
            put_of(&candidate.at(sent + 2.4, Input::Answered(present_own(&candidate))));
        }
        let effects = candidate.at(sent + 3.0, Input::Watched(written(&put, 12)));
        assert_eq!(effects, [Effect::Extend { valid_until: moment(sent) + DEADLINE }]);
        assert!(!candidate.election.awaits_answer());
        let next = put_of(&candidate.wake());
        assert!((candidate.now - (sent + DEADLINE.as_secs_f64() / 3.0)).abs() < 1e-6, "when it is due, without a read");
        assert_eq!(next.base, Some((12, "new".to_owned())));
    }
}

#[test]
fn a_renewal_that_is_overdue_when_an_earlier_try_shows_is_sent_at_once() {
    let mut candidate = Candidate::that_leads();
    let first = put_of(&candidate.wake());
    let sent = candidate.now;
    candidate.at(sent + 2.3, Input::Silent);
    put_of(&candidate.at(sent + 2.4, Input::Answered(present_own(&candidate))));
    let effects = candidate.at(sent + 4.0, Input::Watched(written(&first, 12)));
    assert_eq!(put_of(&effects).base, Some((12, "new".to_owned())));
    assert!(candidate.election.awaits_answer());
}

#[test]
fn the_answer_to_a_renewal_that_the_watch_has_shown_is_still_waited_for() {
    let mut candidate = Candidate::that_leads();
    let put = put_of(&candidate.wake());
    assert!(matches!(candidate.step(Input::Watched(written(&put, 12)))[..], [Effect::Extend { .. }]));
    assert!(candidate.election.awaits_answer());
    assert_eq!(candidate.step(Input::Answered(written(&put, 12))), []);
    assert!(!candidate.election.awaits_answer());
}

#[test]
fn a_refused_renewal_whose_read_shows_an_own_write_is_tried_again_at_once() {
    let mut candidate = Candidate::that_leads();
    let first = put_of(&candidate.wake());
    let sent = candidate.now;
    candidate.at(sent + 2.2, Input::Silent);
    let second = put_of(&candidate.at(sent + 2.3, Input::Answered(present_own(&candidate))));
    assert_eq!(candidate.at(sent + 2.4, Input::Conflict), [Effect::Read]);
    let third = put_of(&candidate.at(sent + 3.4, Input::Answered(written(&first, 12))));
    assert!(third.spec.renewed > second.spec.renewed, "due at once: the one that counts is old");
}

#[test]
fn failures_are_paused_for_but_often_enough() {
    let mut candidate = Candidate::that_leads();
    put_of(&candidate.wake());
    let mut calls = 0;
    while candidate.election.leads() {
        candidate.step(Input::Failed);
        let effects = candidate.wake();
        calls += usize::from(effects.contains(&Effect::Read));
    }
    assert!((2..=5).contains(&calls), "{calls} calls before the deadline");
}

#[test]
fn another_holder_ends_the_term_at_once_whatever_tells_of_it() {
    for tell in [Input::Watched as fn(Observation) -> Input, Input::Answered] {
        let mut candidate = Candidate::that_leads();
        put_of(&candidate.wake());
        let mut taken = record(20, OTHER);
        taken.uid = "new".to_owned();
        let effects = candidate.step(tell(Observation::Present(taken)));
        assert_eq!(ended(&effects), &EndReason::Lost { holder: OTHER.to_owned() });
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Put(_))), "the record is left alone");
    }
}

#[test]
fn any_foreign_write_of_the_spec_ends_the_term() {
    let changes: [fn(&mut Spec); 4] = [
        |spec| spec.holder = Some(String::new()),
        |spec| spec.duration = Some(1),
        |spec| spec.renewed = Some(Stamp::from_micros(i64::MAX)),
        |spec| spec.foreign = "preferredHolder".to_owned(),
    ];
    for change in changes {
        let mut candidate = Candidate::that_leads();
        let Some(Observation::Present(mut record)) = candidate.election.newest().cloned() else { panic!("no record") };
        record.version = 20;
        change(&mut record.spec);
        let effects = candidate.step(Input::Watched(Observation::Present(record)));
        assert!(matches!(ended(&effects), EndReason::Lost { .. }), "{effects:?}");
    }
}

#[test]
fn a_change_of_metadata_does_not_end_the_term_and_the_next_renewal_uses_its_version() {
    let mut candidate = Candidate::that_leads();
    let Some(Observation::Present(mut labelled)) = candidate.election.newest().cloned() else { panic!("no record") };
    labelled.version = 20;
    assert_eq!(candidate.step(Input::Watched(Observation::Present(labelled))), []);
    assert_eq!(put_of(&candidate.wake()).base, Some((20, "new".to_owned())));
}

#[test]
fn after_a_loss_the_candidate_stands_again_when_that_record_has_run_out_and_its_work_has_ended() {
    let mut candidate = Candidate::that_leads();
    let mut taken = record(20, OTHER);
    taken.uid = "new".to_owned();
    candidate.at(101.0, Input::Watched(Observation::Present(taken)));
    assert_eq!(candidate.at(130.0, Input::Woken), [], "the work of the lost term still runs");
    let effects = candidate.at(131.0, WORK_ENDED);
    assert_eq!(put_of(&effects).base, Some((20, "new".to_owned())));
}

#[test]
fn a_deleted_lock_ends_the_term_and_is_created_again_as_soon_as_the_work_has_ended() {
    let mut candidate = Candidate::that_leads();
    let effects = candidate.at(101.0, Input::Watched(Observation::Absent { version: 12 }));
    assert_eq!(effects, [Effect::End(EndReason::Deleted)]);
    let put = put_of(&candidate.at(101.2, WORK_ENDED));
    assert_eq!((put.base.clone(), put.spec.transitions), (None, Some(0)));
    let effects = candidate.at(101.3, Input::Answered(written(&put, 13)));
    assert!(matches!(effects[..], [Effect::Begin { token: 13, .. }]), "{effects:?}");
}

#[test]
fn a_lock_learnt_to_be_deleted_after_the_term_had_run_out_is_left_alone_first() {
    let mut candidate = Candidate::that_leads();
    put_of(&candidate.wake());
    candidate.at(111.0, Input::Failed);
    candidate.step(WORK_ENDED);
    candidate.at(112.0, Input::Watched(Observation::Absent { version: 12 }));
    assert_eq!(candidate.wake(), [Effect::Read]);
    candidate.at(114.0, Input::Answered(Observation::Absent { version: 13 }));
    assert!(candidate.wakes_at() >= 127.0 - 1e-6, "{}", candidate.wakes_at());
}

#[test]
fn a_lock_that_became_another_object_ends_the_term() {
    let mut candidate = Candidate::that_leads();
    let effects = candidate.step(Input::Watched(present(20, OTHER)));
    assert_eq!(ended(&effects), &EndReason::Deleted);
}

#[test]
fn storms_of_failures_pass_and_the_same_candidate_leads_any_number_of_times() {
    let mut candidate = Candidate::that_leads();
    let mut version = 20;
    for _ in 0..50 {
        put_of(&candidate.wake());
        while candidate.election.leads() {
            candidate.step(Input::Failed);
            candidate.wake();
        }
        candidate.step(Input::Failed);
        candidate.step(WORK_ENDED);
        assert_eq!(candidate.wake(), [Effect::Read]);
        let effects = candidate.step(Input::Answered(present_own(&candidate)));
        // Such short terms are paused after.
        let put = put_of(&if effects.is_empty() { candidate.wake() } else { effects });
        version += 1;
        let effects = candidate.step(Input::Answered(written(&put, version)));
        assert!(matches!(effects[..], [Effect::Begin { .. }]), "{effects:?}");
    }
}
