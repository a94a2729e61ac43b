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
mod kubectl;
mod normal;
mod report;
mod session;

use std::env;
use std::error::Error;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use kube::Client;
use kubeops_testkit::cluster::Serving;
use kubeops_testkit::{Binaries, Cluster, ControlPlane};
use tempfile::NamedTempFile;

use crate::case::Case;
use crate::compare::differences;
use crate::harness::Side;
use crate::kubectl::Kubectl;
use crate::report::Report;

/// More would wait for the machine's processors rather than for the server.
const AT_ONCE: usize = 8;

/// How long it is waited for what others have to do first.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn the_cluster_in_memory_answers_as_the_real_api_server_does() -> Result<(), Box<dyn Error>> {
    let only = env::var("CONFORMANCE").unwrap_or_default();
    let cases: Vec<&Case> = cases::all().filter(|case| case.is_meant_by(&only)).collect();
    let plane = ControlPlane::start().await?;
    if cases.iter().any(|case| case.topic == "gc" || case.uses_kubectl()) {
        plane.start_controller_manager()?;
    }
    let mut config = plane.config_for("admin")?;
    // What the server refuses for now is to be seen, not asked again.
    config.default_retry = false;
    let program = Binaries::find()?.path("kubectl")?;
    let kubectl = |kubeconfig: PathBuf| Kubectl { program: program.clone(), kubeconfig };
    let real = Side {
        client: Client::try_from(config)?,
        patience: PATIENCE,
        kubectl: Some(kubectl(plane.kubeconfig_for("admin")?)),
    };
    // What waits for the real server's controllers goes first, beside everything else.
    let (slow, rest): (Vec<_>, Vec<_>) = cases.iter().enumerate().partition(|(_, case)| case.topic == "gc");
    let compared = stream::iter(slow.into_iter().chain(rest)).map(async |(index, case)| {
        // One cluster for each case: what differs is the case's own doing.
        let cluster = Cluster::start().await;
        let served = if case.uses_kubectl() { Some(Served::start(&cluster).await) } else { None };
        let memory = Side {
            client: cluster.client("admin"),
            // kubectl takes its time, whomever it talks to.
            patience: if served.is_some() { PATIENCE } else { Duration::from_millis(200) },
            kubectl: served.as_ref().map(|served| kubectl(served.kubeconfig.path().to_owned())),
        };
        let start = Instant::now();
        let (memory, real) = tokio::join!(case.run_on(&memory), case.run_on(&real));
        (index, *case, differences(&memory, &real), start.elapsed())
    });
    let mut report = Report::new(only.is_empty());
    let mut compared: Vec<_> = compared.buffer_unordered(AT_ONCE).collect().await;
    compared.sort_by_key(|(index, ..)| *index);
    compared.into_iter().for_each(|(_, case, differences, took)| report.add(case, differences, took));
    // Not by `eprintln!`: of a test that passes, its output would not be shown.
    std::io::stderr().write_all(report.to_string().as_bytes())?;
    report.verdict().map_err(Into::into)
}

/// The in-memory cluster as kubectl finds it.
struct Served {
    _serving: Serving,
    kubeconfig: NamedTempFile,
}

impl Served {
    async fn start(cluster: &Cluster) -> Self {
        let serving = cluster.serve((Ipv4Addr::LOCALHOST, 0).into()).await.expect("there is a free port");
        let kubeconfig = NamedTempFile::new().expect("there is room for a file");
        std::fs::write(kubeconfig.path(), serving.kubeconfig("admin")).expect("there is room for a kubeconfig");
        Self { _serving: serving, kubeconfig }
    }
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

#[test]
fn every_known_difference_has_its_place_and_its_reason_in_the_documentation() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = words(include_str!("../../../docs/src/guides/in-memory-cluster.md"));
    let nowhere: Vec<&str> =
        known::KNOWN.iter().filter(|known| known.path.is_empty()).map(|known| known.case).collect();
    assert!(nowhere.is_empty(), "say where these differ: {nowhere:?}");
    let untold: Vec<&str> =
        known::KNOWN.iter().map(|known| known.why).filter(|why| !page.contains(&words(why))).collect();
    assert!(untold.is_empty(), "docs/src/guides/in-memory-cluster.md does not tell why: {untold:?}");
}
