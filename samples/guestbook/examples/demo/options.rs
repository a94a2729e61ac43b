//! What the command line may say.

use std::time::Duration;

const USAGE: &str = "\
usage: cargo xtask demo [--kill-leader-after SECONDS] [--exit-after SECONDS]

Both count from when all replicas run and one of them leads.";

/// For scripts; people have keys.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// SIGKILL for whoever leads then, once.
    pub(crate) kill_leader_after: Option<Duration>,
    /// The end of the demo.
    pub(crate) exit_after: Option<Duration>,
}

impl Options {
    /// What is wrong, and the usage, unless all arguments are understood.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let option = match argument.as_str() {
                "--kill-leader-after" => &mut options.kill_leader_after,
                "--exit-after" => &mut options.exit_after,
                "--help" | "-h" => return Err(USAGE.to_owned()),
                _ => return Err(format!("there is no {argument:?}\n{USAGE}")),
            };
            let seconds = arguments.next().and_then(|value| value.parse().ok());
            let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            *option = Some(duration.ok_or_else(|| format!("{argument} wants a number of seconds\n{USAGE}"))?);
        }
        Ok(options)
    }
}
