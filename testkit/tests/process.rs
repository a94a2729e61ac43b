//! A child process is started as told, takes signals, and tells how it ended.

use std::process::Command;
use std::time::Duration;

use kubeops_testkit::{Error, Process, eventually};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Generous: a test that passes does not wait for it.
const SOON: Duration = Duration::from_secs(60);

/// Counts the ticks of its clock into its log, and ends with 7 when terminated, with 8 when interrupted.
const TICKER: &str = "trap 'exit 7' TERM; trap 'exit 8' INT; while :; do echo tick; sleep 0.02; done";

fn shell(script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]);
    shell
}

fn ticks(process: &Process) -> usize {
    process.log().lines().filter(|line| *line == "tick").count()
}

async fn ticks_on(process: &Process) -> TestResult {
    let before = ticks(process);
    let more = async || if ticks(process) > before + 2 { Ok(()) } else { Err(format!("{} ticks", ticks(process))) };
    Ok(eventually("it ticks", SOON, more).await?)
}

#[tokio::test]
async fn arguments_variables_and_folder_are_carried_over() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut command = shell("echo \"$0|$GREETING|${HOME-none}|$(pwd -P)\"; echo trouble >&2; exit 3");
    command.arg("two words").env("GREETING", "a 'b' $c").env_remove("HOME").current_dir(folder.path());
    let log = folder.path().join("log");
    let mut process = Process::spawn(&command, &log)?;
    assert_eq!(process.ended(SOON).await?, 3);
    let here = folder.path().canonicalize()?;
    assert_eq!(process.log(), format!("two words|a 'b' $c|none|{}\ntrouble\n", here.display()));
    Ok(())
}

#[tokio::test]
async fn the_exit_code_tells_how_it_ended() -> TestResult {
    let folder = tempfile::tempdir()?;
    let start = |name: &str| Process::spawn(&shell(TICKER), folder.path().join(name));
    let mut terminated = start("terminated")?;
    ticks_on(&terminated).await?;
    assert_eq!(terminated.exit_code()?, None);
    terminated.terminate()?;
    assert_eq!(terminated.ended(SOON).await?, 7);

    let mut interrupted = start("interrupted")?;
    ticks_on(&interrupted).await?;
    interrupted.interrupt()?;
    assert_eq!(interrupted.ended(SOON).await?, 8);

    let mut killed = start("killed")?;
    ticks_on(&killed).await?;
    killed.kill()?;
    assert_eq!(killed.ended(SOON).await?, 137);
    assert!(matches!(killed.terminate(), Err(Error::Ended { code: 137, .. })), "nobody else is signalled");
    Ok(())
}

#[tokio::test]
async fn a_frozen_process_stands_still_until_it_is_resumed() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut process = Process::spawn(&shell(TICKER), folder.path().join("log"))?;
    ticks_on(&process).await?;
    process.freeze()?;
    let frozen = ticks(&process);
    // Many times the pause between two ticks, of which one may have been on its way.
    let waited = process.ended(Duration::from_millis(500)).await;
    assert!(matches!(waited, Err(Error::TooSlow { .. })), "{waited:?}");
    assert!(ticks(&process) <= frozen + 1);
    process.resume()?;
    ticks_on(&process).await
}

#[tokio::test]
async fn a_program_that_is_not_there_ends_at_once_and_the_log_names_it() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut process = Process::spawn(&Command::new("/nowhere/guestbook"), folder.path().join("log"))?;
    assert_eq!(process.ended(SOON).await?, 127);
    assert!(process.log().contains("/nowhere/guestbook"), "{}", process.log());
    Ok(())
}

#[tokio::test]
async fn a_process_that_goes_on_is_told_with_the_end_of_its_log() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut process =
        Process::spawn(&shell("echo 'cannot hear'; trap '' TERM; sleep 1000"), folder.path().join("log"))?;
    let heard = async || if process.log().is_empty() { Err("nothing") } else { Ok(()) };
    eventually("it has spoken", SOON, heard).await?;
    let error = process.ended(Duration::from_millis(20)).await.unwrap_err().to_string();
    assert!(error.starts_with("sh still runs after") && error.ends_with("cannot hear"), "{error}");
    Ok(())
}
