//! What a search begins with, and what may happen in it.

use std::time::Duration;

use super::super::ElectionOptions;
use super::mutation::Broken;
use crate::leadership::clock::Moment;

/// Clocks begin late enough that no instant of interest lies before their zero.
const START: u64 = 1_000;

/// As often as it likes.
pub const EVER: u8 = u8::MAX;

/// Candidates, and what may happen to them and to the lock.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is about.
    pub name: &'static str,
    /// Who stands for the lock.
    pub candidates: Vec<Setup>,
    /// How often what is rare may happen.
    pub budget: Budget,
    /// How many writes a candidate may have without an answer, all based on one state of the lock.
    pub tries: usize,
    /// Work ends when it is told to, at once.
    pub obedient: bool,
    /// Whether there is a watch (which may be late, and skip, but is open), or none.
    pub watch: bool,
    /// How many states of the lock before the newest a late watch may tell.
    pub late: usize,
    /// Somebody labels the lock once a tick for ever, also while all else is calm.
    pub labelled: bool,
    /// At the beginning the first candidate leads already, and the others know.
    pub settled: bool,
    /// Only histories of fewer steps than this.
    pub depth: Option<usize>,
    /// Whether to search for states from which nobody ever leads, which costs a run of calm at each state.
    pub calm: bool,
    /// Whether terms that end early again and again are followed by pauses, which only delay.
    pub pauses: bool,
    /// Whether the lock was there long before, of a holder that is no more.
    pub old: bool,
    /// Whether the kernel has proven that no earlier process of an identity lives.
    pub bearers: bool,
    /// The rule that does not hold.
    pub broken: Option<Broken>,
}

/// A candidate.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its options; all in whole seconds.
    pub options: ElectionOptions,
    /// Seconds that its clock shows to have passed from tick to tick.
    pub rate: u64,
}

/// How often what is rare may happen in one history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Somebody deletes the lock.
    pub deletions: u8,
    /// Somebody changes its metadata.
    pub labels: u8,
    /// Somebody clears its holder.
    pub clears: u8,
    /// A process is killed, and started anew under its old identity.
    pub crashes: u8,
    /// A process is asked to stop.
    pub stops: u8,
    /// Work ends with a write that has no answer.
    pub unanswered: u8,
    /// A write gets an error instead of an answer, or nothing: it may land all the same. [`EVER`] is without end.
    pub silences: u8,
    /// A call gets an error, after which a candidate pauses.
    pub failures: u8,
    /// A leader is asked to let another lead.
    pub step_downs: u8,
    /// Somebody makes the lock a coordinated one for a moment, and a candidate sees it.
    pub coordinations: u8,
    /// A read tells how old the record is, by clocks of which one is wrong.
    pub dates: u8,
    /// What the work of a process runs on is blocked for a while.
    pub blocks: u8,
    /// A candidate that follows client-go's rules tries to take or renew the lock, or releases it.
    pub rival: u8,
}

// === impl Budget ===

impl Budget {
    /// Nothing rare happens.
    pub const NONE: Self = Self {
        deletions: 0,
        labels: 0,
        clears: 0,
        crashes: 0,
        stops: 0,
        unanswered: 0,
        silences: 0,
        failures: 0,
        step_downs: 0,
        coordinations: 0,
        dates: 0,
        blocks: 0,
        rival: 0,
    };
}

// === impl Setup ===

impl Setup {
    /// Lease, deadline and retry period in seconds.
    #[must_use]
    pub fn new(identity: &str, lease: u64, deadline: u64, retry: u64) -> Self {
        let options = ElectionOptions {
            lease_duration: Duration::from_secs(lease),
            renew_deadline: Duration::from_secs(deadline),
            retry_period: Duration::from_secs(retry),
            ..ElectionOptions::new(identity)
        };
        Self { options, rate: 1 }
    }

    pub(super) fn timing(&self) -> (Duration, Duration, Duration, u64) {
        let options = &self.options;
        (options.lease_duration, options.renew_deadline, options.retry_period, self.rate)
    }

    /// What its clock shows at `tick`.
    #[must_use]
    pub fn clock(&self, tick: u64) -> Moment {
        Moment::new(Duration::from_secs(START + tick * self.rate))
    }

    /// How long some ticks are by its clock.
    #[must_use]
    pub fn elapsed(&self, ticks: u64) -> Duration {
        Duration::from_secs(ticks * self.rate)
    }
}

// === impl Scenario ===

impl Scenario {
    /// Candidates with leases of 3 s, deadlines of 2 s and a retry period of 1 s, on clocks that go alike.
    #[must_use]
    pub fn of(name: &'static str, identities: &[&str]) -> Self {
        Self {
            name,
            candidates: identities.iter().map(|identity| Setup::new(identity, 3, 2, 1)).collect(),
            budget: Budget::default(),
            tries: 1,
            obedient: false,
            watch: true,
            late: 0,
            labelled: false,
            settled: false,
            depth: None,
            calm: false,
            pauses: false,
            old: false,
            bearers: false,
            broken: None,
        }
    }

    /// With one rule broken.
    #[must_use]
    pub fn breaking(self, broken: Broken) -> Self {
        Self { broken: Some(broken), ..self }
    }

    pub(super) fn breaks(&self, rule: Broken) -> bool {
        self.broken == Some(rule)
    }

    /// What a candidate is told at its start.
    pub(super) fn options(&self, who: usize) -> ElectionOptions {
        ElectionOptions { only_bearer: self.bearers, ..self.candidates[who].options.clone() }
    }

    /// No candidate waits for longer.
    pub(super) fn longest_lease(&self) -> Duration {
        self.candidates.iter().map(|setup| setup.options.lease_duration).max().unwrap_or_default()
    }

    /// Enough ticks for every wait to end, twice over, by the slowest clock.
    pub(super) fn patience(&self) -> u64 {
        let slowest = self.candidates.iter().map(|setup| setup.rate).min().unwrap_or(1);
        2 * self.longest_lease().as_secs().div_ceil(slowest) + 2
    }
}
