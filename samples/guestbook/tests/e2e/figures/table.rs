//! Figures as Markdown.

use std::fmt;
use std::time::Duration;

use crate::harness::{HEADS, Times, say};

/// A line for each figure of each program.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<String>);

/// At most so long, at this share of the times.
pub(super) struct Aim {
    pub(super) share: f64,
    pub(super) most: Duration,
}

impl Table {
    /// `aims` are those of our own.
    pub(super) fn add(&mut self, figure: &str, program: &str, times: &Times, aims: &[Aim]) {
        let aims: Vec<String> = aims.iter().map(|aim| aim.judge(times)).collect();
        let line = format!("| {figure} | {program} | {} | {} |", times.row(), aims.join(", "));
        say(&line);
        self.0.push(line);
    }
}

impl Aim {
    fn judge(&self, times: &Times) -> String {
        let whose = match self.share {
            1.0 => "longest",
            0.5 => "median",
            _ => "p99",
        };
        let met = if times.at(self.share) <= self.most { "met" } else { "**missed**" };
        format!("{whose} at most {} ms: {met}", self.most.as_millis())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| figure | program | {HEADS} | aim of ours |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- | --- |")?;
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
