//! What every command may be told about settings.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command as Clap, value_parser};

/// What the command line says about settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--settings`: this file instead of the content root's.
    pub file: Option<PathBuf>,
    /// `--content-root`: where the settings files are.
    pub content_root: Option<PathBuf>,
    /// `--set` and its short forms as (key with `:`, value), in the order in which they were given: later ones win.
    pub set: Vec<(String, String)>,
}

/// A flag that Go operators have, and the setting that it sets.
struct ShortForm {
    flag: &'static str,
    alias: Option<&'static str>,
    key: &'static str,
    value: Value,
    help: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Text(&'static str),
    /// Alone it means `true`, as Go's do; a value needs `=`.
    Switch,
}

const SHORT_FORMS: [ShortForm; 5] = [
    ShortForm {
        flag: "metrics-bind-address",
        alias: None,
        key: "KubeOps:MetricsAddress",
        value: Value::Text("ADDRESS"),
        help: "Where metrics are served, `0` for nowhere",
    },
    ShortForm {
        flag: "health-probe-bind-address",
        alias: None,
        key: "KubeOps:HealthAddress",
        value: Value::Text("ADDRESS"),
        help: "Where probes are answered, `0` for nowhere",
    },
    ShortForm {
        flag: "leader-elect",
        alias: Some("enable-leader-election"),
        key: "KubeOps:EnableLeaderElection",
        value: Value::Switch,
        help: "Whether one of several replicas is elected to work",
    },
    ShortForm {
        flag: "leader-election-id",
        alias: None,
        key: "KubeOps:LeaderElectionId",
        value: Value::Text("NAME"),
        help: "Name of the lock",
    },
    ShortForm {
        flag: "leader-election-namespace",
        alias: None,
        key: "KubeOps:LeaderElectionNamespace",
        value: Value::Text("NAMESPACE"),
        help: "Namespace of the lock",
    },
];

/// Adds what may stand before and behind every command. Not clap's `global`, which forgets what stood before the command once
/// something of the kind stands behind it.
pub(super) fn with_overrides(command: Clap) -> Clap {
    let set = Arg::new("set").long("set").value_name("KEY=VALUE").action(ArgAction::Append).value_parser(key_and_value);
    let set = set.help("Set one setting, e.g. `KubeOps:LeaderElectionId=x`; the last one wins");
    let command = command
        .next_help_heading("Settings")
        .arg(path("settings", "FILE").help("Read this file instead of the content root's appsettings.json"))
        .arg(path("content-root", "DIR").help("Read appsettings.json and its like from here"))
        .arg(set);
    SHORT_FORMS.iter().fold(command, |command, short| command.arg(short.argument())).next_help_heading(None)
}

pub(super) fn path(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).value_parser(value_parser!(PathBuf))
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, e.g. KubeOps:LeaderElectionId=x".to_owned()),
    }
}

// === impl ShortForm ===

impl ShortForm {
    fn argument(&self) -> Arg {
        let argument = Arg::new(self.flag).long(self.flag).action(ArgAction::Append);
        let argument = argument.help(format!("{} (--set {})", self.help, self.key)).visible_aliases(self.alias);
        match self.value {
            Value::Text(name) => argument.value_name(name),
            Value::Switch => argument
                .num_args(0..=1)
                .require_equals(true)
                .value_name("BOOL")
                .default_missing_value("true")
                .value_parser(BoolishValueParser::new()),
        }
    }

    /// Each value that was given, with its place on the command line.
    fn values(&self, matches: &ArgMatches) -> Vec<(usize, String)> {
        match self.value {
            Value::Text(_) => placed::<String>(matches, self.flag).map(|(at, text)| (at, text.clone())).collect(),
            Value::Switch => placed::<bool>(matches, self.flag).map(|(at, on)| (at, on.to_string())).collect(),
        }
    }
}

// === impl Overrides ===

impl Overrides {
    /// Adds what one level of the command line says; later levels win.
    pub(super) fn extend_from(&mut self, matches: &ArgMatches) {
        let path = |name| matches.get_one::<PathBuf>(name).cloned();
        self.file = path("settings").or_else(|| self.file.take());
        self.content_root = path("content-root").or_else(|| self.content_root.take());

        let mut set: Vec<_> = placed::<(String, String)>(matches, "set").map(|(at, pair)| (at, pair.clone())).collect();
        for short in &SHORT_FORMS {
            set.extend(short.values(matches).into_iter().map(|(at, value)| (at, (short.key.to_owned(), value))));
        }
        set.sort_by_key(|(at, _)| *at);
        self.set.extend(set.into_iter().map(|(_, pair)| pair));
    }
}

fn placed<'a, T: Clone + Send + Sync + 'static>(
    matches: &'a ArgMatches,
    name: &str,
) -> impl Iterator<Item = (usize, &'a T)> {
    let places = matches.indices_of(name).into_iter().flatten();
    places.zip(matches.get_many(name).into_iter().flatten())
}
