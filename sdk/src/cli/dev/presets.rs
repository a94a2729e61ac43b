//! The settings that `dev` gives its replicas, and those that it leaves to the user.

use std::path::{Path, PathBuf};

use crate::cli::overrides::Overrides;
use crate::operator::kube_ops::SECTION;
use crate::settings::{ENVIRONMENT_VARIABLES, LoadOptions, Problems, Settings, same_key};

const ENVIRONMENT: &str = "Development";

/// Short, so that nobody waits long for a takeover. They fit together, so the user's own stand if one of them is set.
const LEASE: [(&str, &str); 3] = [
    ("LeaderElectionLeaseDuration", "00:00:03"),
    ("LeaderElectionRenewDeadline", "00:00:02"),
    ("LeaderElectionRetryPeriod", "00:00:00.5"),
];

/// A line for each reconcile, unless the user says what is logged of the SDK.
const LOG: (&str, &str) = ("Logging:LogLevel:KubeOps.WorkQueue", "Debug");
const LOG_OF_SDK: &str = "logging:loglevel:kubeops";
/// For people, in a pod too.
const FORMAT: (&str, &str) = ("Logging:Console:FormatterName", "simple");

/// What every replica is started with.
#[derive(Clone, Debug)]
pub(super) struct Presets {
    overrides: Overrides,
    /// To be set for the replicas, if no variable names one.
    environment: Option<(&'static str, &'static str)>,
    /// The settings that they will find, but for their own names and addresses.
    pub(super) settings: Settings,
    /// Where `samples` may be.
    pub(super) folders: Vec<PathBuf>,
}

impl Presets {
    /// Finds out what the user has set, on the command line too, and adds the rest.
    pub(super) fn new(overrides: Overrides, mut process: LoadOptions) -> Result<Self, Problems> {
        let is_named = |(name, value): &(String, String)| {
            ENVIRONMENT_VARIABLES.contains(&name.as_str()) && !value.trim().is_empty()
        };
        let environment = (!process.variables.iter().any(is_named)).then_some((ENVIRONMENT_VARIABLES[0], ENVIRONMENT));
        process.variables.retain(|(name, _)| environment.is_none_or(|(set, _)| name != set));
        process.variables.extend(environment.map(|(name, value)| (name.to_owned(), value.to_owned())));

        let crate_directory = process.crate_directory.clone();
        let load = |overrides: &Overrides| {
            let Overrides { file, content_root, set } = overrides.clone();
            Settings::load(LoadOptions { file, content_root, set, ..process.clone() })
        };
        let mut overrides = overrides;
        let of_user = load(&overrides)?;
        overrides.set.extend(missing(&of_user));
        overrides.set.push((key("EnableLeaderElection"), "true".to_owned()));
        // Nobody is bound to a pod here.
        overrides.set.push((key("LeaderElectionFence"), "false".to_owned()));
        // Nor goes a lock with one.
        overrides.set.push((key("LeaderElectionLock"), "Lease".to_owned()));
        let settings = load(&overrides)?;
        let folders = [Some(settings.content_root().to_owned()), crate_directory].into_iter().flatten().collect();
        Ok(Self { overrides, environment, settings, folders })
    }

