//! Child processes that cannot outlive the test.
//!
//! A destructor does not run when the test is killed, so each child runs below a small shell, which reads a pipe whose
//! other end only the test holds. However the test ends, the kernel closes that end, and the shell kills the child.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Error;

/// `$1` is the log, the rest the program and its arguments. The shell leads a process group of its own, so `kill 0` reaches
/// all that runs below it, and no process id can have been given to somebody else meanwhile. The program is in the foreground,
/// because shells let what is in the background ignore SIGINT. The test itself may have been started like that, which a shell
/// can't undo for its children; GNU's `env` can.
const SUPERVISOR: &str = r#"
exec 3<&0
( read -r _ <&3; kill -9 0 ) &
guard=$!
/bin/sh -c 'echo "$$"; exec >>"$0" 2>&1
if env --default-signal=INT true 2>/dev/null; then exec env --default-signal=INT "$@"; else exec "$@"; fi' "$@" 3<&- </dev/null
code=$?
kill "$guard"
exit "$code"
"#;

/// How often an awaited process is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// How much of a log goes into an error.
const LOG_LINES: usize = 30;

/// A child process that dies with the test: when this value is dropped, when the test panics, and when the test's own
/// process is interrupted or killed.
///
/// ```no_run
/// # async fn example(binary: &str) -> Result<(), kubeops_testkit::Error> {
/// use std::{process::Command, time::Duration};
/// use kubeops_testkit::Process;
///
/// let mut command = Command::new(binary);
/// command.env("KubeOps__Name", "replica-a");
/// let mut replica = Process::spawn(&command, "replica-a.log")?;
/// replica.terminate()?;
/// assert_eq!(replica.ended(Duration::from_secs(10)).await?, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    pid: Pid,
    supervisor: Child,
    /// Its end is the child's end.
    lifeline: Option<ChildStdin>,
}

