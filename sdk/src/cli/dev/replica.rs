//! A replica of the operator: a process that is started again when it ends, as a kubelet does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use kubeops_testkit::Process;

use super::DevError;
use super::cluster::Cluster;
use super::ports::Ports;
use super::presets::{Presets, key};
use super::tail::Tail;

/// How long a replica stays down. Longer than the lease, so that another takes over first.
pub(super) const RESTART_AFTER: Duration = Duration::from_secs(5);
/// One that fails again and again is started less and less often, down to this.
const RESTART_AFTER_AT_MOST: Duration = Duration::from_secs(60);
/// Whoever has run for so long did not fail at the start.
const STARTED: Duration = Duration::from_secs(10);

/// Codes of a process that was stopped, and of one that was killed.
const STOPPED: i32 = 0;
const KILLED: i32 = 137;
/// As shells tell that there is no program to run.
const NOT_STARTED: [i32; 2] = [126, 127];

#[derive(Debug)]
pub(super) struct Replica {
    pub(super) name: String,
    executable: PathBuf,
    kubeconfig: PathBuf,
    log_path: PathBuf,
    log: Tail,
    ports: Ports,
    /// How long it is to be down after its next end.
    pause: Duration,
    /// Whether there was a process before this one. Later the program may be missing for a moment, while cargo builds it anew.
    has_run: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Up { process: Process, since: Instant },
    Down { until: Instant },
}

/// How a process ended, and when there will be a new one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    code: i32,
    pub(super) again_in: Duration,
}

impl Replica {
    /// `replica-a` and so on.
    pub(super) fn name(at: usize) -> String {
        let letter = u8::try_from(at).map_or('z', |at| char::from(b'a'.saturating_add(at)));
        format!("replica-{letter}")
    }

    /// One that is down.
    pub(super) fn new(name: String, executable: &Path, ports: Ports, cluster: &Cluster) -> Result<Self, DevError> {
        let log_path = cluster.folder.file(&format!("{name}.log"));
        let log = Tail::create(&log_path).map_err(DevError::io(format!("create {}", log_path.display())))?;
        let kubeconfig = cluster.kubeconfig_of(&name)?;
        let state = State::Down { until: Instant::now() };
        let executable = executable.to_owned();
        Ok(Self { name, executable, kubeconfig, log_path, log, ports, pause: RESTART_AFTER, has_run: false, state })
    }

    /// Starts a new process, unless one runs. Says where it is to be found.
    pub(super) fn start(&mut self, presets: &Presets) -> Result<Option<String>, DevError> {
        if self.is_up() {
            return Ok(None);
        }
        self.ports = self.ports.still_free().map_err(DevError::io("find a free port"))?;
        let process = Process::spawn(&self.command(presets), &self.log_path)?;
        let Ports { health, metrics, status } = self.ports;
        let (name, pid) = (&self.name, process.id());
        let told = format!(
            "{name} is started: pid {pid}  http://{status}/  http://{health}/readyz?verbose  http://{metrics}/metrics"
        );
        self.state = State::Up { process, since: Instant::now() };
        Ok(Some(told))
    }

