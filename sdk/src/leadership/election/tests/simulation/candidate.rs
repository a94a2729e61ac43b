//! A process that stands for the lock: what the elector does, as the election sees it.

use std::collections::HashSet;

use super::super::*;
use super::{Author, Micros};

/// Half a year of microseconds, so that wall clocks that differ are still after 1970.
const WALL: i64 = 15_000_000_000_000;

/// One life of one replica.
pub(super) struct Process {
    pub(super) election: Election,
    random: fastrand::Rng,
    pub(super) options: ElectionOptions,
    pub(super) author: Author,
    /// How far its wall clock is off.
    pub(super) skew: i64,
    /// The call that is waited for.
    pub(super) call: Option<u64>,
    /// The watch that is listened to, and when its last event arrives.
    pub(super) watch: u64,
    pub(super) watch_is_silent: bool,
    pub(super) watch_busy_until: Micros,
    /// The highest version that it was told of.
    pub(super) seen: u64,
    /// Terms that it was told of: who, and when they began.
    known: HashSet<(Option<String>, Option<Stamp>)>,
    pub(super) term: Option<Term>,
    /// Work goes on.
    pub(super) working: bool,
    /// The election waits to hear of its end.
    pub(super) awaited: bool,
    /// When a write of its work was left without an answer.
    pub(super) unanswered: Option<Micros>,
    pub(super) stopping: bool,
    /// Only the newest timer counts.
    pub(super) timer: u64,
    /// When it asked the server for something.
    pub(super) asked: Vec<Micros>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub(super) token: u64,
    pub(super) valid_until: Moment,
}

pub(super) fn moment_of(now: Micros) -> Moment {
    Moment::new(Duration::from_micros(now))
}

impl Process {
    pub(super) fn new(author: Author, options: ElectionOptions, skew: i64, seed: u64) -> Self {
        Self {
            election: Election::new(options.clone()),
            random: fastrand::Rng::with_seed(seed),
            options,
            author,
            skew,
            call: None,
            watch: 0,
            watch_is_silent: false,
            watch_busy_until: 0,
            seen: 0,
            known: HashSet::new(),
            term: None,
            working: false,
            awaited: false,
            unanswered: None,
            stopping: false,
            timer: 0,
            asked: Vec::new(),
        }
    }

    pub(super) fn term_at(&self, now: Micros) -> Option<Term> {
        self.term.filter(|term| moment_of(now) < term.valid_until)
    }

    pub(super) fn step(&mut self, now: Micros, input: Input) -> Vec<Effect> {
        if let Input::Watched(observation) | Input::Answered(observation) = &input {
            if let Some(record) = observation.record().filter(|record| record.version > self.seen) {
                self.known.insert((record.spec.holder.clone(), record.spec.acquired));
            }
            self.seen = self.seen.max(observation.version());
        }
        let micros = i64::try_from(now).unwrap();
        let wall = Stamp::from_micros(WALL + micros + self.skew);
        let now = Now { clock: moment_of(now), wall, chance: self.random.f64() };
        self.election.step(now, input)
    }

    /// Whoever led next might be overtaken by a write of this one.
    pub(super) fn may_be_overtaken(&self, now: Micros) -> bool {
        self.unanswered.is_some_and(|sent| Duration::from_micros(now - sent) < self.options.lease_duration)
    }

    pub(super) fn knows(&self, spec: &Spec) -> bool {
        self.known.contains(&(spec.holder.clone(), spec.acquired))
    }

    /// A request to the server: never many of them in a second.
    pub(super) fn asks(&mut self, now: Micros) {
        self.asked.retain(|asked| now - asked < 1_000_000);
        self.asked.push(now);
        assert!(self.asked.len() < 30, "{:?} asks without a pause", self.author);
    }

    /// When it is to be woken, rounded up.
    pub(super) fn wakes_at(&self, now: Micros) -> Micros {
        let longest = now + 5_000_000;
        let wake = self.election.wake_at().map(|at| at.since(Moment::default()).as_nanos().div_ceil(1000));
        wake.map_or(longest, |at| u64::try_from(at).unwrap().clamp(now, longest))
    }
}
