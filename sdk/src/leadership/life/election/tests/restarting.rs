use super::*;

/// A container of this pod that finds the pod's lock.
fn restarted(proven: bool) -> Game {
    let mut game = Game::new();
    assert_eq!(game.step(Input::Watching(true)), [Effect::Read]);
    let lock = game.lock_of("me");
    assert_eq!(game.answered(lock), []);
    assert_eq!(game.step(Input::Stand), []);
    assert!(!game.election.holds());
    let begins = game.step(Input::Bears { proven });
    assert_eq!(begins.len(), usize::from(proven));
    game
}

#[test]
fn a_container_that_is_started_again_leads_at_once_if_the_earlier_one_is_known_to_be_dead() {
    let game = restarted(true);
    assert!(game.election.leads());
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
    let lock = game.lock_of("me");
    assert!(matches!(game.answered(lock)[..], [Effect::Begin { .. }]));
}

#[test]
fn the_token_of_a_term_grows_although_the_lock_is_the_same() {
    let mut game = Game::new();
    game.stands();
    game.version = 100;
    let lock = game.lock_of("me");
    let Lock::Held(held) = &lock else { panic!("not held") };
    let older = Lock::Held(Held { version: 12, ..held.clone() });
    assert_eq!(game.answered(older), [Effect::Begin { token: 101 }], "the version of the list");
}
