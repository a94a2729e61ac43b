//! A whole operator on the cluster in memory, as those who watch over it see it: kubelets, Prometheus, people.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod crds;
mod for_life;
mod hung_runtime;
mod kubelet;
mod kubelet_tests;
mod leader_label;
mod logs;
mod manifest;
mod metrics;
mod monitoring;
mod pages;
mod probes;
mod scrape;
mod status;
mod twice;
