//! What the command line may say.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command as Clap, value_parser};

use super::generate_arguments::{self, ChartArguments, ManifestsArguments};
use crate::manifests::Format;

/// The program, as its help and version say it.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Name of the operator's package.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it is for, in one line; may be empty.
    pub about: &'static str,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The command.
    pub command: Command,
    /// What it says about settings.
    pub overrides: Overrides,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Run the operator. The default.
    Run,
    /// Bring the CRDs into the cluster.
    Install,
    /// Take the CRDs, and so all of their objects, out of the cluster.
    Uninstall {
        /// Do not ask.
        yes: bool,
    },
    /// Write the CRDs.
    GenerateCrds {
        /// The directory to write to, a file for each; stdout without.
        out: Option<PathBuf>,
        /// The format.
        format: Format,
    },
    /// Write what a cluster needs to run the operator.
    GenerateManifests(ManifestsArguments),
    /// Write a Helm chart.
    GenerateHelm(ChartArguments),
    /// Write a Dockerfile.
    GenerateDockerfile {
        /// The folder to write to.
        out: PathBuf,
        /// Only tell what is different in the folder.
        check: bool,
    },
    /// Print the effective settings.
    Settings,
    /// Print versions.
    Version,
}

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

/// The arguments asked for help or the version, or could not be understood.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(clap::Error);

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

const EXIT_CODES: &str = "Exit codes: 0 stopped or done as asked, 1 failed, 2 usage, 78 bad settings, \
    130 and 143 ended at once by a second SIGINT or SIGTERM.";

/// Understands `arguments`, of which the first is the program's own name.
///
/// # Errors
/// [`Usage`] for `--help` and `--version` too: print it and exit with its code.
pub fn parse<I>(program: Program, arguments: I) -> Result<Invocation, Usage>
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let matches = definition(program).try_get_matches_from(arguments).map_err(Usage)?;
    // clap keeps the arguments of each level apart; those nearer to the command come later.
    let mut overrides = Overrides::default();
    let mut level = &matches;
    let mut path = Vec::new();
    overrides.extend_from(level);
    while let Some((name, below)) = level.subcommand() {
        path.push(name);
        level = below;
        overrides.extend_from(level);
    }
    let command = match path[..] {
        ["install"] => Command::Install,
        ["uninstall"] => Command::Uninstall { yes: level.get_flag("yes") },
        ["generate", what] => generate_arguments::command(what, level),
        ["settings"] => Command::Settings,
        ["version"] => Command::Version,
        _ => Command::Run,
    };
    Ok(Invocation { command, overrides })
}

fn definition(program: Program) -> Clap {
    let yes = Arg::new("yes").long("yes").short('y').action(ArgAction::SetTrue).help("Do not ask");
    with_overrides(Clap::new(program.name))
        .bin_name(program.name)
        .version(program.version)
        .about(program.about)
        .after_help(EXIT_CODES)
        .disable_help_subcommand(true)
        .subcommand(with_overrides(Clap::new("run").about("Run the operator (the default)")))
        .subcommand(with_overrides(
            Clap::new("install").about("Bring the CustomResourceDefinitions into the current cluster"),
        ))
        .subcommand(
            with_overrides(
                Clap::new("uninstall")
                    .about("Take the CustomResourceDefinitions, with all objects, out of the cluster"),
            )
            .arg(yes),
        )
        .subcommand(generate_arguments::definition())
        .subcommand(with_overrides(
            Clap::new("settings").about("Print the effective value of each setting, and where it comes from"),
        ))
        .subcommand(with_overrides(Clap::new("version").about("Print the versions of operator, SDK and cluster")))
}

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
    fn extend_from(&mut self, matches: &ArgMatches) {
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

// === impl Usage ===

impl Usage {
    /// 0 for `--help` and `--version`, else 2.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.is_error() { 2 } else { 0 }
    }

    /// Whether the arguments were wrong, as against asking for help or the version.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.0.use_stderr()
    }

    /// Writes clap's text to `out`, or to `err` if the arguments were wrong.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, out: &mut impl Write, err: &mut impl Write) -> io::Result<()> {
        let text = self.0.render();
        if self.is_error() { write!(err, "{text}") } else { write!(out, "{text}") }
    }
}
