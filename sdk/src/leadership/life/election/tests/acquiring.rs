use super::*;

#[test]
fn a_free_lock_is_created_for_a_pod_that_is_there_and_begins_a_term() {
    let mut game = Game::leading();
    assert!(game.election.leads() && game.election.holds());
    assert_eq!(game.after(LEASE * 1000), [], "there is nothing to renew");
    assert_eq!(game.election.wake_at(), None);
}

#[test]
fn a_standby_asks_for_nothing_while_it_watches() {
    let mut game = Game::standby();
    assert_eq!(game.election.wake_at(), None);
    assert_eq!(game.after(LEASE * 1000), []);
    assert_eq!(game.election.follows().map(Holder::identity).as_deref(), Some("other-0_other"));
}

#[test]
fn a_lock_that_goes_is_followed_at_once() {
    let mut game = Game::standby();
    assert_eq!(game.watched(Lock::Absent), [Effect::ReadOwnPod]);
    assert_eq!(game.own_pod(pod("me", false)), [create()]);
    // Another was first.
    assert_eq!(game.step(Input::Conflict), [Effect::Read]);
    let lock = game.lock_of("third");
    assert_eq!(game.answered(lock), []);
    assert_eq!(game.watched(Lock::Absent), [create()], "it knows its pod by now");
}

#[test]
fn who_does_not_stand_takes_nothing() {
    let mut game = Game::new();
    assert_eq!(game.step(Input::Watching(true)), [Effect::Read]);
    assert_eq!(game.answered(Lock::Absent), []);
    assert_eq!(game.step(Input::Stand), [], "another process of the pod may stand");
    assert_eq!(game.step(Input::Bears { proven: true }), [Effect::ReadOwnPod]);
}

#[test]
fn the_uid_of_its_pod_is_asked_for_if_it_is_not_told() {
    let mut game = Game::with(|options| options.pod_uid = None);
    assert_eq!(game.step(Input::Watching(true)), [Effect::Read]);
    let lock = game.lock_of("other");
    assert_eq!(game.answered(lock), [Effect::ReadOwnPod]);
    assert_eq!(game.election.follows(), None, "the lock may be its own");
    assert_eq!(game.own_pod(pod("me", false)), []);
    assert_eq!(game.election.pod_uid(), Some("me"));
    assert!(game.election.follows().is_some());
}

#[test]
fn a_process_without_a_pod_takes_nothing_and_says_so() {
    for (pod, trouble) in [
        (None, OwnPodTrouble::Missing),
        (pod("another", false), OwnPodTrouble::Other),
        (pod("me", true), OwnPodTrouble::Dead),
    ] {
        let mut game = Game::new();
        game.stands();
        assert_eq!(game.answered(Lock::Absent), [Effect::ReadOwnPod]);
        assert_eq!(game.own_pod(pod), []);
        assert_eq!(game.election.stall(RETRY, game.now), Some(Stall::OwnPod(trouble)));
        assert_eq!(game.after(RETRY), [Effect::ReadOwnPod], "it may have been a wrong name that is put right");
    }
}

#[test]
fn the_lock_of_a_dead_pod_is_deleted_and_taken() {
    let mut game = Game::standby();
    assert_eq!(game.holder(pod("other", false)), []);
    let delete = game.delete();
    assert_eq!(game.holder(pod("other", true)), [delete]);
    assert_eq!(game.step(Input::Deleted), [Effect::Cleared, Effect::ReadOwnPod]);
    assert_eq!(game.own_pod(pod("me", false)), [create()]);
    assert_eq!(game.watched(Lock::Absent), []);
    let lock = game.created(0);
    assert!(matches!(game.answered(lock)[..], [Effect::Begin { .. }]));
}

#[test]
fn the_lock_of_a_pod_that_is_gone_is_the_garbage_collectors() {
    for pod in [None, pod("of the same name", false), pod("of the same name", true)] {
        let mut game = Game::standby();
        assert_eq!(game.holder(pod), []);
        assert_eq!(game.election.stall(RETRY, game.now), None, "it takes a moment");
        assert_eq!(game.after(RETRY), []);
        assert_eq!(game.election.stall(RETRY, game.now), Some(Stall::HolderGone));
    }
}

#[test]
fn an_older_state_of_a_pod_says_nothing() {
    let mut game = Game::standby();
    game.version += 10;
    assert_eq!(game.holder(pod("other", false)), []);
    let late = PodSeen { version: 3, pod: pod("other", true) };
    assert_eq!(game.step(Input::Holder(late)), []);
}

