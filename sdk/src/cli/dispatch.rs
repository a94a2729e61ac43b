//! What each command does with an operator.

use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use super::arguments::{Command, Invocation, Program, parse};
use super::generate_arguments::{ChartArguments, ManifestsArguments};
use super::manifests::{Target, generate_manifests, typed_chart, typed_dockerfile, typed_manifests, write_or_check};
use super::overrides::Overrides;
use super::uninstall::Confirmation;
use super::{generate_crds, install, uninstall, version};
use crate::chain::chain;
use crate::connect::{ConnectError, Connection, Environment, connect};
use crate::host::signals;
use crate::leadership::life::LeaderLockApi;
use crate::operator::kube_ops::{Defaults, KubeOps, listing, text_table};
use crate::operator::{Operator, Placement, RunError};
use crate::settings::{LoadOptions, Settings};

/// How long a CRD may take to be Established, or to be gone.
const CRD_TIMEOUT: Duration = Duration::from_secs(60);

impl<S: Clone + Send + Sync + 'static> Operator<S> {
    /// Does what the command line says: run (the default), `install`, `uninstall`, `generate manifests`,
    /// `generate helm`, `generate dockerfile`, `generate crds`, `settings` or `version`; with the feature `dev`, `dev` too.
    ///
    /// Returns what the process is to exit with: 0 stopped or done as asked, 1 failed, 2 usage, 78 bad settings. After a
    /// failed service (1) or a second signal (130 or 143) the process exits from within, without waiting for blocked threads.
    ///
    /// # Panics
    /// Outside of a multi-threaded tokio runtime with I/O and time.
    pub async fn run(self) -> ExitCode {
        let program = Program { name: self.parts().name, version: self.parts().version, about: self.parts().about };
        let invocation = match parse(program, std::env::args_os()) {
            Ok(invocation) => invocation,
            Err(usage) => {
                let _unwritable = usage.write(&mut io::stdout(), &mut io::stderr());
                return ExitCode::from(usage.exit_code());
            }
        };
        let Failure { code, text } = match self.execute(program, invocation).await {
            Ok(()) => return ExitCode::SUCCESS,
            Err(failure) => failure,
        };
        let _unwritable = writeln!(io::stderr(), "{}: {text}", program.name);
        ExitCode::from(code)
    }

    async fn execute(self, program: Program, invocation: Invocation) -> Result<(), Failure> {
        let Invocation { command, overrides } = invocation;
        let out = &mut io::stdout();
        let crds = self.parts().crds();
        match command {
            Command::Run => self.serve_until_signal(&overrides).await,
            Command::Settings => {
                let settings = load(overrides)?;
                let defaults = self.parts().defaults(cluster().await.ok().as_ref());
                Ok(print_settings(&settings, &defaults, out)?)
            }
            Command::GenerateCrds { out: directory, format } => {
                let crds = with_lock(crds, overrides)?;
                Ok(generate_crds(program.name, &crds, directory.as_deref(), format, out)?)
            }
            Command::GenerateManifests(arguments) => self.generate_manifests(&program, &arguments, overrides, out),
            Command::GenerateHelm(arguments) => self.generate_chart(&program, &arguments, overrides, out),
            Command::GenerateDockerfile { out: folder, check } => {
                let typed = typed_dockerfile(program.name, &overrides);
                let (settings, set) = settings_of_pod(overrides)?;
                let placement = Placement { image: None, namespace: None, fence: false, set, typed };
                Ok(write_or_check(&self.parts().dockerfile(&settings, placement)?, &folder, check, out)?)
            }
            Command::Install => {
                let crds = with_lock(crds, overrides)?;
                let connection = cluster().await?;
                let client = connection.client()?;
                writeln!(out, "{connection}")?;
                Ok(install(&client, program.name, &crds, CRD_TIMEOUT, out).await?)
            }
            Command::Uninstall { yes } => {
                let connection = cluster().await?;
                let mut input = io::stdin().lock();
                let confirmation = match yes {
                    true => Confirmation::Given,
                    false if io::stdin().is_terminal() => Confirmation::Ask(&mut input),
                    false => Confirmation::Impossible,
                };
                let (client, name) = (connection.client()?, connection.to_string());
                let done = uninstall(&client, &name, &crds, confirmation, CRD_TIMEOUT, out).await;
                done.map_err(|error| Failure { code: error.exit_code(), text: chain(&error) })
            }
            Command::Version => {
                let cluster = match cluster().await {
                    Ok(connection) => connection.client().map(|client| (connection, client)),
                    Err(error) => Err(error),
                };
                Ok(version(program, cluster, out).await?)
            }
            #[cfg(feature = "dev")]
            Command::Dev(options) => {
                let done = super::dev::dev(program.name, &crds, overrides, &options).await;
                done.map_err(|error| Failure { code: error.exit_code(), text: chain(&error) })
            }
        }
    }

    fn generate_manifests(
        &self,
        program: &Program,
        arguments: &ManifestsArguments,
        overrides: Overrides,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let ManifestsArguments { out: folder, format, check, fence, image, namespace } = arguments;
        let typed = typed_manifests(program.name, arguments, &overrides);
        let (settings, set) = settings_of_pod(overrides)?;
        let placement = Placement { image: image.clone(), namespace: namespace.clone(), fence: *fence, set, typed };
        let manifests = self.parts().manifests(&settings, placement)??;
        let target = match folder {
            None => Target::Stream,
            Some(folder) if *check => Target::Check(folder),
            Some(folder) => Target::Write(folder),
        };
        Ok(generate_manifests(&manifests, target, *format, out)?)
    }

    fn generate_chart(
        &self,
        program: &Program,
        arguments: &ChartArguments,
        overrides: Overrides,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let ChartArguments { out: folder, check, image } = arguments;
        let typed = typed_chart(program.name, arguments, &overrides);
        let (settings, set) = settings_of_pod(overrides)?;
        let placement = Placement { image: image.clone(), namespace: None, fence: false, set, typed };
        let files = self.parts().chart(&settings, placement)??;
        Ok(write_or_check(&files, folder, *check, out)?)
    }

    async fn serve_until_signal(self, overrides: &Overrides) -> Result<(), Failure> {
        let settings = load(overrides.clone())?;
        let name = self.parts().name;
        let signals = signals(|second| exit(second.exit_code())).map_err(RunError::Signals)?;
        let ended = self.serve(settings, &Environment::of_process(), signals).await;
        if let Err(RunError::Host(error)) = &ended {
            let _unwritable = writeln!(io::stderr(), "{name}: {error}");
            exit(error.exit_code());
        }
        Ok(ended?)
    }
}

