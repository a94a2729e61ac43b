//! A running `guestbook dev`, and what it has printed.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

/// For what takes a second or two on an idle machine. Longer than dev itself waits for a leader: then it says why there is none.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Killed when this is dropped.
pub(crate) struct Session {
    process: Child,
    stdin: Option<ChildStdin>,
    lines: Option<Receiver<String>>,
    seen: Vec<String>,
    home: TempDir,
}

/// Of a user who has no kubeconfig, in a folder that only this test knows.
pub(crate) fn command(arguments: &[&str], home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guestbook"));
    command.arg("dev").args(arguments).stdin(Stdio::null());
    command.env("HOME", home).env("KUBECONFIG", home.join("kubeconfig"));
    // Nobody is there: what is on this machine is reached without a proxy.
    command.env("HTTPS_PROXY", "http://127.0.0.1:1");
    for variable in ["KUBEOPS_ENVIRONMENT", "DOTNET_ENVIRONMENT", "RUST_LOG", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command
}

impl Session {
    /// As a script or CI does: no terminal, nothing to be read.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(arguments, Stdio::null())
    }

    /// With a pipe to type into.
    pub(crate) fn start_with_pipe(arguments: &[&str]) -> Self {
        Self::spawn(arguments, Stdio::piped())
    }

    fn spawn(arguments: &[&str], stdin: Stdio) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let mut command = command(arguments, home.path());
        let mut process = command.stdin(stdin).stdout(Stdio::piped()).spawn().expect("start dev");
        let output = process.stdout.take().expect("its output");
        Self { stdin: process.stdin.take(), process, lines: Some(lines(output)), seen: Vec::new(), home }
    }

    pub(crate) fn seen(&self) -> &[String] {
        &self.seen
    }

    /// The next line that begins with `speaker` and holds all of these.
    #[track_caller]
    pub(crate) fn line_of(&mut self, speaker: &str, words: &[&str]) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let lines = self.lines.as_ref().expect("stdout is open");
            let Ok(line) = lines.recv_timeout(left) else { panic!("{speaker} never said {words:?}") };
            let fits = line.starts_with(speaker) && words.iter().all(|word| line.contains(word));
            self.seen.push(line.clone());
            if fits {
                return line;
            }
        }
    }

    /// The next line of the command's own that holds all of these.
    #[track_caller]
    pub(crate) fn line(&mut self, words: &[&str]) -> String {
        self.line_of("dev ", words)
    }

    /// A line of the command's own that holds all of these, said already or still to come: processes and the lock are seen by
    /// different ways, in whatever order.
    #[track_caller]
    pub(crate) fn said(&mut self, words: &[&str]) -> String {
        let fits = |line: &&String| line.starts_with("dev ") && words.iter().all(|word| line.contains(word));
        match self.seen.iter().find(fits) {
            Some(line) => line.clone(),
            None => self.line(words),
        }
    }

    /// Waits until somebody leads, and gives its name.
    #[track_caller]
    pub(crate) fn leader(&mut self) -> String {
        let line = self.line(&[" leads"]);
        line.split_whitespace().find(|word| word.starts_with("replica-")).expect("a name").to_owned()
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        let line = self.seen.iter().find_map(|line| line.split_once("kubeconfig ")).expect("it was told");
        PathBuf::from(line.1)
    }

    /// Of all replicas that were started so far.
    pub(crate) fn replicas(&self) -> Vec<Pid> {
        let told = self.seen.iter().filter_map(|line| line.split_once("is started: pid "));
        told.map(|(_, rest)| pid(rest.split_whitespace().next().expect("a number"))).collect()
    }

    pub(crate) fn type_line(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().expect("a pipe"), "{line}").expect("dev reads");
    }

    /// As `| head` does when it has enough.
    pub(crate) fn close_stdout(&mut self) {
        self.lines = None;
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("it runs");
    }

    /// Its exit status, when it has ended by itself.
    #[track_caller]
    pub(crate) fn end(&mut self) -> ExitStatus {
        let ended = eventually(|| self.process.try_wait().expect("look at dev"));
        let ended = ended.unwrap_or_else(|| panic!("dev has not ended"));
        if let Some(lines) = &self.lines {
            self.seen.extend(lines.iter());
        }
        ended
    }

    /// No process of it runs any more, its folder is gone, and in the user's there is nothing.
    #[track_caller]
    pub(crate) fn assert_nothing_is_left(&self) {
        let running = || self.replicas().into_iter().filter(|pid| test_kill_process(*pid).is_ok()).collect::<Vec<_>>();
        assert!(eventually(|| running().is_empty().then_some(())).is_some(), "still there: {:?}", running());
        let kubeconfig = self.kubeconfig();
        assert!(eventually(|| (!kubeconfig.parent().unwrap().exists()).then_some(())).is_some(), "{kubeconfig:?}");
        assert_eq!(std::fs::read_dir(self.home.path()).expect("look").count(), 0, "the user's own folder");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        let _ended = self.process.kill();
        let _ended = self.process.wait();
        if thread::panicking() {
            println!("{}", self.seen.join("\n"));
        }
    }
}

/// What `look` finds within a time that is long enough.
pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(found) = look() {
            return Some(found);
        }
        thread::sleep(LOOK_AGAIN);
    }
    None
}

fn pid(number: &str) -> Pid {
    number.parse().ok().and_then(Pid::from_raw).unwrap_or_else(|| panic!("{number} is no process id"))
}

/// Lines as they come; ends when the other end is closed, and closes this one when nobody listens any more.
fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (tell, lines) = mpsc::channel();
    thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
    lines
}
