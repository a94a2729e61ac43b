//! Row by row: what client-go's own tests ask of an election, what they leave out, and our stricter rules.

mod absurd;
mod acquiring;
mod aging;
mod believing;
mod handing_over;
mod leading;
mod pausing;
mod restarting;
mod simulation;
mod stepping_down;

use std::time::Duration;

use super::*;

const ME: &str = "me";
const OTHER: &str = "other";
const LEASE: Duration = Duration::from_secs(15);
const DEADLINE: Duration = Duration::from_secs(10);
const JITTER: Duration = Duration::from_millis(50);

const WORK_ENDED: Input = Input::WorkEnded { unanswered: None };

/// A candidate and the time, in seconds.
struct Candidate {
    election: Election,
    now: f64,
}

fn moment(seconds: f64) -> Moment {
    Moment::new(Duration::from_secs_f64(seconds))
}

fn record(version: u64, holder: &str) -> Record {
    let spec = Spec {
        holder: Some(holder.to_owned()),
        duration: Some(15),
        acquired: Some(Stamp::from_micros(1)),
        renewed: Some(Stamp::from_micros(i64::try_from(version).unwrap())),
        transitions: Some(3),
        foreign: String::new(),
    };
    Record { version, uid: "uid".to_owned(), spec }
}

fn present(version: u64, holder: &str) -> Observation {
    Observation::Present(record(version, holder))
}

/// What the server shows when it has accepted `put`.
fn written(put: &Put, version: u64) -> Observation {
    let uid = put.base.as_ref().map_or("new", |(_, uid)| uid).to_owned();
    Observation::Present(Record { version, uid, spec: put.spec.clone() })
}

impl Candidate {
    /// Stands, watches, and has asked for its first read.
    fn new() -> Self {
        let mut candidate = Self { election: Election::new(ElectionOptions::new(ME)), now: 100.0 };
        assert_eq!(candidate.step(Input::Stand), [Effect::Read]);
        candidate.step(Input::Watching(true));
        candidate
    }

    /// Has read this.
    fn that_read(observation: Observation) -> (Self, Vec<Effect>) {
        let mut candidate = Self::new();
        let effects = candidate.step(Input::Answered(observation));
        (candidate, effects)
    }

    /// Leads: the lock was absent, and its creation is version 11.
    fn that_leads() -> Self {
        let (mut candidate, effects) = Self::that_read(Observation::Absent { version: 10 });
        let put = put_of(&effects);
        let effects = candidate.step(Input::Answered(written(&put, 11)));
        assert!(matches!(effects[..], [Effect::Begin { .. }]), "{effects:?}");
        candidate
    }

    fn step(&mut self, input: Input) -> Vec<Effect> {
        let wall = Stamp::from_micros(1_000_000_000 + i64::from((self.now * 1000.0) as i32) * 1000);
        self.election.step(Now { clock: moment(self.now), wall, chance: 0.5 }, input)
    }

    fn at(&mut self, seconds: f64, input: Input) -> Vec<Effect> {
        self.now = seconds;
        self.step(input)
    }

    fn wakes_at(&self) -> f64 {
        self.election.wake_at().expect("nothing to wake up for").since(Moment::default()).as_secs_f64()
    }

    /// Goes to the instant at which it wants to be woken.
    fn wake(&mut self) -> Vec<Effect> {
        self.at(self.wakes_at(), Input::Woken)
    }
}

fn put_of(effects: &[Effect]) -> Put {
    let put = effects.iter().find_map(|effect| if let Effect::Put(put) = effect { Some(put) } else { None });
    put.unwrap_or_else(|| panic!("no write among {effects:?}")).clone()
}

fn ended(effects: &[Effect]) -> &EndReason {
    let reason = effects.iter().find_map(|effect| if let Effect::End(reason) = effect { Some(reason) } else { None });
    reason.unwrap_or_else(|| panic!("no end among {effects:?}"))
}
