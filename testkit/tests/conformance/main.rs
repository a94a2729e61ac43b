//! The in-memory cluster held against the real API server: every case runs on both, and what both answered is compared.
//!
//! `CONFORMANCE=watch` runs only the cases whose topic or name contains the word.
#![allow(clippy::expect_used, reason = "a case whose own text is wrong should say so")]

mod ask;
mod case;
mod cases;
mod compare;
mod harness;
mod known;
mod normal;
mod report;
mod session;

use std::env;
use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use kube::Client;
use kubeops_testkit::{Cluster, ControlPlane};

use crate::case::Case;
use crate::compare::differences;
use crate::harness::Side;
use crate::report::Report;

/// More would wait for the machine's processors rather than for the server.
const AT_ONCE: usize = 8;

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn the_cluster_in_memory_answers_as_the_real_api_server_does() -> Result<(), Box<dyn Error>> {
    let only = env::var("CONFORMANCE").unwrap_or_default();
    let cases: Vec<&Case> = cases::all().filter(|case| case.is_meant_by(&only)).collect();
    let plane = ControlPlane::start().await?;
    if cases.iter().any(|case| case.topic == "gc") {
        plane.start_controller_manager()?;
    }
    let mut config = plane.config_for("admin")?;
    // What the server refuses for now is to be seen, not asked again.
    config.default_retry = false;
    let real = Side { client: Client::try_from(config)?, patience: Duration::from_secs(20) };
    let compared = stream::iter(cases).map(async |case| {
        // One cluster for each case: what differs is the case's own doing.
        let cluster = Cluster::start().await;
        let memory = Side { client: cluster.client("admin"), patience: Duration::from_millis(200) };
        let start = Instant::now();
        let (memory, real) = tokio::join!(case.run_on(&memory), case.run_on(&real));
        (case, differences(&memory, &real), start.elapsed())
    });
    let mut report = Report::new(only.is_empty());
    let compared: Vec<_> = compared.buffered(AT_ONCE).collect().await;
    compared.into_iter().for_each(|(case, differences, took)| report.add(case, differences, took));
    // Not by `eprintln!`: of a test that passes, its output would not be shown.
    std::io::stderr().write_all(report.to_string().as_bytes())?;
    report.verdict().map_err(Into::into)
}

#[test]
fn every_case_has_a_name_of_its_own_and_every_known_difference_a_case() {
    let mut names: Vec<&str> = cases::all().map(|case| case.name).collect();
    names.sort_unstable();
    assert_eq!(names.windows(2).find(|pair| pair[0] == pair[1]), None);
    let strangers: Vec<&str> =
        known::KNOWN.iter().map(|known| known.case).filter(|case| names.binary_search(case).is_err()).collect();
    assert!(strangers.is_empty(), "known differences of cases that are not there: {strangers:?}");
}
