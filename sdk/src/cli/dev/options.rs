//! What `dev` can be told.

use std::time::Duration;

use clap::{Arg, ArgMatches, Command as Clap, value_parser};

use crate::settings::{InvalidDuration, parse_duration};

const ABOUT: &str = "Try the operator: a cluster in memory, and replicas that hand over to each other";

const NOTES: &str = "\
Brings the CustomResourceDefinitions and the objects of `samples/*.yaml` into the cluster and starts the replicas with the settings \
of the environment Development, unless a variable names another. Nothing runs pods: Deployments and their like stay as they are written.

All is gone when it ends: by `q`, Ctrl-C, SIGTERM or --exit-after. It exits with 1 if a replica cannot be started, or if none leads \
within 90 seconds.";

/// What `dev` is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevOptions {
    /// How many replicas, from 1 to 26.
    pub replicas: u8,
    /// Where the cluster is served on 127.0.0.1; 0 takes a free port.
    pub port: u16,
    /// When it ends by itself, counted from the first leader.
    pub exit_after: Option<Duration>,
    /// When the leader is killed, once, counted from the first leader.
    pub kill_leader_after: Option<Duration>,
}

impl Default for DevOptions {
    fn default() -> Self {
        Self { replicas: 3, port: 0, exit_after: None, kill_leader_after: None }
    }
}

impl DevOptions {
    /// The command, but for what all commands have.
    pub(crate) fn command() -> Clap {
        let argument = |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
        let moment = |name, help: &'static str| {
            argument(name, "DURATION")
                .allow_hyphen_values(true)
                .value_parser(duration)
                .help(format!("{help}, such as 60s or 2m, counted from the first leader"))
        };
        Clap::new("dev")
            .about(ABOUT)
            .after_help(NOTES)
            .arg(
                argument("replicas", "N")
                    // Each has a letter for its name.
                    .value_parser(value_parser!(u8).range(1..=26))
                    .default_value("3")
                    .help("How many replicas"),
            )
            .arg(
                argument("port", "PORT")
                    .value_parser(value_parser!(u16))
                    .default_value("0")
                    .help("Where the cluster is served on 127.0.0.1, 0 for a free port"),
            )
            .arg(moment("exit-after", "End by itself after this long"))
            .arg(moment("kill-leader-after", "Kill the leader once after this long"))
    }

    pub(crate) fn of(matches: &ArgMatches) -> Self {
        let Self { replicas, port, .. } = Self::default();
        Self {
            replicas: matches.get_one("replicas").copied().unwrap_or(replicas),
            port: matches.get_one("port").copied().unwrap_or(port),
            exit_after: matches.get_one("exit-after").copied(),
            kill_leader_after: matches.get_one("kill-leader-after").copied(),
        }
    }
}

fn duration(text: &str) -> Result<Duration, InvalidDuration> {
    parse_duration(text)
}
