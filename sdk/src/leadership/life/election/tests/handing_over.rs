use super::*;

fn worked() -> Input {
    Input::WorkEnded { unanswered: None }
}

fn stopped() -> Effect {
    Effect::End(EndReason::Stopped)
}

/// One that leads, was told to stop, and whose work has ended.
fn ended() -> Game {
    let mut game = Game::leading();
    assert_eq!(game.step(Input::Stop), [Effect::Drain]);
    assert_eq!(game.step(worked()), [stopped()]);
    game
}

#[test]
fn a_stop_deletes_the_lock_once_the_work_has_ended() {
    let mut game = Game::leading();
    assert_eq!(game.step(Input::Stop), [Effect::Drain]);
    assert_eq!(game.after(LEASE), [], "the work goes on, and so does the term");
    assert!(game.election.leads());
    assert_eq!(game.step(worked()), [stopped()]);
    let delete = game.delete();
    assert_eq!(game.step(worked()), [delete]);
    assert_eq!(game.step(Input::Deleted), [Effect::Released, Effect::Stopped]);
}

#[test]
fn work_that_takes_too_long_ends_with_the_term_and_holds_the_lock() {
    let mut game = Game::leading();
    assert_eq!(game.step(Input::Stop), [Effect::Drain]);
    assert_eq!(game.step(Input::DrainOverdue), [stopped()]);
    assert_eq!(game.after(LEASE), [], "it goes on");
    let delete = game.delete();
    assert_eq!(game.step(worked()), [delete]);
}

#[test]
fn a_write_without_an_answer_leaves_the_lock_to_the_pod() {
    let mut game = ended();
    let unanswered = Some(game.now);
    assert_eq!(game.step(Input::WorkEnded { unanswered }), [Effect::Stopped]);
    assert!(game.election.holds());
}

#[test]
fn told_to_keep_the_lock_it_does() {
    let mut game = Game::with(|options| options.timing.release_on_stop = false);
    game.stands();
    let lock = game.lock_of("me");
    let effects = game.answered(lock);
    game.takes_over(&effects);
    assert_eq!(game.step(Input::Stop), [Effect::Drain]);
    assert_eq!(game.step(worked()), [stopped()]);
    assert_eq!(game.step(worked()), [Effect::Stopped]);
}

#[test]
fn a_deletion_without_an_answer_is_settled_by_a_read() {
    let mut game = ended();
    assert_eq!(game.step(worked()).len(), 1);
    assert_eq!(game.step(Input::Silent), [Effect::Read]);
    let same = game.changed(|held| held.version -= 1);
    let Lock::Held(held) = &same else { panic!("not held") };
    let again = Effect::Delete { uid: held.uid.clone(), version: held.version };
    assert_eq!(game.answered(same), [again], "it may land, or not");
    assert_eq!(game.step(Input::Silent), [Effect::Read]);
    assert_eq!(game.answered(Lock::Absent), [Effect::Released, Effect::Stopped]);
}

#[test]
fn a_deletion_that_the_watch_shows_is_done() {
    let mut game = ended();
    assert_eq!(game.step(worked()).len(), 1);
    assert_eq!(game.watched(Lock::Absent), [Effect::Released]);
    assert_eq!(game.step(Input::Deleted), [Effect::Stopped]);
}

#[test]
fn a_lock_that_was_changed_meanwhile_is_deleted_as_it_is_now() {
    let mut game = ended();
    assert_eq!(game.step(worked()).len(), 1);
    assert_eq!(game.step(Input::Conflict), [Effect::Read]);
    let labelled = game.changed(|_| {});
    let effects = game.answered(labelled);
    assert_eq!(effects, [game.delete()]);
}

#[test]
fn the_lock_of_another_is_not_given_back() {
    let mut game = ended();
    assert_eq!(game.step(worked()).len(), 1);
    assert_eq!(game.step(Input::Conflict), [Effect::Read]);
    let next = game.lock_of("other");
    assert_eq!(game.answered(next), [Effect::Released, Effect::Stopped]);
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for_for_ever() {
    let mut game = ended();
    assert_eq!(game.step(worked()).len(), 1);
    let begun = game.now;
    let mut effects = game.step(Input::Silent);
    while !effects.contains(&Effect::Stopped) {
        assert!(game.now.since(begun) < LEASE, "{effects:?}");
        game.now = game.now + RETRY;
        effects = game.step(Input::Silent);
    }
}

#[test]
fn a_stop_before_it_led_settles_a_creation_first() {
    let mut game = Game::creating();
    assert_eq!(game.step(Input::Stop), []);
    let lock = game.created(0);
    let effects = game.answered(lock);
    assert_eq!(effects, [game.delete()], "nobody works for it");
    assert_eq!(game.step(Input::Deleted), [Effect::Released, Effect::Stopped]);

    let mut game = Game::creating();
    assert_eq!(game.step(Input::Stop), []);
    assert_eq!(game.step(Input::Silent), [Effect::Read]);
    assert_eq!(game.answered(Lock::Absent), [Effect::Stopped]);
}

#[test]
fn a_standby_stops_at_once() {
    assert_eq!(Game::standby().step(Input::Stop), [Effect::Stopped]);
    assert_eq!(Game::new().step(Input::Stop), [Effect::Stopped]);
}

#[test]
fn who_steps_down_gives_the_lock_back_whatever_is_said_of_stops_and_pauses() {
    let mut game = Game::with(|options| options.timing.release_on_stop = false);
    game.stands();
    assert_eq!(game.answered(Lock::Absent), [Effect::ReadOwnPod]);
    assert_eq!(game.own_pod(pod("me", false)), [create()]);
    let lock = game.created(0);
    assert_eq!(game.answered(lock).len(), 1);
    let reason = EndReason::SteppedDown { reason: "maintenance".to_owned() };
    assert_eq!(game.step(Input::StepDown("maintenance".to_owned())), [Effect::Drain]);
    assert_eq!(game.step(worked()), [Effect::End(reason)]);
    let delete = game.delete();
    assert_eq!(game.step(worked()), [delete]);
    assert_eq!(game.step(Input::Deleted), [Effect::Released]);
    assert_eq!(game.wake_after(), Some(LEASE + RETRY));
    assert_eq!(game.after(LEASE + RETRY), [create_again(1)]);
}

#[test]
fn a_write_that_may_land_is_waited_for_by_who_steps_down() {
    let mut game = Game::leading();
    assert_eq!(game.step(Input::StepDown(String::new())), [Effect::Drain]);
    assert_eq!(game.step(worked()).len(), 1);
    let unanswered = Some(game.now);
    assert_eq!(game.step(Input::WorkEnded { unanswered }), []);
    assert_eq!(game.wake_after(), Some(LEASE - LATER));
    let delete = game.delete();
    assert_eq!(game.after(LEASE), [delete]);
}

#[test]
fn a_lock_that_was_asked_to_be_deleted_is_never_led_by_again() {
    let mut game = Game::leading();
    assert_eq!(game.step(Input::StepDown(String::new())), [Effect::Drain]);
    assert_eq!(game.step(worked()).len(), 1);
    assert_eq!(game.step(worked()).len(), 1);
    assert_eq!(game.step(Input::Failed), []);
    assert_eq!(game.after(RETRY), [Effect::Read]);
    for _ in 0..20 {
        let same = game.changed(|_| {});
        let effects = game.answered(same);
        assert_eq!(effects, [game.delete()], "again and again");
        assert_eq!(game.step(Input::Silent), [Effect::Read]);
        game.now = game.now + LEASE;
    }
}
