//! `version`: of the operator, the SDK and the cluster.

use std::io::{self, Write};
use std::time::Duration;

use kube::Client;

use super::Program;
use crate::connect::{ConnectError, Connection};
use crate::crds::{RequestError, ask_within};

/// Nobody waits longer for a version.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The cluster's version is not known. The others have been written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// No cluster is configured, or not well.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The cluster does not answer as it should.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The output could not be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

/// Writes the versions of operator, SDK and cluster, the last within five seconds.
///
/// # Errors
/// If there is no cluster or it does not answer; the other versions have been written then.
///
/// # Cancel safety
/// It only reads.
pub async fn version(
    program: Program,
    cluster: Result<(Connection, Client), ConnectError>,
    out: &mut impl Write,
) -> Result<(), VersionError> {
    let width = program.name.len().max("kubeops".len());
    let mut line = |name: &str, version: &str| {
        writeln!(out, "{name:width$}  {version}")?;
        out.flush()
    };
    line(program.name, program.version)?;
    line("kubeops", env!("CARGO_PKG_VERSION"))?;
    let (connection, client) = cluster?;
    let server = format!("the version of the cluster ({connection})");
    let info = ask_within(TIMEOUT, "read", &server, client.apiserver_version()).await?;
    Ok(line("cluster", &format!("{} ({connection})", info.git_version))?)
}
