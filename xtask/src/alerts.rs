//! `cargo xtask alerts`: the alert rules of docs/monitoring, checked and tested by Prometheus' own tool.

use std::process::Command;

use crate::error::Error;
use crate::{tools, workspace};

pub(crate) fn run() -> Result<(), Error> {
    let promtool = tools::promtool()?;
    let folder = workspace::root().join("docs").join("monitoring");
    for words in [["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]] {
        workspace::run(Command::new(&promtool).current_dir(&folder).args(words))?;
    }
    Ok(())
}