impl Process {
    /// Starts `command`: its program, arguments, folder and the variables set or removed on it (`env_clear` and redirections are not
    /// carried over). What it writes to stdout and stderr is appended to the file `log`.
    ///
    /// # Errors
    ///
    /// Only if the supervisor cannot be started. A program that cannot be started ends with code 126 or 127, and the log says why.
    pub fn spawn(command: &Command, log: impl AsRef<Path>) -> Result<Self, Error> {
        let program = Path::new(command.get_program());
        let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        let failed = || Error::io(format!("start {name}"));
        // The shell opens the log, perhaps in another folder.
        let log = std::path::absolute(log).map_err(failed())?;

        let mut supervisor = supervise(command, &log).spawn().map_err(failed())?;
        let lifeline = supervisor.stdin.take();
        let mut first_line = String::new();
        if let Some(stdout) = supervisor.stdout.take() {
            BufReader::new(stdout).read_line(&mut first_line).map_err(failed())?;
        }
        let pid = first_line.trim().parse().ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| failed()(std::io::Error::other("its supervisor told no process id")))?;
        Ok(Self { name, log, pid, supervisor, lifeline })
    }

    /// The program's process id (not the supervisor's).
    #[must_use]
    pub fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Where its output goes.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// All it has written so far, as text.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log).map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// SIGTERM: what a kubelet sends first.
    ///
    /// # Errors
    ///
    /// If the process has ended.
    pub fn terminate(&mut self) -> Result<(), Error> {
        self.signal(Signal::TERM)
    }

    /// SIGINT: what Ctrl-C sends.
    ///
    /// # Errors
    ///
    /// If the process has ended.
    pub fn interrupt(&mut self) -> Result<(), Error> {
        self.signal(Signal::INT)
    }

    /// SIGKILL: ends it at once, with code 137.
    ///
    /// # Errors
    ///
    /// If the process has ended.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.signal(Signal::KILL)
    }

    /// SIGSTOP: it stands still, as on a machine that is suspended, until [`resume`](Self::resume).
    ///
    /// # Errors
    ///
    /// If the process has ended.
    pub fn freeze(&mut self) -> Result<(), Error> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT: goes on after [`freeze`](Self::freeze).
    ///
    /// # Errors
    ///
    /// If the process has ended.
    pub fn resume(&mut self) -> Result<(), Error> {
        self.signal(Signal::CONT)
    }

    /// The exit code if it has ended; 128 and the signal's number if a signal ended it, as shells tell it.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub fn exit_code(&mut self) -> Result<Option<i32>, Error> {
        let status = self.supervisor.try_wait().map_err(Error::io(format!("look at {}", self.name)))?;
        Ok(status.map(code))
    }

    /// Waits for its end and gives the exit code, as [`exit_code`](Self::exit_code) does.
    ///
    /// # Errors
    ///
    /// If it still runs after `within`.
    ///
    /// # Cancel safety
    ///
    /// Can be dropped and called again.
    pub async fn ended(&mut self, within: Duration) -> Result<i32, Error> {
        let start = Instant::now();
        loop {
            if let Some(code) = self.exit_code()? {
                return Ok(code);
            }
            if start.elapsed() > within {
                return Err(self.too_slow("still runs", start.elapsed(), "no exit code yet".to_owned()));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// An error if it has ended.
    pub(crate) fn still_runs(&mut self) -> Result<(), Error> {
        match self.exit_code()? {
            None => Ok(()),
            Some(code) => Err(Error::Ended { program: self.name.clone(), code, log: self.log_end() }),
        }
    }

    pub(crate) fn too_slow(&self, state: &'static str, waited: Duration, last: String) -> Error {
        Error::TooSlow { program: self.name.clone(), state, waited, last, log: self.log_end() }
    }

    fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    fn signal(&mut self, signal: Signal) -> Result<(), Error> {
        // Once its supervisor has ended, the id may be somebody else's.
        self.still_runs()?;
        kill_process(self.pid, signal).map_err(|error| Error::io(format!("signal {}", self.name))(error.into()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // Takes a millisecond or two: the guard kills the whole group by a signal that cannot be held off.
        if let Err(error) = self.supervisor.wait() {
            tracing::warn!(%error, process = self.name, "cannot wait for its end");
        }
    }
}

/// Removes a directory, with all that is in it, when this value is dropped, and when the test's own process is killed.
#[derive(Debug)]
pub struct Janitor {
    shell: Child,
    lifeline: Option<ChildStdin>,
}

impl Janitor {
    /// Tried again for a while: processes that write there are being killed at the same moment.
    const SCRIPT: &str = r#"
read -r _
tries=0
until rm -rf "$1" 2>/dev/null || [ "$tries" -ge 50 ]; do sleep 0.1; tries=$((tries + 1)); done
"#;

    /// From now on. The path is absolute, and whoever writes there has ended when it is to be gone.
    ///
    /// # Errors
    ///
    /// If there is no shell to be had.
    pub fn watch(directory: &Path) -> Result<Self, Error> {
        let mut shell = shell(Self::SCRIPT);
        shell.arg(directory).stdout(Stdio::null());
        let mut shell = shell.spawn().map_err(Error::io("start a shell"))?;
        let lifeline = shell.stdin.take();
        Ok(Self { shell, lifeline })
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        if let Err(error) = self.shell.wait() {
            tracing::warn!(%error, "cannot wait for the shell that removes the directory");
        }
    }
}

fn supervise(command: &Command, log: &Path) -> Command {
    let mut supervisor = shell(SUPERVISOR);
    supervisor.arg(log).arg(command.get_program()).args(command.get_args()).stdout(Stdio::piped());
    if let Some(folder) = command.get_current_dir() {
        supervisor.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => supervisor.env(name, value),
            None => supervisor.env_remove(name),
        };
    }
    supervisor
}

/// A shell out of reach of the terminal's signals: Ctrl-C ends the test, and by that everything below it.
fn shell(script: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args([OsStr::new("-c"), OsStr::new(script), OsStr::new("kubeops-testkit")]);
    shell.stdin(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    shell
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
