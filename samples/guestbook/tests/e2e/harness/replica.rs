//! A replica: the real binary as a child process, with an identity, settings, ports and a log of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use kubeops_testkit::Process;

use super::PATIENCE;
use super::http;
use super::wait::eventually;

/// Shown of a log when a test fails; the whole of it stays in the test's directory.
const LINES_SHOWN: usize = 150;

/// How to start a replica. Each start is a new process that appends to the same log.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    name: String,
    kubeconfig: Option<PathBuf>,
    directory: PathBuf,
    settings: BTreeMap<String, String>,
    arguments: Vec<String>,
}

impl Recipe {
    /// A replica in `directory` that talks to the server by `kubeconfig`; short lease, free ports, JSON off.
    pub(crate) fn new(name: &str, kubeconfig: &Path, directory: &Path) -> Self {
        let recipe = Self {
            name: name.to_owned(),
            kubeconfig: Some(kubeconfig.to_owned()),
            directory: directory.to_owned(),
            settings: BTreeMap::new(),
            arguments: Vec::new(),
        };
        recipe
            .set("KubeOps__Name", name)
            .set("KubeOps__HealthAddress", "127.0.0.1:0")
            .set("KubeOps__MetricsAddress", "127.0.0.1:0")
            .set("KubeOps__ErrorBackoffMax", "00:00:02")
            .lease("00:00:03", "00:00:02", "00:00:00.5")
    }

    /// A variable of the environment.
    pub(crate) fn set(mut self, variable: &str, value: &str) -> Self {
        self.settings.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// Leaves a variable out that replicas have by default.
    pub(crate) fn unset(mut self, variable: &str) -> Self {
        self.settings.remove(variable);
        self
    }

    /// Lease duration, renew deadline and retry period.
    pub(crate) fn lease(self, duration: &str, deadline: &str, period: &str) -> Self {
        self.set("KubeOps__LeaderElectionLeaseDuration", duration)
            .set("KubeOps__LeaderElectionRenewDeadline", deadline)
            .set("KubeOps__LeaderElectionRetryPeriod", period)
    }

    /// What the sample has by default: 15 s, 10 s, 2 s.
    pub(crate) fn default_lease(self) -> Self {
        self.lease("00:00:15", "00:00:10", "00:00:02")
    }

    /// Another kubeconfig, say through a proxy.
    pub(crate) fn kubeconfig(mut self, kubeconfig: &Path) -> Self {
        self.kubeconfig = Some(kubeconfig.to_owned());
        self
    }

    /// Without `KUBECONFIG`, and there is none in the home directory either.
    pub(crate) fn without_kubeconfig(mut self) -> Self {
        self.kubeconfig = None;
        self
    }

    /// One more argument on the command line.
    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts the process and returns at once.
    pub(crate) fn start(&self) -> Replica {
        let log = self.directory.join(format!("{}.log", self.name));
        let begun_at = std::fs::metadata(&log).map_or(0, |log| log.len());
        let process = Process::spawn(&self.command(), &log).expect("start the guestbook binary");
        Replica { name: self.name.clone(), log, begun_at, process }
    }

    /// Runs to its end, for commands and for runs that must fail; stdout and stderr apart.
    pub(crate) async fn run(&self) -> Output {
        let mut command = tokio::process::Command::from(self.command());
        command.stdin(Stdio::null()).kill_on_drop(true);
        let ended = tokio::time::timeout(PATIENCE, command.output()).await;
        ended
            .unwrap_or_else(|_| panic!("guestbook {:?} did not end", self.arguments))
            .expect("run the guestbook binary")
    }

    /// By `env -i`, so that only what is set here reaches the process: no RUST_LOG, POD_NAME or cargo's variables of
    /// whoever runs the tests.
    fn command(&self) -> Command {
        let mut command = Command::new("env");
        command.arg("-i").current_dir(&self.directory);
        let surroundings = [
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("HOME", self.directory.display().to_string()),
            ("RUST_BACKTRACE", "1".to_owned()),
        ];
        command.args(surroundings.map(|(name, value)| format!("{name}={value}")));
        command.args(self.kubeconfig.iter().map(|path| format!("KUBECONFIG={}", path.display())));
        command.args(self.settings.iter().map(|(name, value)| format!("{name}={value}")));
        // A chore that measures gives one that was built for release.
        let given = std::env::var_os("KUBEOPS_GUESTBOOK");
        command.arg(given.unwrap_or_else(|| env!("CARGO_BIN_EXE_guestbook").into())).args(&self.arguments);
        command
    }
}

/// A running replica. Dropping it kills the process, also one that is stopped, and shows its log if the test is failing.
#[derive(Debug)]
pub(crate) struct Replica {
    name: String,
    log: PathBuf,
    /// Where this process' own lines begin in the log.
    begun_at: u64,
    process: Process,
}

impl Replica {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) const fn process_mut(&mut self) -> &mut Process {
        &mut self.process
    }

