//! The rules row by row. Nothing here reads a clock or runs a task.

mod acquiring;
mod handing_over;
mod holding;
mod restarting;

use std::time::Duration;

use super::*;
use crate::leadership::election::ElectionOptions;

const LEASE: Duration = Duration::from_secs(15);
const RETRY: Duration = Duration::from_secs(2);
const LATER: Duration = Duration::from_millis(1);

/// An election, and what the API server would say.
struct Game {
    election: LifeElection,
    now: Moment,
    version: u64,
    locks: u64,
}

fn pod(uid: &str, dead: bool) -> Option<Pod> {
    Some(Pod { uid: uid.to_owned(), dead })
}

fn mark(term: u64) -> Mark {
    Mark { process: "this".to_owned(), term }
}

fn create() -> Effect {
    create_again(0)
}

/// After so many terms.
fn create_again(terms: u64) -> Effect {
    Effect::Create { owner: "me".to_owned(), mark: mark(terms) }
}

impl Game {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut LifeOptions)) -> Self {
        let timing = ElectionOptions::new("a-0_me");
        let mut options =
            LifeOptions { pod: "a-0".to_owned(), pod_uid: Some("me".to_owned()), process: "this".to_owned(), timing };
        change(&mut options);
        Self { election: LifeElection::new(options), now: Moment::new(LEASE), version: 10, locks: 0 }
    }

    /// One that stands for a lock that is free, and has asked for it to be created.
    fn creating() -> Self {
        let mut game = Self::new();
        game.stands();
        assert_eq!(game.answered(Lock::Absent), [Effect::ReadOwnPod]);
        assert_eq!(game.own_pod(pod("me", false)), [create()]);
        game
    }

    /// One that leads by a lock that it has created.
    fn leading() -> Self {
        let mut game = Self::creating();
        let lock = game.created(0);
        assert_eq!(game.answered(lock), [Effect::Begin { token: 13 }]);
        game
    }

    /// One that stands by while another pod holds the lock.
    fn standby() -> Self {
        let mut game = Self::new();
        game.stands();
        let lock = game.lock_of("other");
        assert_eq!(game.answered(lock), []);
        game
    }

    fn stands(&mut self) {
        assert_eq!(self.step(Input::Watching(true)), [Effect::Read]);
        assert_eq!(self.step(Input::Bears { proven: true }), []);
        assert_eq!(self.step(Input::Stand), []);
    }

    fn step(&mut self, input: Input) -> Vec<Effect> {
        self.now = self.now + LATER;
        self.election.step(Now { clock: self.now, chance: 0.0 }, input)
    }

    fn after(&mut self, wait: Duration) -> Vec<Effect> {
        self.now = self.now + wait;
        self.step(Input::Woken)
    }

    fn seen(&mut self, lock: Lock) -> Seen {
        self.version += 1;
        Seen { version: self.version, lock }
    }

    fn answered(&mut self, lock: Lock) -> Vec<Effect> {
        let seen = self.seen(lock);
        self.step(Input::Answered(seen))
    }

    fn watched(&mut self, lock: Lock) -> Vec<Effect> {
        let seen = self.seen(lock);
        self.step(Input::Watched(seen))
    }

    fn own_pod(&mut self, pod: Option<Pod>) -> Vec<Effect> {
        self.version += 1;
        self.step(Input::OwnPod(PodSeen { version: self.version, pod }))
    }

    fn holder(&mut self, pod: Option<Pod>) -> Vec<Effect> {
        self.version += 1;
        self.step(Input::Holder(PodSeen { version: self.version, pod }))
    }

    /// A new lock of the pod with this uid.
    fn lock_of(&mut self, pod: &str) -> Lock {
        self.locks += 1;
        let holder = Holder { name: format!("{pod}-0"), uid: pod.to_owned() };
        let uid = format!("lock-{}", self.locks);
        Lock::Held(Held {
            version: self.version + 1,
            uid,
            holder,
            mark: None,
            created: None,
            going: false,
            has_data: false,
        })
    }

    /// A new lock that this process has created after so many terms.
    fn created(&mut self, terms: u64) -> Lock {
        let Lock::Held(held) = self.lock_of("me") else { panic!("not held") };
        Lock::Held(Held { mark: Some(mark(terms)), ..held })
    }

    /// The newest lock, changed.
    fn changed(&self, change: impl FnOnce(&mut Held)) -> Lock {
        let mut held = self.election.newest().unwrap().held().unwrap().clone();
        held.version = self.version + 1;
        change(&mut held);
        Lock::Held(held)
    }

    fn delete(&self) -> Effect {
        let held = self.election.newest().unwrap().held().unwrap();
        Effect::Delete { uid: held.uid.clone(), version: held.version }
    }

    fn touch(&self) -> Effect {
        let held = self.election.newest().unwrap().held().unwrap();
        Effect::Touch { uid: held.uid.clone(), version: held.version, mark: mark(self.election.terms) }
    }

    /// It takes over the lock of its own pod that was just seen.
    fn takes_over(&mut self, effects: &[Effect]) {
        assert_eq!(effects, [self.touch()]);
        let terms = self.election.terms;
        let touched = self.changed(|held| held.mark = Some(mark(terms)));
        assert!(matches!(self.answered(touched)[..], [Effect::Begin { .. }]));
    }

    fn wake_after(&self) -> Option<Duration> {
        self.election.wake_at().map(|wake| wake.since(self.now))
    }
}
