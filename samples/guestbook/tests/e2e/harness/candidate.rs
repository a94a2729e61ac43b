//! Programs that stand for a Lease: ours, and one on client-go.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kubeops_testkit::Process;

use super::http;
use super::{NAMESPACE, Replica};

/// Who does not answer by then claims nothing: it stands still.
const ANSWER: Duration = Duration::from_millis(500);

/// A program that runs.
#[derive(Debug)]
pub(crate) enum Candidate {
    Ours(Replica),
    Go(Process),
}

/// How to start the program on client-go. Each start is a new process that appends to the same log.
#[derive(Clone, Debug)]
pub(crate) struct GoRecipe {
    program: PathBuf,
    kubeconfig: PathBuf,
    log: PathBuf,
    lock: String,
    times: [&'static str; 3],
}

impl GoRecipe {
    /// `times`: lease duration, renew deadline and retry period, as Go writes them.
    pub(crate) fn new(lock: &str, kubeconfig: &Path, log: &Path, times: [&'static str; 3]) -> Self {
        let program = std::env::var_os("KUBEOPS_CONTENDER");
        let program = program.expect("KUBEOPS_CONTENDER is not set: `cargo xtask test` sets it").into();
        Self { program, kubeconfig: kubeconfig.to_owned(), log: log.to_owned(), lock: lock.to_owned(), times }
    }

    /// Starts the process, which stands under this identity, and returns at once.
    pub(crate) fn start(&self, identity: &str) -> Candidate {
        let mut command = Command::new(&self.program);
        command.arg(&self.kubeconfig).args([NAMESPACE, &self.lock, identity]).args(self.times);
        Candidate::Go(Process::spawn(&command, &self.log).expect("start the Go program"))
    }
}

impl Candidate {
    pub(crate) async fn claims_to_lead(&self) -> bool {
        let asked = async {
            match self {
                Self::Ours(replica) => replica.says_it_leads().await,
                Self::Go(process) => http::get(address(process)?, "/").await.map(|(status, _)| status == 200),
            }
        };
        matches!(tokio::time::timeout(ANSWER, asked).await, Ok(Ok(true)))
    }

    /// Whether it stands: ours with warm caches.
    pub(crate) async fn answers(&self) -> bool {
        let asked = async {
            match self {
                Self::Ours(replica) => replica.health("/readyz").await.map(|(status, _)| status == 200),
                Self::Go(process) => http::get(address(process)?, "/").await.map(|_| true),
            }
        };
        matches!(tokio::time::timeout(ANSWER, asked).await, Ok(Ok(true)))
    }

    pub(crate) const fn process(&mut self) -> &mut Process {
        match self {
            Self::Ours(replica) => replica.process_mut(),
            Self::Go(process) => process,
        }
    }
}

fn address(process: &Process) -> Result<SocketAddr, String> {
    let log = process.log();
    let told = log.rsplit_once("answers on http://").and_then(|(_, rest)| rest.lines().next()?.parse().ok());
    told.ok_or_else(|| "it has no address yet".to_owned())
}