#[test]
fn what_was_known_of_one_holder_is_not_said_of_the_next() {
    let mut game = Game::standby();
    let delete = game.delete();
    assert_eq!(game.holder(pod("other", true)), [delete]);
    assert_eq!(game.step(Input::Conflict), [Effect::Read]);
    let lock = game.lock_of("next");
    assert_eq!(game.answered(lock), []);
    assert_eq!(game.election.follows().map(|holder| holder.uid.as_str()), Some("next"));
}

#[test]
fn what_is_no_lock_is_not_touched() {
    for foreign in [Foreign::Data, Foreign::Unowned, Foreign::OtherOwner] {
        let mut game = Game::new();
        game.stands();
        assert_eq!(game.answered(Lock::Foreign(foreign)), []);
        assert_eq!(game.election.stall(RETRY, game.now), Some(Stall::Foreign(foreign)));
        assert_eq!(game.after(LEASE * 1000), []);
        assert_eq!(game.watched(Lock::Absent), [Effect::ReadOwnPod]);
    }
}

#[test]
fn data_that_a_dead_pod_owns_is_not_touched() {
    let mut game = Game::standby();
    let full = game.changed(|held| held.has_data = true);
    assert_eq!(game.watched(full), []);
    assert_eq!(game.holder(pod("other", true)), []);
    assert_eq!(game.election.stall(RETRY, game.now), Some(Stall::Foreign(Foreign::Data)));
}

#[test]
fn data_that_its_own_pod_owns_is_not_touched() {
    let mut game = Game::new();
    game.stands();
    let Lock::Held(held) = game.lock_of("me") else { panic!("not held") };
    assert_eq!(game.answered(Lock::Held(Held { has_data: true, ..held })), []);
    assert_eq!(game.election.stall(RETRY, game.now), Some(Stall::Foreign(Foreign::Data)));
    assert_eq!(game.step(Input::Stop), [Effect::Stopped]);
}

#[test]
fn an_object_that_a_finalizer_keeps_is_waited_for() {
    let mut game = Game::standby();
    let delete = game.delete();
    assert_eq!(game.holder(pod("other", true)), [delete]);
    assert_eq!(game.step(Input::Deleted), [Effect::Cleared, Effect::ReadOwnPod]);
    let going = game.changed(|held| held.going = true);
    assert_eq!(game.watched(going), []);
    assert_eq!(game.own_pod(pod("me", false)), []);
    assert_eq!(game.watched(Lock::Absent), [create()]);
}

#[test]
fn a_creation_without_an_answer_is_settled_by_a_read() {
    let mut game = Game::creating();
    assert_eq!(game.step(Input::Silent), [Effect::Read]);
    let lock = game.created(0);
    assert!(matches!(game.answered(lock)[..], [Effect::Begin { .. }]), "it knows its own write");
}

#[test]
fn a_creation_that_lands_late_begins_a_term_all_the_same() {
    let mut game = Game::creating();
    assert_eq!(game.step(Input::Silent), [Effect::Read]);
    assert_eq!(game.answered(Lock::Absent), [create()], "tried again");
    let first = game.created(0);
    assert!(matches!(game.watched(first)[..], [Effect::Begin { .. }]));
    assert_eq!(game.step(Input::Conflict), [Effect::Read], "the second meets the first");
    let same = game.changed(|held| held.version -= 1);
    assert_eq!(game.answered(same), []);
    assert!(game.election.leads());
}

#[test]
fn a_failure_is_followed_by_a_pause_and_a_read() {
    let mut game = Game::creating();
    assert_eq!(game.step(Input::Failed), []);
    assert_eq!(game.wake_after(), Some(RETRY));
    assert_eq!(game.after(RETRY), [Effect::Read]);
}

#[test]
fn a_lock_that_is_refused_and_not_there_is_not_asked_for_without_a_pause() {
    let mut game = Game::creating();
    assert_eq!(game.step(Input::Conflict), [Effect::Read]);
    assert_eq!(game.answered(Lock::Absent), [create()], "it came and went");
    assert_eq!(game.step(Input::Conflict), [Effect::Read]);
    assert_eq!(game.answered(Lock::Absent), []);
    assert_eq!(game.after(RETRY), [create()]);
}

#[test]
fn without_a_watch_it_reads() {
    let mut game = Game::standby();
    game.after(LEASE);
    assert_eq!(game.step(Input::Watching(false)), [Effect::Read]);
    let same = game.changed(|_| {});
    assert_eq!(game.answered(same), []);
    assert_eq!(game.wake_after(), Some(RETRY));
    assert_eq!(game.after(RETRY), [Effect::Read]);
}

#[test]
fn an_older_state_is_dropped() {
    let mut game = Game::standby();
    let late = Seen { version: 3, lock: Lock::Absent };
    assert_eq!(game.step(Input::Watched(late)), []);
    assert!(game.election.held().is_some());
}
