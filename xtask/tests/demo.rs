//! The command that the README starts with.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)] // a test says what is wrong by panicking

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// How long the demo may be silent: while cargo builds it, perhaps all of it.
const SILENT_FOR: Duration = Duration::from_secs(600);
/// How long the new leader may take to reconcile five guestbooks.
const RECONCILED_WITHIN: Duration = Duration::from_secs(5);

const GUESTBOOKS: usize = 5;

#[test]
#[ignore = "needs a control plane: cargo xtask test"]
fn the_demo_shows_a_takeover_and_leaves_nothing_behind() {
    let mut demo = Demo::start(&["--kill-leader-after", "1", "--exit-after", "10"]);

    let look = demo.line_with(&[" get gb -A -w"]);
    let kubectl =
        look.split_once("| ").and_then(|(_, line)| line.split_once(" get gb")).expect("a command").0.to_owned();
    let takeover = demo.line_with(&[" leads ", " was killed"]);
    let mut names = takeover.split_whitespace().filter(|word| word.starts_with("replica-"));
    let (new, old) = (names.next().expect("who leads"), names.next().expect("who was killed"));
    assert_ne!(new, old, "{takeover}");
    wait_reconciled(&kubectl, new);
    demo.line_with(&[old, "is started: pid"]);

    let summary = demo.line_with(&["guestbooks are Ready"]);
    assert!(summary.contains(&format!("{GUESTBOOKS} of {GUESTBOOKS}")), "{summary}");
    assert!(summary.contains(&format!("{old}, then {new}")), "{summary}");
    let code = demo.end();
    assert_eq!(code, Some(0), "the demo ended by itself");

    assert!(demo.seen.iter().all(|line| !line.contains('\x1b')), "plain text where there is no terminal");
    let pids: BTreeSet<_> = demo.seen.iter().filter_map(|line| line.split_once("is started: pid ")).collect();
    assert_eq!(pids.len(), 4, "three replicas, and one of them again: {pids:?}");
    for (_, pid) in pids {
        assert!(!shell(&format!("kill -0 {pid}")).status.success(), "process {pid} still runs");
    }
    let kubeconfig = kubectl.split_whitespace().last().expect("a kubeconfig");
    assert!(!Path::new(kubeconfig).exists(), "{kubeconfig} is still there");
}

#[test]
#[ignore = "needs a control plane: cargo xtask test"]
fn an_option_that_the_demo_does_not_know_ends_it_with_the_usage() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(["demo", "--forever"]).output().expect("start xtask");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains(r#"there is no "--forever""#) && error.contains("--exit-after SECONDS"), "{error}");
}

/// A running demo, killed when this is dropped, and what it has printed.
struct Demo {
    process: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Demo {
    fn start(options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("demo").args(options).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("start xtask");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { process, lines, seen: Vec::new() }
    }

    /// The next line of the demo's own that holds all of these.
    fn line_with(&mut self, words: &[&str]) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(SILENT_FOR) else { panic!("the demo never said {words:?}") };
            let fits = line.starts_with("demo ") && words.iter().all(|word| line.contains(word));
            self.seen.push(line.clone());
            if fits {
                return line;
            }
        }
    }

    /// Its exit code, when it has ended by itself.
    fn end(&mut self) -> Option<i32> {
        self.seen.extend(self.lines.iter());
        self.process.wait().expect("wait for the demo").code()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        let _ended = self.process.kill();
        let _ended = self.process.wait();
        if thread::panicking() {
            println!("{}", self.seen.join("\n"));
        }
    }
}

/// Waits until all guestbooks are Ready and were reconciled by `leader`, as kubectl shows it to the one who looks.
fn wait_reconciled(kubectl: &str, leader: &str) {
    let columns = r#"{.status.conditions[?(@.type=="Ready")].status} {.status.reconciledBy}"#;
    let command = format!(r#"{kubectl} get gb -A -o 'jsonpath={{range .items[*]}}{columns}{{"\n"}}{{end}}'"#);
    let begun = Instant::now();
    loop {
        let output = shell(&command);
        let shown = String::from_utf8_lossy(&output.stdout);
        let reconciled = shown.lines().filter(|line| line.starts_with(&format!("True {leader}_"))).count();
        if reconciled == GUESTBOOKS {
            return;
        }
        assert!(begun.elapsed() < RECONCILED_WITHIN, "`{command}`: {output:?}");
    }
}

fn shell(command: &str) -> Output {
    Command::new("sh").args(["-c", command]).output().expect("start a shell")
}
