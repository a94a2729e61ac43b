//! What the command line may say behind `generate`.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command as Clap, value_parser};

use super::arguments::Command;
use super::overrides::{path, with_overrides};
use crate::manifests::Format;

/// What `generate manifests` is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManifestsArguments {
    /// The folder to write to; stdout without.
    pub out: Option<PathBuf>,
    /// The format.
    pub format: Format,
    /// Only tell what is different in the folder.
    pub check: bool,
    /// Whether the API server is to refuse writes by others than the leader.
    pub fence: bool,
    /// The container image; `<operator>:<version>` without.
    pub image: Option<String>,
    /// The namespace to run in; without, one of its own that is among the manifests.
    pub namespace: Option<String>,
}

/// What `generate helm` is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartArguments {
    /// The folder of the chart.
    pub out: PathBuf,
    /// Only tell what is different in the folder.
    pub check: bool,
    /// The container image; `<operator>:<version>` without.
    pub image: Option<String>,
}

/// The command that `generate <what>` is.
pub(super) fn command(what: &str, level: &ArgMatches) -> Command {
    let out = level.get_one::<PathBuf>("out").cloned();
    match what {
        "manifests" => Command::GenerateManifests(ManifestsArguments {
            out,
            format: format_of(level),
            check: level.get_flag("check"),
            fence: level.get_flag("fence"),
            image: level.get_one("image").cloned(),
            namespace: level.get_one("namespace").cloned(),
        }),
        "helm" => Command::GenerateHelm(ChartArguments {
            out: out.unwrap_or_default(),
            check: level.get_flag("check"),
            image: level.get_one("image").cloned(),
        }),
        "dockerfile" => Command::GenerateDockerfile { out: out.unwrap_or_default(), check: level.get_flag("check") },
        _ => Command::GenerateCrds { out, format: format_of(level) },
    }
}

/// `generate` and all that may stand behind it.
pub(super) fn definition() -> Clap {
    with_overrides(Clap::new("generate").about("Write what a cluster needs to run this operator"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(crds())
        .subcommand(manifests())
        .subcommand(chart())
        .subcommand(dockerfile())
}

fn crds() -> Clap {
    with_overrides(Clap::new("crds").about("Write the CustomResourceDefinitions"))
        .arg(path("out", "DIR").help("Write a file for each into this directory, instead of all to stdout"))
        .arg(format())
}

fn manifests() -> Clap {
    with_overrides(Clap::new("manifests"))
        .about("Write what a cluster needs to run this operator: CRDs, RBAC, Deployment, and what goes with it")
        .long_about(
            "Write what a cluster needs to run this operator: CRDs, RBAC, Deployment, and what goes with it.\n\nSettings \
             are read as a pod will read them: appsettings.json, appsettings.Production.json and --set, but not this \
             environment's variables.",
        )
        .arg(path("out", "DIR").help("Write a kustomize base and an example overlay here, instead of all to stdout"))
        .arg(check().requires("out"))
        .arg(fence())
        .arg(image())
        .arg(
            Arg::new("namespace")
                .long("namespace")
                .value_name("NAMESPACE")
                .help("Run in this namespace, which must exist [default: one of its own, <operator>-system]"),
        )
        .arg(format())
}

fn chart() -> Clap {
    with_overrides(Clap::new("helm"))
        .about("Write a Helm chart for this operator")
        .long_about(
            "Write a Helm chart for this operator.\n\nIts values begin with the settings that a pod would read: \
             appsettings.json, appsettings.Production.json and --set, but not this environment's variables.",
        )
        .arg(path("out", "DIR").default_value("chart").help("The chart's folder"))
        .arg(check())
        .arg(image())
}

fn dockerfile() -> Clap {
    let out = path("out", "DIR").default_value(".").help("The folder that is built, with the workspace's Cargo.lock");
    with_overrides(Clap::new("dockerfile")).about("Write a Dockerfile for this operator").arg(out).arg(check())
}

fn check() -> Arg {
    let check = Arg::new("check").long("check").action(ArgAction::SetTrue);
    check.help("Write nothing; tell which files in DIR are not as they would be written, and exit with 1 then")
}

fn fence() -> Arg {
    let fence = Arg::new("fence").long("fence").action(ArgAction::SetTrue);
    fence.help("Have the API server refuse writes of every pod but the leader's, by a ValidatingAdmissionPolicy")
}

fn image() -> Arg {
    Arg::new("image").long("image").value_name("IMAGE").help("Container image [default: <operator>:<version>]")
}

fn format() -> Arg {
    Arg::new("format").long("format").value_parser(value_parser!(Format)).default_value("yaml").help("Format")
}

fn format_of(matches: &ArgMatches) -> Format {
    matches.get_one("format").copied().unwrap_or_default()
}
