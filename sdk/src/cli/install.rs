//! `install`: the CRDs into the cluster, and a line for each.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;

use crate::crds::{self, Progress};

/// `install` failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The CRDs are not, or not all, installed.
    #[error(transparent)]
    Crds(#[from] crds::InstallError),
    /// The output could not be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

/// [Installs](crds::install) the CRDs, and writes a line for each as soon as the server serves it: `created`, `configured` or
/// `unchanged`. If that takes long, it says so meanwhile.
///
/// # Errors
/// At the first CRD that fails; those before it are installed.
///
/// # Cancel safety
/// What was applied stays so; running it again does no harm.
pub async fn install(
    client: &Client,
    field_manager: &str,
    crds: &[CustomResourceDefinition],
    timeout: Duration,
    out: &mut impl Write,
) -> Result<(), InstallError> {
    let mut written = Ok(());
    let tell = |progress: Progress<'_>| {
        let line = writeln!(out, "{}", Line(&progress)).and_then(|()| out.flush());
        if written.is_ok() {
            written = line;
        }
    };
    let installed = crds::install(client, field_manager, crds, timeout, tell).await;
    written?;
    Ok(installed?)
}

struct Line<'a>(&'a Progress<'a>);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Progress::Waiting { name, waited, reason } => {
                write!(f, "{name} is applied, and not established after {} s: {reason}; waiting", waited.as_secs())
            }
            Progress::Done { name, effect, of: 1, .. } => write!(f, "{name} {}", effect.as_str()),
            Progress::Done { name, effect, number, of } => write!(f, "{number}/{of} {name} {}", effect.as_str()),
        }
    }
}
