//! The sample on a real API server: replicas of the real binary as child processes, ended, killed, frozen and cut off.
//!
//! Each test has a control plane of its own and knows of the operator only what is published: its custom resource, its settings, its ports,
//! its exit codes. Run them by `cargo xtask test`.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)] // a test says what is wrong by panicking

mod harness;

mod announcements;
mod bad_settings;
mod chart;
mod chart_election;
mod chart_probes;
mod chart_rights;
mod chart_switches;
mod children;
mod commands;
mod contending;
mod crash;
mod crd_missing;
mod fence;
mod fence_delay;
mod fence_status;
mod figures;
mod finalizers;
mod for_life;
mod foreign_holder;
mod freeze;
mod handover;
mod identity;
mod leader_label;
mod lease_deleted;
mod manifests;
mod no_election;
mod no_server;
mod old_lease;
mod probes;
mod rights;
mod same_pod;
mod server_faults;
mod steady_state;
mod storm;
mod takeovers;
mod two_servers;
mod undeserializable;
mod witnesses;
