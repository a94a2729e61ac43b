//! Plays many seeds, each on a runtime of its own, on all cores.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;

use super::play::{Outcome, play};
use super::sabotage::Sabotage;

/// `cargo xtask simulate` sets these: how many seeds, the first of them, and the length of each in minutes.
const SEEDS: &str = "KUBEOPS_SIMULATION_SEEDS";
const FIRST: &str = "KUBEOPS_SIMULATION_SEED";
const MINUTES: &str = "KUBEOPS_SIMULATION_MINUTES";
/// Of a failed seed's story, so many lines before each violation are shown, if there are many seeds.
const SHOWN: usize = 25;

/// Which seeds to play.
pub(super) struct Seeds {
    seeds: Range<u64>,
    length: Duration,
}

/// What came of them all.
#[derive(Default)]
pub(super) struct Report {
    seeds: u64,
    pub(super) failed: Vec<String>,
    lasted: Duration,
    requests: usize,
    terms: usize,
    takeovers: usize,
    fenced: u64,
    cut_short: usize,
    landed_late: usize,
    strikes: BTreeMap<&'static str, u64>,
    slowest: Duration,
    took: Duration,
}

impl Seeds {
    /// As the environment wants it, else `usual` ones.
    pub(super) fn wanted(usual: u64, length: Duration) -> Self {
        let number = |name| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
        let first = number(FIRST);
        let count = number(SEEDS).unwrap_or(if first.is_some() { 1 } else { usual });
        let first = first.unwrap_or_default();
        let length = number(MINUTES).map_or(length, |minutes| Duration::from_secs(minutes * 60));
        Self { seeds: first..first + count, length }
    }

    pub(super) fn play(self) -> Report {
        let (next, report, began) = (AtomicU64::new(self.seeds.start), Mutex::new(Report::default()), Instant::now());
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= self.seeds.end {
                    return;
                }
                let outcome = play_alone(seed, self.length, None);
                report.lock().unwrap().add(seed, outcome, &self);
            }
        };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(work);
            }
        });
        Report { took: began.elapsed(), ..report.into_inner().unwrap() }
    }
}

/// Plays one seed on a runtime of its own. A panic is a violation.
pub(super) fn play_alone(seed: u64, length: Duration, sabotage: Option<Sabotage>) -> Outcome {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let played = catch_unwind(AssertUnwindSafe(|| runtime.block_on(play(seed, length, sabotage))));
    played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Outcome { violations: vec![format!("panicked: {text}")], ..Outcome::default() }
    })
}

impl Report {
    fn add(&mut self, seed: u64, outcome: Outcome, seeds: &Seeds) {
        let alone = seeds.seeds.end - seeds.seeds.start == 1;
        self.seeds += 1;
        self.lasted += outcome.lasted;
        self.requests += outcome.requests;
        self.terms += outcome.terms;
        self.takeovers += outcome.takeovers;
        self.fenced += outcome.fenced;
        self.cut_short += outcome.cut_short;
        self.landed_late += outcome.landed_late;
        self.slowest = self.slowest.max(outcome.settled);
        for (kind, count) in outcome.strikes {
            *self.strikes.entry(kind).or_default() += count;
        }
        if let Some(first) = outcome.violations.first() {
            let story = outcome.world.map(|world| world.log().lines()).unwrap_or_default();
            let story = if alone { story } else { before(&story) };
            println!("{}", story.join("\n"));
            println!("seed {seed} failed: {}", outcome.violations.join("\nand: "));
            let minutes = seeds.length.as_secs() / 60;
            self.failed
                .push(format!("seed {seed}: {first}; again: cargo xtask simulate --seed {seed} --minutes {minutes}"));
        } else if alone {
            let story = outcome.world.map(|world| world.log().lines()).unwrap_or_default();
            println!("{}\nhash {:016x}", story.join("\n"), outcome.hash);
        }
    }
}

/// What was told before the first violation.
fn before(story: &[String]) -> Vec<String> {
    let at = story.iter().position(|line| line.contains("VIOLATED")).unwrap_or(story.len().saturating_sub(1));
    story.iter().take(at + 1).skip((at + 1).saturating_sub(SHOWN)).cloned().collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seeds, failed, lasted, requests, terms, takeovers, fenced, cut_short, landed_late, .. } = self;
        writeln!(
            f,
            "{seeds} seeds, {:.1} virtual hours, in {:.1} s",
            lasted.as_secs_f64() / 3600.0,
            self.took.as_secs_f64()
        )?;
        writeln!(f, "{requests} requests, {terms} terms, {takeovers} takeovers")?;
        writeln!(f, "writes begun outside of a term, and whatever else must not be: in {} seeds", failed.len())?;
        writeln!(f, "writes refused by the fence: {fenced}; given up under way when their term ended: {cut_short}")?;
        writeln!(
            f,
            "writes taken by the server after the end of their term, as they were on their way: {landed_late}"
        )?;
        writeln!(f, "longest until all was well again: {:.1} s", self.slowest.as_secs_f64())?;
        let strikes: Vec<String> = self.strikes.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        writeln!(f, "trouble: {}", strikes.join(", "))?;
        failed.iter().try_for_each(|failed| writeln!(f, "{failed}"))
    }
}
