//! A replica of the operator: a process that is started again when it ends, as a kubelet does.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use kubeops_testkit::Process;

use crate::Failure;
use crate::cluster::Cluster;
use crate::screen::Colour;
use crate::tail::Tail;

/// How long a replica stays down. Longer than the lease, so that another takes over first.
pub(crate) const RESTART_AFTER: Duration = Duration::from_secs(5);

/// Short, so that nobody waits long for a takeover. The sample has 15 seconds, with 10 and 2 for the two below.
pub(crate) const LEASE: &str = "00:00:03";

/// What differs from the sample's own settings.
const SETTINGS: [(&str, &str); 6] = [
    ("KubeOps__LeaderElectionLeaseDuration", LEASE),
    ("KubeOps__LeaderElectionRenewDeadline", "00:00:02"),
    ("KubeOps__LeaderElectionRetryPeriod", "00:00:00.5"),
    // Free ports; the log tells which.
    ("KubeOps__HealthAddress", "127.0.0.1:0"),
    ("KubeOps__MetricsAddress", "127.0.0.1:0"),
    // A line for each reconcile.
    ("Logging__LogLevel__KubeOps_WorkQueue", "Debug"),
];

#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) name: &'static str,
    pub(crate) colour: Colour,
    log: Tail,
    state: State,
}

#[derive(Debug)]
enum State {
    Up { process: Process, health: Option<String>, metrics: Option<String>, told: bool },
    Down { since: Option<Instant> },
}

/// How a process ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    code: i32,
}

impl Replica {
    /// One that is down.
    pub(crate) fn new(name: &'static str, colour: Colour, cluster: &Cluster) -> Result<Self, Failure> {
        let log = Tail::create(&Self::log_path(name, cluster))?;
        Ok(Self { name, colour, log, state: State::Down { since: None } })
    }

    /// Starts a new process, unless one runs. Returns its id.
    pub(crate) fn start(&mut self, cluster: &Cluster) -> Result<Option<u32>, Failure> {
        if self.is_up() {
            return Ok(None);
        }
        let mut command = cluster.guestbook(self.name)?;
        command.env("KubeOps__Name", self.name).envs(SETTINGS);
        let process = Process::spawn(&command, Self::log_path(self.name, cluster))?;
        let id = process.id();
        self.state = State::Up { process, health: None, metrics: None, told: false };
        Ok(Some(id))
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// It has been down for long enough.
    pub(crate) fn is_due(&self) -> bool {
        matches!(self.state, State::Down { since: Some(since) } if since.elapsed() >= RESTART_AFTER)
    }

    /// SIGKILL. Nothing if it is down, here and below: it may have ended a moment ago.
    pub(crate) fn kill(&mut self) {
        self.signal(Process::kill);
    }

    /// SIGTERM.
    pub(crate) fn terminate(&mut self) {
        self.signal(Process::terminate);
    }

    /// How it ended, once after each end.
    pub(crate) fn check_end(&mut self) -> Result<Option<Ended>, Failure> {
        let State::Up { process, .. } = &mut self.state else { return Ok(None) };
        let Some(code) = process.exit_code()? else { return Ok(None) };
        self.state = State::Down { since: Some(Instant::now()) };
        Ok(Some(Ended { code }))
    }

    /// What it has logged since the last call.
    pub(crate) fn log_lines(&mut self) -> Result<Vec<String>, Failure> {
        let lines = self.log.lines()?;
        if let State::Up { health, metrics, .. } = &mut self.state {
            for line in &lines {
                note(line, "health on ", health);
                note(line, "metrics on ", metrics);
            }
        }
        Ok(lines)
    }

    /// Whether it has said where it is to be found.
    pub(crate) fn is_known(&self) -> bool {
        matches!(self.state, State::Up { health: Some(_), metrics: Some(_), .. })
    }

    /// Where it is to be found, once for each process, when it is known.
    pub(crate) fn introduction(&mut self) -> Option<String> {
        let State::Up { process, health: Some(health), metrics: Some(metrics), told: told @ false } = &mut self.state
        else {
            return None;
        };
        *told = true;
        Some(format!("{}: pid {}  {health}/readyz?verbose  {metrics}/metrics", self.name, process.id()))
    }

    fn signal(&mut self, send: impl Fn(&mut Process) -> Result<(), kubeops_testkit::Error>) {
        if let State::Up { process, .. } = &mut self.state {
            // Only a process that has ended takes no signal, and that is told when its end is seen.
            let _ended = send(process);
        }
    }

    fn log_path(name: &str, cluster: &Cluster) -> PathBuf {
        cluster.plane.directory().join(format!("{name}.log"))
    }
}

impl Ended {
    /// What became of the replica, as in "replica-a was killed".
    pub(crate) fn how(self) -> String {
        match self.code {
            0 => "was stopped".to_owned(),
            137 => "was killed".to_owned(),
            code => format!("ended with code {code}"),
        }
    }
}

/// Takes over the URL behind `label`.
fn note(line: &str, label: &str, url: &mut Option<String>) {
    if let Some((_, behind)) = line.split_once(label)
        && behind.starts_with("http://")
    {
        *url = behind.split_whitespace().next().map(str::to_owned);
    }
}