/// Ends the process without dropping the runtime, which would wait for threads that block: a service that did not end may.
fn exit(code: u8) -> ! {
    std::process::exit(code.into())
}

async fn cluster() -> Result<Connection, ConnectError> {
    connect(&Environment::of_process()).await
}

fn load(overrides: Overrides) -> Result<Settings, Failure> {
    load_from(overrides, LoadOptions::of_this_process())
}

/// These, and the definition of the lock if the settings choose one that needs it.
fn with_lock(
    crds: Vec<CustomResourceDefinition>,
    overrides: Overrides,
) -> Result<Vec<CustomResourceDefinition>, Failure> {
    let lock = KubeOps::leader_lock_in(&load(overrides)?).map(LeaderLockApi::definition);
    Ok(crds.into_iter().chain(lock).collect())
}

/// What a pod will read, and of it what comes from the command line: the variables of who runs this are not the pod's.
fn settings_of_pod(overrides: Overrides) -> Result<(Settings, Vec<(String, String)>), Failure> {
    let set = overrides.set.clone();
    let options = LoadOptions { variables: Vec::new(), ..LoadOptions::of_this_process() };
    Ok((load_from(overrides, options)?, set))
}

fn load_from(overrides: Overrides, options: LoadOptions) -> Result<Settings, Failure> {
    let Overrides { file, content_root, set } = overrides;
    let options = LoadOptions { file, content_root, set, ..options };
    Settings::load(options).map_err(RunError::Settings).map_err(Failure::from)
}

fn print_settings(settings: &Settings, defaults: &Defaults, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{}", text_table(&listing(settings, defaults)))
}

/// What the process exits with, and what it says.
struct Failure {
    code: u8,
    text: String,
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self { code: error.exit_code(), text: chain(&error) }
    }
}

macro_rules! failures_with_code_1 {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self { code: 1, text: chain(&error) }
            }
        })+
    };
}

failures_with_code_1!(io::Error, ConnectError, super::GenerateError, super::InstallError, super::VersionError);
