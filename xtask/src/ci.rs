//! `cargo xtask ci`: everything that must hold before a change goes in.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::{alerts, book, dockerfile, features, layers, templates, test, tools, versions, workspace};

type Check = fn() -> Result<(), Error>;

/// What is quick to fail comes first. Tests come after them, because their line is the last one of the output.
const CHECKS: [(&str, Check); 11] = [
    ("format", format),
    ("clippy", clippy),
    ("documentation of the crates", documentation),
    ("licences, sources and banned crates", deny),
    ("layers", layers::run),
    ("Kubernetes versions", versions::run),
    ("features", features::run),
    ("alert rules", alerts::run),
    ("book", || book::run(false)),
    ("image", dockerfile::run),
    ("templates", templates::run),
];

/// Stops at the first check that fails.
pub(crate) fn run() -> Result<(), Error> {
    let mut times = Vec::new();
    for (name, check) in CHECKS {
        timed(name, &mut times, check)?;
    }
    let tally = timed("tests", &mut times, || test::count(Some(&tools::browser()?), &[]))?;
    tell(&times);
    tally.conclude()
}

fn timed<T>(
    name: &'static str,
    times: &mut Vec<(&'static str, Duration)>,
    step: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    eprintln!("\n== {name}");
    let start = Instant::now();
    let done = step()?;
    times.push((name, start.elapsed()));
    Ok(done)
}

fn tell(times: &[(&str, Duration)]) {
    eprintln!("\n== how long it took");
    let altogether = ("altogether", times.iter().map(|(_, time)| *time).sum());
    for (name, time) in times.iter().chain([&altogether]) {
        eprintln!("{:>5} s  {name}", time.as_secs());
    }
}

fn format() -> Result<(), Error> {
    workspace::run(workspace::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<(), Error> {
    let words = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    workspace::run(workspace::cargo().args(words))
}

fn documentation() -> Result<(), Error> {
    let words = ["doc", "--workspace", "--no-deps", "--locked", "--quiet"];
    workspace::run(workspace::cargo().env("RUSTDOCFLAGS", "-D warnings").args(words))
}

/// Only what fails is told; duplicate versions, which only warn: cargo tree -d.
fn deny() -> Result<(), Error> {
    let mut deny = std::process::Command::new(tools::CARGO_DENY.provide()?);
    deny.current_dir(workspace::root()).args(["--locked", "--log-level", "error"]);
    workspace::run(deny.args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))
}
