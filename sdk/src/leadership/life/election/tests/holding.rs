use super::*;

fn end(reason: EndReason) -> Effect {
    Effect::End(reason)
}

fn worked() -> Input {
    Input::WorkEnded { unanswered: None }
}

#[test]
fn a_lock_that_goes_ends_the_term_and_the_pod_is_looked_for_before_another() {
    let mut game = Game::leading();
    assert_eq!(game.watched(Lock::Absent), [end(EndReason::Deleted)]);
    assert_eq!(game.step(Input::Woken), [], "its work goes on");
    assert_eq!(game.step(worked()), [Effect::ReadOwnPod]);
    assert_eq!(game.own_pod(None), [], "it was deleted by force");
}

#[test]
fn another_owner_ends_the_term() {
    let mut game = Game::leading();
    let lock = game.changed(|held| held.holder = Holder { name: "b-0".to_owned(), uid: "other".to_owned() });
    assert_eq!(game.watched(lock), [end(EndReason::Lost { holder: "b-0_other".to_owned() })]);
    assert_eq!(game.step(worked()), []);
}

#[test]
fn a_pod_of_the_same_name_is_another_owner() {
    let mut game = Game::leading();
    let lock = game.changed(|held| held.holder.uid = "other".to_owned());
    assert!(matches!(game.watched(lock)[..], [Effect::End(EndReason::Lost { .. })]));
}

#[test]
fn no_owner_at_all_ends_the_term() {
    let mut game = Game::leading();
    let lost = end(EndReason::Lost { holder: String::new() });
    assert_eq!(game.watched(Lock::Foreign(Foreign::Unowned)), [lost]);
    assert_eq!(game.step(worked()), [], "and it is nobody's to touch");
}

#[test]
fn a_lock_that_is_being_deleted_ends_the_term() {
    let mut game = Game::leading();
    let going = game.changed(|held| held.going = true);
    assert_eq!(game.watched(going), [end(EndReason::Deleted)]);
    assert_eq!(game.step(worked()), [], "it does not come back");
}

#[test]
fn another_lock_of_its_own_is_another_term() {
    let mut game = Game::leading();
    let next = game.lock_of("me");
    assert_eq!(game.watched(next), [end(EndReason::Deleted)]);
    let effects = game.step(worked());
    game.takes_over(&effects);
}

#[test]
fn labels_change_nothing() {
    let mut game = Game::leading();
    let labelled = game.changed(|_| {});
    assert_eq!(game.watched(labelled), []);
    let full = game.changed(|held| held.has_data = true);
    assert_eq!(game.watched(full), []);
    assert!(game.election.leads());
}

#[test]
fn a_server_that_is_silent_ends_nothing() {
    let mut game = Game::leading();
    game.after(LEASE);
    assert_eq!(game.step(Input::Watching(false)), [Effect::Read]);
    for _ in 0..1000 {
        assert_eq!(game.step(Input::Failed), []);
        assert_eq!(game.after(RETRY), [Effect::Read]);
        assert_eq!(game.step(Input::Silent), [Effect::Read]);
    }
    assert!(game.election.leads());
}

#[test]
fn short_terms_are_followed_by_pauses() {
    let mut game = Game::leading();
    for (terms, pause) in (1..).zip([Duration::ZERO, RETRY, RETRY * 2, RETRY * 4, LEASE, LEASE]) {
        assert_eq!(game.watched(Lock::Absent), [end(EndReason::Deleted)]);
        let ended = game.now;
        let mut asked = game.step(worked());
        if !pause.is_zero() {
            assert_eq!(asked, [], "{pause:?}");
            asked = game.after(game.wake_after().unwrap());
            assert_eq!(game.now.since(ended), pause + LATER);
        }
        assert_eq!(asked, [Effect::ReadOwnPod]);
        assert_eq!(game.own_pod(pod("me", false)), [create_again(terms)]);
        let lock = game.created(terms);
        assert!(matches!(game.answered(lock)[..], [Effect::Begin { .. }]));
    }
}

#[test]
fn a_runtime_that_is_blocked_leads_no_more_and_lets_others() {
    let mut game = Game::leading();
    assert_eq!(game.step(Input::Blocked(true)), [end(EndReason::Blocked)]);
    let delete = game.delete();
    assert_eq!(game.after(LEASE), [], "its work goes on");
    assert_eq!(game.step(worked()), [delete]);
    assert_eq!(game.step(Input::Deleted), [Effect::Released]);
    assert_eq!(game.after(LEASE), []);
    assert_eq!(game.step(Input::Blocked(false)), [create_again(1)]);
}

/// The newest lock, as another process has written it that takes itself for this pod's.
fn by_twin(game: &Game) -> Lock {
    game.changed(|held| held.mark = Some(Mark { process: "twin".to_owned(), term: 0 }))
}

#[test]
fn a_twin_of_the_same_name_and_uid_ends_the_term_and_has_the_lock() {
    let mut game = Game::leading();
    let lock = by_twin(&game);
    assert_eq!(game.watched(lock), [end(EndReason::Lost { holder: "me-0_me".to_owned() })]);
    assert_eq!(game.step(worked()), [], "the kernel does not know of it: it is not taken from it again");
    assert_eq!(game.after(LEASE * 1000), []);
    assert_eq!(game.election.stall(RETRY, game.now), Some(Stall::Twin));
    assert_eq!(game.watched(Lock::Absent), [Effect::ReadOwnPod]);
    assert_eq!(game.own_pod(pod("me", false)), [create_again(1)], "it has given it back");
    let lock = game.created(1);
    assert!(matches!(game.answered(lock)[..], [Effect::Begin { .. }]));
}

#[test]
fn the_lock_of_a_twin_is_not_deleted() {
    let mut game = Game::leading();
    assert_eq!(game.step(Input::Stop), [Effect::Drain]);
    assert_eq!(game.step(worked()), [end(EndReason::Stopped)]);
    let delete = game.delete();
    assert_eq!(game.step(worked()), [delete]);
    assert_eq!(game.step(Input::Conflict), [Effect::Read]);
    let lock = by_twin(&game);
    assert_eq!(game.answered(lock), [Effect::Stopped]);
}