    fn command(&self, presets: &Presets) -> Command {
        let Ports { health, metrics, status } = self.ports;
        let own = [
            ("Name", self.name.clone()),
            ("HealthAddress", health.to_string()),
            ("MetricsAddress", metrics.to_string()),
            ("StatusAddress", status.to_string()),
        ];
        let mut command = presets.command(&self.executable, &own.map(|(name, value)| (key(name), value)));
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// It has been down for long enough.
    pub(super) fn is_due(&self) -> bool {
        matches!(self.state, State::Down { until } if Instant::now() >= until)
    }

    /// SIGKILL. Nothing if it is down, here and below: it may have ended a moment ago.
    pub(super) fn kill(&mut self) {
        self.signal(Process::kill);
    }

    /// SIGTERM.
    pub(super) fn terminate(&mut self) {
        self.signal(Process::terminate);
    }

    /// How it ended, once after each end.
    pub(super) fn check_end(&mut self) -> Result<Option<Ended>, DevError> {
        let State::Up { process, since } = &mut self.state else { return Ok(None) };
        let Some(code) = process.exit_code()? else { return Ok(None) };
        if NOT_STARTED.contains(&code) && !self.has_run {
            return Err(DevError::NotStarted { name: self.name.clone(), log: process.log() });
        }
        self.has_run = true;
        let failed_at_start = ![STOPPED, KILLED].contains(&code) && since.elapsed() < STARTED;
        let again_in = if failed_at_start { self.pause } else { RESTART_AFTER };
        self.pause = next_pause(self.pause, failed_at_start);
        self.state = State::Down { until: Instant::now() + again_in };
        Ok(Some(Ended { code, again_in }))
    }

    /// What it has logged since the last call.
    pub(super) fn log_lines(&mut self) -> Result<Vec<String>, DevError> {
        self.log.lines().map_err(DevError::io(format!("read {}", self.log_path.display())))
    }

    fn signal(&mut self, send: impl Fn(&mut Process) -> Result<(), kubeops_testkit::Error>) {
        if let State::Up { process, .. } = &mut self.state {
            // Only a process that has ended takes no signal, and that is told when its end is seen.
            let _ended = send(process);
        }
    }
}

impl Ended {
    /// What became of the replica, as in "replica-a was killed".
    pub(super) fn how(self) -> String {
        match self.code {
            STOPPED => "was stopped".to_owned(),
            KILLED => "was killed".to_owned(),
            code => format!("ended with code {code}"),
        }
    }
}

/// The pause after the next failure at the start: twice as long each time, and short again after a good start.
fn next_pause(pause: Duration, failed_at_start: bool) -> Duration {
    if failed_at_start { (pause * 2).min(RESTART_AFTER_AT_MOST) } else { RESTART_AFTER }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::dev::folder::Folder;
    use crate::cli::overrides::Overrides;
    use crate::settings::LoadOptions;

    #[test]
    fn one_that_fails_at_each_start_is_started_less_and_less_often() {
        let failing = std::iter::successors(Some(RESTART_AFTER), |pause| Some(next_pause(*pause, true)));
        assert_eq!(failing.take(6).map(|pause| pause.as_secs()).collect::<Vec<_>>(), [5, 10, 20, 40, 60, 60]);
        assert_eq!(next_pause(RESTART_AFTER_AT_MOST, false), RESTART_AFTER);
    }

    #[tokio::test]
    async fn a_program_that_cannot_be_run_is_an_error_at_the_first_start_only() {
        let folder = Folder::create(&std::env::current_exe().unwrap(), "replica-test").unwrap();
        let cluster = Cluster::start(0, folder).await.unwrap();
        let presets = Presets::new(Overrides::default(), LoadOptions::default()).unwrap();
        let ports = Ports::free(1).unwrap()[0];
        let mut replica = Replica::new(Replica::name(0), Path::new("/nowhere/guestbook"), ports, &cluster).unwrap();

        let error = ended(&mut replica, &presets).await.unwrap_err();
        assert!(matches!(&error, DevError::NotStarted { log, .. } if log.contains("/nowhere/guestbook")), "{error}");
        replica.has_run = true;
        replica.state = State::Down { until: Instant::now() };
        assert_eq!(ended(&mut replica, &presets).await.unwrap().how(), "ended with code 127");
    }

    async fn ended(replica: &mut Replica, presets: &Presets) -> Result<Ended, DevError> {
        replica.start(presets).unwrap();
        loop {
            if let Some(ended) = replica.check_end()? {
                return Ok(ended);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[test]
    fn every_replica_has_a_letter() {
        assert_eq!((Replica::name(0), Replica::name(25)), ("replica-a".to_owned(), "replica-z".to_owned()));
    }
}
