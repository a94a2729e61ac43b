//! What came out of all cases.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::case::Case;
use crate::compare::Difference;
use crate::known::{self, Known};

/// A case with more is told apart by its first ones.
const TOLD: usize = 12;

/// What takes longer waits for something: for a controller of the real server, or for what does not come.
const SLOW: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(crate) struct Report {
    topics: BTreeMap<&'static str, Topic>,
    failures: Vec<String>,
    known: Vec<(&'static str, &'static str)>,
    slow: Vec<(&'static str, Duration)>,
    /// Whether all cases are in it.
    whole: bool,
}

#[derive(Default)]
struct Topic {
    cases: usize,
    known: usize,
    failed: usize,
}

impl Report {
    pub(crate) fn new(whole: bool) -> Self {
        Self { whole, ..Self::default() }
    }

    pub(crate) fn add(&mut self, case: &'static Case, differences: Vec<Difference>, took: Duration) {
        // Programs take their time when many of them run at once.
        if took > SLOW && !case.uses_kubectl() {
            self.slow.push((case.name, took));
        }
        let topic = self.topics.entry(case.topic).or_default();
        topic.cases += 1;
        let known: Vec<&Known> = known::of(case.name).collect();
        let is_known = |difference: &Difference| known.iter().any(|known| difference.path.starts_with(known.path));
        let (expected, surprising): (Vec<_>, Vec<_>) = differences.into_iter().partition(is_known);
        let seen = |known: &Known| expected.iter().any(|difference| difference.path.starts_with(known.path));
        let outdated: Vec<&Known> = known.iter().copied().filter(|known| !seen(known)).collect();
        if surprising.is_empty() && outdated.is_empty() {
            topic.known += usize::from(!expected.is_empty());
            self.known.extend(known.iter().map(|known| (case.name, known.why)));
            return;
        }
        topic.failed += 1;
        let mut told = format!("{}: {}\n", case.topic, case.name);
        for known in outdated {
            told += &format!("    does not differ any more in {}, but is listed ({})\n", known.path, known.why);
        }
        surprising.iter().take(TOLD).for_each(|difference| told += &format!("{difference}\n"));
        if let Some(more @ 1..) = surprising.len().checked_sub(TOLD) {
            told += &format!("    and {more} more\n");
        }
        self.failures.push(told);
    }

    /// An error that names what failed.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        let cases: usize = self.topics.values().map(|topic| topic.cases).sum();
        match self.failures.len() {
            _ if cases == 0 => Err("there is no such case".to_owned()),
            0 => Ok(()),
            failed => Err(format!("{failed} of {cases} cases differ from the real server: see above")),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        self.failures.iter().try_for_each(|failure| writeln!(f, "{failure}"))?;
        for (case, why) in &self.known {
            writeln!(f, "known: {case}: {why}")?;
        }
        for (case, took) in &self.slow {
            writeln!(f, "slow: {case}: {took:.1?}")?;
        }
        let of = if self.whole { "all" } else { "some" };
        writeln!(f, "\n{:<15} {:>6} {:>6} {:>8} {:>8}", of, "cases", "same", "known", "failed")?;
        let mut sum = Topic::default();
        for (name, Topic { cases, known, failed }) in &self.topics {
            row(f, name, &Topic { cases: *cases, known: *known, failed: *failed })?;
            sum = Topic { cases: sum.cases + cases, known: sum.known + known, failed: sum.failed + failed };
        }
        row(f, "together", &sum)
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, topic: &Topic) -> fmt::Result {
    let Topic { cases, known, failed } = topic;
    writeln!(f, "{name:<15} {cases:>6} {:>6} {known:>8} {failed:>8}", cases - known - failed)
}
