//! `cargo xtask demo`: the sample at work, on a machine with nothing but Rust and Go.
//!
//! The demo itself is an example of the sample, since it speaks with Kubernetes and the chores do not.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::{control_plane, workspace};

const DEMO: &str = "demo";

/// Returns only if it fails.
pub(crate) fn run(arguments: &[String]) -> Result<(), Error> {
    let control_plane = control_plane::provide()?;
    let demo = build()?;
    let mut command = Command::new(&demo);
    command.args(arguments).env("KUBEOPS_CONTROL_PLANE", control_plane);
    // In the place of this process, so that Ctrl-C and exit code are the demo's own.
    Err(Error::io(format!("start {}", demo.display()))(command.exec()))
}

/// Builds the demo and the operator's program, and tells where the demo is.
fn build() -> Result<PathBuf, Error> {
    let mut cargo = workspace::cargo();
    // The features of all members together, as for tests: what is built for one is there for the other.
    cargo.args(["build", "--workspace", "--bin", "guestbook", "--example", DEMO]);
    cargo.arg("--message-format=json-render-diagnostics");
    let line = workspace::line(&cargo);
    let output = cargo.stderr(Stdio::inherit()).output().map_err(Error::io(format!("start `{line}`")))?;
    if !output.status.success() {
        return Err(Error::Command { command: line, status: output.status });
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    messages.lines().find_map(executable).ok_or(Error::NotBuilt { name: DEMO })
}

/// The demo's path, if this is the message that tells it: <https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>
fn executable(message: &str) -> Option<PathBuf> {
    let (_, behind) = message.split_once(r#""executable":""#)?;
    let path = PathBuf::from(behind.split_once('"')?.0);
    (path.file_name()? == DEMO).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_where_cargo_says_and_not_where_another_program_is() {
        let message =
            |executable: &str| format!(r#"{{"reason":"compiler-artifact","executable":{executable},"fresh":true}}"#);
        assert_eq!(executable(&message("null")), None);
        assert_eq!(executable(&message(r#""/target/debug/guestbook""#)), None);
        let demo = "/target/debug/examples/demo";
        assert_eq!(executable(&message(&format!("{demo:?}"))), Some(demo.into()));
    }
}
