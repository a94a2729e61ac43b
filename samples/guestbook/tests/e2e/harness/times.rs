//! Many measured times, told by a few.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

/// How long something took, each time it was done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
        self.0.sort();
    }

    pub(crate) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
        self.0.sort();
    }

    /// The time from one moment to a later one.
    #[track_caller]
    pub(crate) fn push_from(&mut self, from: Timestamp, to: Timestamp) {
        self.push(Duration::try_from(to.duration_since(from)).expect("in this order"));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that this share of them does not exceed (0.5: the median, 1.0: the longest). Zero if there are none.
    pub(crate) fn at(&self, share: f64) -> Duration {
        let rank = (self.0.len() as f64 * share).ceil() as usize;
        self.0.get(rank.max(1) - 1).copied().unwrap_or_default()
    }

    /// As cells of a Markdown table: how many, shortest, median, p99 and longest.
    pub(crate) fn row(&self) -> String {
        let cells = [0.0, 0.5, 0.99, 1.0].map(|share| shown(self.at(share)));
        format!("{} | {}", self.len(), cells.join(" | "))
    }
}

/// The heads of [`Times::row`].
pub(crate) const HEADS: &str = "times | shortest | median | p99 | longest";

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [min, median, p99, max] = [0.0, 0.5, 0.99, 1.0].map(|share| self.at(share));
        write!(f, "{} times: min {min:.1?}, median {median:.1?}, p99 {p99:.1?}, max {max:.1?}", self.len())
    }
}

fn shown(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    match millis {
        ..10.0 => format!("{millis:.1} ms"),
        ..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.2} s", millis / 1000.0),
    }
}
