//! The command that the README starts with: what it shows, what it does when something is wrong, and that it leaves nothing behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what is wrong by panicking, in its helpers too"
)]

mod ends;
mod keys;
mod kubectl;
mod session;
mod status;
mod takeover;
mod terminal;
mod wrong;
