//! The chapter of probes lists the checks that an operator has, and no others.

use std::collections::BTreeSet;
use std::time::Duration;

use kubeops::prelude::*;
use kubeops_book::Guestbook;
use kubeops_testkit::Cluster;

const CHAPTER: &str = include_str!("../src/reference/probes.md");

#[derive(Controller)]
#[controller(entity = Guestbook)]
struct GuestbookController {}

impl Reconcile for GuestbookController {
    async fn reconcile(&self, _: &Guestbook, _: &Context<Guestbook>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

/// Checks with their probes, of the rows `| check | probe | … |`.
fn told() -> BTreeSet<(String, String)> {
    let table = CHAPTER.split_once("## Checks").map_or("", |(_, table)| table);
    let rows = table.lines().map(|row| row.split('`').collect::<Vec<_>>());
    rows.filter_map(|row| match row[..] {
        ["| ", check, " | ", probe, ..] => Some((check.to_owned(), probe.to_owned())),
        _ => None,
    })
    .collect()
}

/// Of the lines `[+]check ok: …`.
fn listed<'a>(verbose: &'a str, probe: &'a str) -> impl Iterator<Item = (String, String)> {
    let lines = verbose.lines().filter_map(|line| line.strip_prefix("[+]").or_else(|| line.strip_prefix("[-]")));
    lines.filter_map(|line| line.split_once(' ')).map(|(check, _)| (check.to_owned(), probe.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn each_check_has_its_row_and_each_row_its_check() {
    let cluster = Cluster::start().await;
    cluster.install::<Guestbook>().await;
    let operator = kubeops::operator!().add_controller::<GuestbookController>();
    let all = [("KubeOps:InstallCrds", "true"), ("KubeOps:LeaderElectionFence", "true"), ("KubeOps:PodUid", "1")];
    let running = operator.start_replica_on(&cluster, "a", &all).await;
    let mut there = BTreeSet::new();
    for probe in ["/startupz", "/livez", "/readyz"] {
        there.extend(listed(&running.get(&format!("{probe}?verbose")).await.1, probe));
    }
    assert_eq!(told(), there);
}

#[test]
fn the_time_that_a_check_has_is_told() {
    let limit = kubeops::health::Health::CHECK_TIMEOUT;
    assert!(limit < Duration::from_secs(1) && CHAPTER.contains(&format!("{} ms", limit.as_millis())), "{limit:?}");
}
