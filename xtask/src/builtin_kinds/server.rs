//! A real server, for as long as it is asked.

use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::error::Error;
use crate::{control_plane, workspace};

/// Keeps a control plane up until it is ended.
const PROGRAM: &str = "kubeops-control-plane";

pub(super) struct Server {
    program: Child,
    kubectl: PathBuf,
    kubeconfig: String,
}

impl Server {
    pub(super) fn start() -> Result<Self, Error> {
        let binaries = control_plane::provide()?;
        let build = ["build", "--quiet", "-p", "kubeops-testkit", "--bin", PROGRAM];
        workspace::run(workspace::cargo().args(build))?;
        // Not started through cargo, which would not end it with itself.
        let path = workspace::target().join("debug").join(PROGRAM);
        let mut command = Command::new(&path);
        command.env("KUBEBUILDER_ASSETS", &binaries).stdout(Stdio::piped());
        let mut program = command.spawn().map_err(Error::io(format!("start {}", path.display())))?;
        let mut line = String::new();
        if let Some(output) = program.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(Error::io("read from the control plane"))?;
        }
        let kubeconfig = line.trim().strip_prefix("export KUBECONFIG=").map(str::to_owned);
        let server = Self { program, kubectl: binaries.join("kubectl"), kubeconfig: kubeconfig.unwrap_or_default() };
        if server.kubeconfig.is_empty() {
            return Err(Error::io("start a control plane")(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(server)
    }

    pub(super) fn get(&self, path: &str) -> Result<Value, Error> {
        let mut kubectl = Command::new(&self.kubectl);
        let output = kubectl.env("KUBECONFIG", &self.kubeconfig).args(["get", "--raw", path]).output();
        let output = output.map_err(Error::io(format!("start {}", self.kubectl.display())))?;
        if !output.status.success() {
            return Err(Error::Command { command: format!("kubectl get --raw {path}"), status: output.status });
        }
        serde_json::from_slice(&output.stdout).map_err(|error| Error::io(format!("read {path}"))(error.into()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The control plane's own guard ends its servers, however it ends.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
