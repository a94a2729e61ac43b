//! The status page as people see it: real replicas on a cluster in memory, and a real browser.
//!
//! Screenshots are written to the folder `KUBEOPS_SCREENSHOTS`, if it is set.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking, in its helpers too"
)]

mod browser;
mod in_a_browser;
mod stage;
mod webdriver;