    /// What this process has logged so far.
    pub(crate) fn log(&self) -> String {
        let whole = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(whole.get(self.begun_at as usize..).unwrap_or_default()).into_owned()
    }

    /// The lines of the log that hold every one of `words`.
    pub(crate) fn log_lines(&self, words: &[&str]) -> Vec<String> {
        self.log().lines().filter(|line| words.iter().all(|word| line.contains(word))).map(str::to_owned).collect()
    }

    #[track_caller]
    pub(crate) fn assert_running(&mut self) {
        let code = self.process.exit_code().expect("look at the process");
        assert_eq!(code, None, "{} has ended", self.name);
    }

    /// SIGTERM. The instant, as of every signal here, is the one right before.
    pub(crate) fn terminate(&mut self) -> Instant {
        self.signal(Process::terminate)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) -> Instant {
        self.signal(Process::kill)
    }

    /// SIGSTOP.
    pub(crate) fn freeze(&mut self) -> Instant {
        self.signal(Process::freeze)
    }

    /// SIGCONT.
    pub(crate) fn resume(&mut self) -> Instant {
        self.signal(Process::resume)
    }

    fn signal(&mut self, send: impl Fn(&mut Process) -> Result<(), kubeops_testkit::Error>) -> Instant {
        let sent = Instant::now();
        send(&mut self.process).expect("signal the replica");
        sent
    }

    /// Waits for the process to end by itself; 128 and the signal's number if a signal ended it.
    pub(crate) async fn ended(&mut self) -> i32 {
        self.process.ended(PATIENCE).await.expect("the replica ends")
    }

    /// SIGTERM, and the exit code.
    pub(crate) async fn stop(&mut self) -> i32 {
        self.terminate();
        self.ended().await
    }

    /// Status and body of a path on the health port.
    pub(crate) async fn health(&self, path: &str) -> Result<(u16, String), String> {
        http::get(self.address("health on http://")?, path).await
    }

    /// Status and body of a path on the metrics port.
    pub(crate) async fn metrics(&self, path: &str) -> Result<(u16, String), String> {
        http::get(self.address("metrics on http://")?, path).await
    }

    /// The sample of one metric whose name and labels hold every one of `labels`.
    pub(crate) async fn metric(&self, name: &str, labels: &[&str]) -> Result<f64, String> {
        let (status, text) = self.metrics("/metrics").await?;
        if status != 200 {
            return Err(format!("metrics answer {status}: {text}"));
        }
        let of_name = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        let line = text.lines().filter(of_name).find(|line| labels.iter().all(|label| line.contains(label)));
        let line = line.ok_or_else(|| format!("no {name} with {labels:?} among the metrics of {}", self.name))?;
        line.rsplit(' ').next().and_then(|value| value.parse().ok()).ok_or_else(|| format!("no number: {line}"))
    }

    /// What this replica itself says of leading.
    pub(crate) async fn says_it_leads(&self) -> Result<bool, String> {
        self.metric("leader_election_master_status", &[]).await.map(|value| value == 1.0)
    }

    pub(crate) async fn wait_says_it_leads(&self, leads: bool, within: Duration) {
        eventually(&format!("{} says leading: {leads}", self.name), within, async || {
            match self.says_it_leads().await {
                Ok(now) if now == leads => Ok(()),
                Ok(now) => Err(format!("leader_election_master_status says {now}")),
                Err(error) => Err(error),
            }
        })
        .await;
    }

    /// Waits until a path on the health port answers `status`, and returns the body.
    pub(crate) async fn wait_health(&self, path: &str, status: u16) -> String {
        eventually(&format!("{} answers {status} on {path}", self.name), PATIENCE, async || {
            match self.health(path).await? {
                (now, body) if now == status => Ok(body),
                (now, body) => Err(format!("{now}: {body}")),
            }
        })
        .await
    }

    pub(crate) async fn wait_ready(&self) {
        self.wait_health("/readyz", 200).await;
    }

    /// The address that the log names behind `label`.
    fn address(&self, label: &str) -> Result<SocketAddr, String> {
        let log = self.log();
        let (_, behind) = log.split_once(label).ok_or_else(|| format!("{} has not logged {label:?} yet", self.name))?;
        let end = behind.find(|c: char| !(c.is_ascii_hexdigit() || ".:[]".contains(c))).unwrap_or(behind.len());
        behind[..end].trim_end_matches(['.', ':']).parse().map_err(|error| format!("{:?}: {error}", &behind[..end]))
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let shown = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
            println!("--- {} ({}, last {} of {} lines)", self.name, self.log.display(), shown.len(), lines.len());
            println!("{}\n--- end of {}", shown.join("\n"), self.name);
        }
    }
}

/// The replica whose identity this is: `holderIdentity` is `<Name>_<uid>`, and a Name holds no `_`.
pub(crate) fn replica_of(identity: &str) -> &str {
    identity.split_once('_').map_or(identity, |(name, _)| name)
}
