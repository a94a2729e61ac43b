//! What the command line may say.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command as Clap};

#[cfg(feature = "dev")]
use super::dev::DevOptions;
use super::generate_arguments::{self, ChartArguments, ManifestsArguments};
use super::overrides::{Overrides, with_overrides};
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
    /// Try the operator on a cluster in memory.
    #[cfg(feature = "dev")]
    Dev(DevOptions),
}

/// The arguments asked for help or the version, or could not be understood.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(clap::Error);

/// What an operator exits with, and when.
pub const EXIT_CODES: [(u8, &str); 6] = [
    (0, "stopped or done as asked"),
    (1, "failed"),
    (2, "usage"),
    (78, "bad settings"),
    (130, "ended at once by a second SIGINT"),
    (143, "ended at once by a second SIGTERM"),
];

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
        #[cfg(feature = "dev")]
        ["dev"] => Command::Dev(DevOptions::of(level)),
        _ => Command::Run,
    };
    Ok(Invocation { command, overrides })
}

pub(super) fn definition(program: Program) -> Clap {
    let yes = Arg::new("yes").long("yes").short('y').action(ArgAction::SetTrue).help("Do not ask");
    let program = with_overrides(Clap::new(program.name))
        .bin_name(program.name)
        .version(program.version)
        .about(program.about)
        .after_help(exit_codes())
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
        .subcommand(with_overrides(Clap::new("version").about("Print the versions of operator, SDK and cluster")));
    #[cfg(feature = "dev")]
    let program = program.subcommand(with_overrides(DevOptions::command()));
    program
}

fn exit_codes() -> String {
    let codes: Vec<String> = EXIT_CODES.iter().map(|(code, meaning)| format!("{code} {meaning}")).collect();
    format!("Exit codes: {}.", codes.join(", "))
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
