use super::*;

#[test]
fn nothing_older_than_what_is_known_is_believed() {
    let (mut candidate, _) = Candidate::that_read(present(20, OTHER));
    assert_eq!(candidate.step(Input::Watched(present(19, ""))), [], "an old release");
    assert_eq!(candidate.step(Input::Watched(Observation::Absent { version: 18 })), []);
    assert_eq!(candidate.election.holder(), Some(OTHER));
}

#[test]
fn an_old_event_does_not_end_a_term() {
    let mut candidate = Candidate::that_leads();
    assert_eq!(candidate.step(Input::Watched(present(9, OTHER))), []);
    assert!(candidate.election.leads());
}

#[test]
fn an_own_renewal_that_the_watch_tells_of_before_its_answer_counts_once() {
    let mut candidate = Candidate::that_leads();
    let put = put_of(&candidate.wake());
    let effects = candidate.step(Input::Watched(written(&put, 12)));
    assert!(matches!(effects[..], [Effect::Extend { .. }]), "{effects:?}");
    assert_eq!(candidate.step(Input::Answered(written(&put, 12))), []);
}

#[test]
fn an_answer_older_than_a_newer_observation_counts_for_nothing() {
    let (mut candidate, effects) = Candidate::that_read(present(5, ""));
    let put = put_of(&effects);
    candidate.step(Input::Watched(present(8, OTHER)));
    assert_eq!(candidate.step(Input::Answered(written(&put, 6))), []);
    assert!(!candidate.election.leads());
    assert_eq!(candidate.election.holder(), Some(OTHER));
}

#[test]
fn an_own_write_followed_by_a_change_of_metadata_still_counts() {
    let (mut candidate, effects) = Candidate::that_read(present(5, ""));
    let put = put_of(&effects);
    candidate.at(100.5, Input::Silent);
    let effects = candidate.at(100.6, Input::Answered(written(&put, 9)));
    assert_eq!(effects, [Effect::Begin { valid_until: moment(110.0), token: 9 }]);
}

#[test]
fn a_given_up_write_that_lands_later_is_known_for_an_own_one() {
    let (mut candidate, effects) = Candidate::that_read(present(5, ""));
    let put = put_of(&effects);
    candidate.at(102.2, Input::Silent);
    let second = put_of(&candidate.at(102.3, Input::Answered(present(5, ""))));
    assert_ne!(second.spec.renewed, put.spec.renewed);
    let effects = candidate.at(102.4, Input::Watched(written(&put, 6)));
    assert_eq!(effects, [Effect::Begin { valid_until: moment(110.0), token: 6 }]);
    assert!(!candidate.election.awaits_answer(), "the second can't land any more");
    assert_eq!(candidate.at(102.5, Input::Conflict), [], "which is no news");
}

#[test]
fn of_endless_failures_only_the_newest_writes_are_remembered() {
    let tries = |landing: usize| {
        let (mut candidate, effects) = Candidate::that_read(present(5, ""));
        let mut puts = vec![put_of(&effects)];
        while puts.len() < 100 {
            candidate.step(Input::Failed);
            assert_eq!(candidate.wake(), [Effect::Read]);
            puts.push(put_of(&candidate.step(Input::Answered(present(5, "")))));
        }
        candidate.step(Input::Watched(written(&puts[landing], 6)));
        candidate.election.holds()
    };
    assert!(tries(99) && tries(50));
    assert!(!tries(0), "somebody else's, for all it knows");
}

#[test]
fn a_write_of_an_earlier_process_under_my_identity_is_not_taken_for_the_one_that_is_on_its_way() {
    let (mut candidate, effects) = Candidate::that_read(present(5, ""));
    let put = put_of(&effects);
    let mut twin = put.spec.clone();
    twin.renewed = Some(put.spec.renewed.unwrap().after(put.spec.renewed));
    let twin = Record { version: 6, uid: "uid".to_owned(), spec: twin };
    assert_eq!(candidate.step(Input::Watched(Observation::Present(twin))), []);
    assert!(!candidate.election.leads());
    assert_eq!(candidate.step(Input::Conflict), [Effect::Read]);
}

#[test]
fn a_vacant_lock_is_told_from_one_that_is_held() {
    let (candidate, _) = Candidate::that_read(present(5, OTHER));
    assert!(!candidate.election.is_vacant_for(Duration::ZERO, moment(101.0)));
    assert!(candidate.election.is_vacant_for(Duration::ZERO, moment(120.0)));
    let (candidate, _) = Candidate::that_read(Observation::Absent { version: 5 });
    assert!(!candidate.election.is_vacant_for(Duration::ZERO, moment(99.0)), "it was not known before");
    assert!(candidate.election.is_vacant_for(Duration::ZERO, moment(101.0)));
    assert!(!Candidate::that_leads().election.is_vacant_for(Duration::ZERO, moment(120.0)));
    assert!(!Candidate::new().election.is_vacant_for(Duration::ZERO, moment(120.0)), "nothing is known yet");
}

#[test]
fn how_long_a_foreign_holder_makes_others_wait_is_known() {
    let mut held = record(5, OTHER);
    held.spec.duration = Some(86_400);
    let (candidate, _) = Candidate::that_read(Observation::Present(held));
    assert_eq!(candidate.election.foreign_wait(), Some(Duration::from_secs(86_400)));
    assert_eq!(Candidate::that_leads().election.foreign_wait(), None);
    assert_eq!(Candidate::that_read(present(5, "")).0.election.foreign_wait(), None, "nobody holds it");
}
