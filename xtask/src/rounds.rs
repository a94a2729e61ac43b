//! `cargo xtask contend` and `cargo xtask takeovers`: tests of the election, more often than CI runs them.

use std::process::Command;

use crate::error::Error;
use crate::{contender, control_plane, workspace};

/// Our elector and client-go's at one Lease.
pub(crate) const CONTEND: &str = "contending::our_elector_and_client_go_take_turns_at_one_lease";
/// Leaders killed, frozen and stopped under load.
pub(crate) const TAKEOVERS: &str = "takeovers::no_write_is_begun_without_the_lock_whatever_befalls_leaders_under_load";

/// Runs one end-to-end test of the sample with so many rounds, and shows what it prints.
pub(crate) fn run(test: &str, rounds: &str) -> Result<(), Error> {
    workspace::run(end_to_end(test, rounds)?.env("KUBEOPS_CONTENDER", contender::provide()?))
}

pub(crate) fn end_to_end(test: &str, rounds: &str) -> Result<Command, Error> {
    let mut cargo = workspace::cargo();
    cargo.env("KUBEOPS_CONTROL_PLANE", control_plane::provide()?).env("KUBEOPS_ROUNDS", rounds);
    cargo.args(["test", "--package", "guestbook", "--test", "e2e", "--"]);
    cargo.args(["--ignored", "--nocapture", "--exact", test]);
    Ok(cargo)
}
