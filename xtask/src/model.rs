//! `cargo xtask model`: every scenario of the election's model, searched further than the tests do, and every broken rule.

use crate::error::Error;
use crate::workspace;

pub(crate) fn run(rest: &[&str]) -> Result<(), Error> {
    workspace::run(workspace::cargo().args(["run", "--locked", "--package", "kubeops-model", "--"]).args(rest))
}