    /// The command line of a replica with these settings of its own.
    pub(super) fn command(&self, executable: &Path, own: &[(String, String)]) -> std::process::Command {
        let Overrides { file, content_root, set } = &self.overrides;
        let mut command = std::process::Command::new(executable);
        command.arg("run").envs(self.environment);
        for (name, path) in [("--settings", file), ("--content-root", content_root)] {
            if let Some(path) = path {
                command.arg(name).arg(path);
            }
        }
        for (key, value) in set.iter().chain(own) {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        command
    }
}

/// A key of the SDK's section, as `--set` wants it.
pub(super) fn key(name: &str) -> String {
    format!("{SECTION}:{name}")
}

/// The presets for what the user has not set.
fn missing(of_user: &Settings) -> Vec<(String, String)> {
    let is_set = |name: &str| {
        let mut entries = of_user.entries(SECTION).into_iter();
        entries.any(|entry| entry.key.split(':').nth(1).is_some_and(|key| same_key(key, name)))
    };
    let mut missing = Vec::new();
    if !LEASE.iter().any(|(name, _)| is_set(name)) {
        missing.extend(LEASE.map(|(name, value)| (key(name), value.to_owned())));
    }
    let logging: Vec<String> = of_user.entries("Logging").into_iter().map(|entry| entry.key.to_lowercase()).collect();
    for (start, (key, value)) in [(LOG_OF_SDK, LOG), (&*FORMAT.0.to_lowercase(), FORMAT)] {
        if !logging.iter().any(|key| key.starts_with(start)) {
            missing.push((key.to_owned(), value.to_owned()));
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presets(set: &[(&str, &str)], variables: &[(&str, &str)]) -> Presets {
        let owned = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        let overrides = Overrides { set: owned(set), ..Overrides::default() };
        let process = LoadOptions { variables: owned(variables), ..LoadOptions::default() };
        Presets::new(overrides, process).unwrap()
    }

    fn value(presets: &Presets, name: &str) -> Option<String> {
        let mut entries = presets.settings.entries("KubeOps").into_iter();
        entries.find(|entry| entry.key.ends_with(name)).map(|entry| entry.value)
    }

    fn arguments(presets: &Presets) -> Vec<String> {
        let command = presets.command(Path::new("guestbook"), &[(key("Name"), "replica-a".to_owned())]);
        command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn the_lease_is_short_unless_the_user_sets_some_of_it() {
        assert_eq!(value(&presets(&[], &[]), "LeaseDuration").as_deref(), Some("00:00:03"));
        let by_argument = presets(&[("kubeops:LEADER_election_renew_deadline", "9s")], &[]);
        assert_eq!(value(&by_argument, "LeaseDuration"), None);
        let by_variable = presets(&[], &[("KubeOps__LeaderElectionLeaseDuration", "20s")]);
        assert_eq!(value(&by_variable, "LeaseDuration").as_deref(), Some("20s"));
        assert_eq!(value(&by_variable, "RetryPeriod"), None);
    }

    #[test]
    fn replicas_always_elect_a_leader() {
        let presets = presets(&[("KubeOps:EnableLeaderElection", "false")], &[]);
        assert_eq!(value(&presets, "EnableLeaderElection").as_deref(), Some("true"));
        let arguments = arguments(&presets);
        assert_eq!(arguments[..3], ["run", "--set", "KubeOps:EnableLeaderElection=false"]);
        assert_eq!(arguments.last().unwrap(), "KubeOps:Name=replica-a");
    }

    #[test]
    fn the_environment_is_development_unless_a_variable_names_another() {
        let of = |variables: &[(&str, &str)]| {
            let presets = presets(&[], variables);
            let told: Vec<_> = presets.environment.into_iter().collect();
            (presets.settings.environment().to_owned(), told)
        };
        assert_eq!(of(&[]), ("Development".to_owned(), vec![("KUBEOPS_ENVIRONMENT", "Development")]));
        assert_eq!(of(&[("KUBEOPS_ENVIRONMENT", " ")]).0, "Development");
        assert_eq!(of(&[("DOTNET_ENVIRONMENT", "Staging")]), ("Staging".to_owned(), vec![]));
    }

    #[test]
    fn each_reconcile_is_logged_unless_the_user_says_what_is_logged_of_the_sdk() {
        let log = format!("{}={}", LOG.0, LOG.1);
        assert!(arguments(&presets(&[], &[])).contains(&log));
        assert!(!arguments(&presets(&[("Logging:LogLevel:KubeOps", "Warning")], &[])).contains(&log));
    }

    #[test]
    fn logs_are_text_in_a_pod_too_unless_the_user_wants_json() {
        let format = format!("{}={}", FORMAT.0, FORMAT.1);
        assert!(arguments(&presets(&[], &[])).contains(&format));
        let json = presets(&[], &[("Logging__Console__FormatterName", "json")]);
        assert!(!arguments(&json).contains(&format));
    }
}
