//! Nothing that the test kit starts outlives the test, however the test ends.

#![cfg(target_os = "linux")] // What runs is read from /proc.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in helpers of tests as in tests")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kubeops_testkit::{ControlPlane, Process, eventually};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Generous: a test that passes does not wait for it.
const SOON: Duration = Duration::from_secs(60);

/// Command lines of processes that have `text` in theirs.
fn running(text: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.map(|line| line.replace('\0', " ")).filter(|line| line.contains(text)).collect()
}

fn nothing_left_of(directory: &Path) -> Result<(), String> {
    match (running(&directory.display().to_string()), directory.exists()) {
        (running, false) if running.is_empty() => Ok(()),
        (running, exists) => Err(format!("directory: {exists}, processes: {running:#?}")),
    }
}

/// A process of its own that has a control plane, and the directory of that.
fn program_with_a_control_plane() -> Result<(Child, PathBuf), Box<dyn std::error::Error>> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_kubeops-control-plane"));
    let mut program = program.stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(program.stdout.take().ok_or("stdout is piped")?).read_line(&mut line)?;
    let kubeconfig = line.trim().strip_prefix("export KUBECONFIG=").ok_or("it tells its kubeconfig")?;
    let directory = Path::new(kubeconfig).ancestors().nth(2).ok_or("the kubeconfig is in its directory")?.to_owned();
    Ok((program, directory))
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_killed_test_leaves_neither_processes_nor_files() -> TestResult {
    let (mut program, directory) = program_with_a_control_plane()?;
    let seen = running(&directory.display().to_string());
    assert!(
        seen.iter().any(|line| line.contains("etcd")) && seen.iter().any(|line| line.contains("kube-apiserver")),
        "{seen:#?}"
    );
    program.kill()?;
    program.wait()?;
    eventually("nothing is left", SOON, async || nothing_left_of(&directory)).await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_test_killed_while_its_control_plane_starts_leaves_nothing() -> TestResult {
    let temporary = tempfile::tempdir()?;
    let mut program = Command::new(env!("CARGO_BIN_EXE_kubeops-control-plane"));
    let mut program = program.env("TMPDIR", temporary.path()).spawn()?;
    let text = temporary.path().display().to_string();
    eventually("the API server was started", SOON, async || {
        let started = running(&text).iter().any(|line| line.contains("--secure-port"));
        if started { Ok(()) } else { Err("not yet") }
    })
    .await?;
    program.kill()?;
    program.wait()?;
    eventually("nothing is left", SOON, async || {
        let planes = fs::read_dir(temporary.path()).unwrap().filter_map(Result::ok).map(|entry| entry.file_name());
        let planes: Vec<_> = planes.filter(|name| !name.to_string_lossy().contains("-ports-")).collect();
        let running = running(&text);
        if planes.is_empty() && running.is_empty() { Ok(()) } else { Err(format!("{planes:?} {running:#?}")) }
    })
    .await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_test_that_panics_leaves_nothing() -> TestResult {
    let plane = ControlPlane::start().await?;
    let directory = plane.directory().to_owned();
    assert!(nothing_left_of(&directory).is_err());
    let panicked = std::thread::spawn(move || {
        let _plane = plane;
        std::panic::resume_unwind(Box::new("as a failed assertion does"));
    });
    assert!(panicked.join().is_err());
    nothing_left_of(&directory)?;
    Ok(())
}

#[test]
fn a_dropped_process_is_gone_with_all_it_started() -> TestResult {
    let directory = tempfile::tempdir()?;
    let marker = directory.path().join("marker").display().to_string();
    let mut command = Command::new("sh");
    command.args(["-c", "sh -c 'while :; do sleep 0.1; done' \"$1\" & wait", "outer", &marker]);
    let process = Process::spawn(&command, directory.path().join("log"))?;
    let id = process.id();
    assert!(Path::new("/proc").join(id.to_string()).exists());
    drop(process);
    // The grandchild has no parent that waits for it; init does so a moment later.
    for _ in 0..1000 {
        if running(&marker).is_empty() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("still there: {:#?}", running(&marker));
}
