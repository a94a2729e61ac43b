use super::*;

/// A container of this pod that finds the pod's lock.
fn restarted(proven: bool) -> Game {
    let mut game = Game::new();
    assert_eq!(game.step(Input::Watching(true)), [Effect::Read]);
    let lock = game.lock_of("me");
    assert_eq!(game.answered(lock), []);
    assert_eq!(game.step(Input::Stand), []);
    assert!(!game.election.holds());
    let touch = game.touch();
    assert_eq!(game.step(Input::Bears { proven }), if proven { vec![touch] } else { Vec::new() });
    game
}

#[test]
fn a_container_that_is_started_again_leads_at_once_if_the_earlier_one_is_known_to_be_dead() {
    let mut game = restarted(true);
    assert_eq!(game.step(Input::Silent), [Effect::Read]);
    let touched = game.changed(|held| held.mark = Some(mark(0)));
    assert!(matches!(game.answered(touched)[..], [Effect::Begin { .. }]), "it knows its own write");
}

#[test]
fn a_deletion_that_the_earlier_container_has_sent_finds_another_version() {
    let mut game = restarted(true);
    assert!(!game.election.leads(), "not before the write is answered");
    assert_eq!(game.step(Input::Silent), [Effect::Read]);
    let same = game.changed(|held| held.version -= 1);
    let effects = game.answered(same);
    assert_eq!(effects, [game.touch()]);
    assert_eq!(game.step(Input::Conflict), [Effect::Read], "it landed");
    assert_eq!(game.answered(Lock::Absent), [Effect::ReadOwnPod]);
    assert_eq!(game.own_pod(pod("me", false)), [create()]);
}

#[test]
fn without_proof_it_waits_and_says_so() {
    let mut game = restarted(false);
    assert!(!game.election.leads() && !game.election.holds());
    assert_eq!(game.election.stall(RETRY, game.now), Some(Stall::Unproven));
    assert_eq!(game.after(LEASE), []);
    assert_eq!(game.step(Input::Stop), [Effect::Stopped], "it is not its own to give back");
}

#[test]
fn what_it_created_itself_needs_no_proof() {
    let mut game = restarted(false);
    assert_eq!(game.watched(Lock::Absent), [Effect::ReadOwnPod]);
    assert_eq!(game.own_pod(pod("me", false)), [create()]);
    let lock = game.created(0);
    assert!(matches!(game.answered(lock)[..], [Effect::Begin { .. }]));
}

#[test]
fn writes_of_the_earlier_container_may_land_for_a_while_and_hold_the_lock() {
    let mut game = restarted(true);
    let touched = game.changed(|held| held.mark = Some(mark(0)));
    assert!(matches!(game.answered(touched)[..], [Effect::Begin { .. }]));
    assert_eq!(game.step(Input::StepDown(String::new())), [Effect::Drain]);
    let ended = || Input::WorkEnded { unanswered: None };
    assert_eq!(game.step(ended()).len(), 1);
    assert_eq!(game.step(ended()), []);
    let delete = game.delete();
    assert_eq!(game.after(LEASE), [delete]);

    let mut game = restarted(true);
    assert_eq!(game.step(Input::Silent), [Effect::Read]);
    let same = game.changed(|held| held.version -= 1);
    assert_eq!(game.answered(same).len(), 1);
    assert_eq!(game.step(Input::Stop), [Effect::Stopped], "it is left to the pod");
}
