//! The API server goes away for all, or for the leader alone.

use std::time::Duration;

use jiff::Timestamp;
use kubeops_testkit::Proxy;

use crate::harness::{
    Cluster, History, LEASE, LeaseSeen, PATIENCE, Replica, Traffic, eventually, reconciled_by, replica_of, say,
};

const GUESTBOOKS: usize = 5;
const PAUSE: Duration = Duration::from_millis(50);

/// A write that was held back by a hanging line arrives when it is mended.
const ON_ITS_WAY: Duration = Duration::from_millis(100);

/// What the issue asks for.
const CUT_OFF: Duration = Duration::from_secs(30);

/// `replica-a` leads, and only it talks to the API server through the proxy; `replica-b` stands by.
async fn start_leader_behind_a_proxy(cluster: &Cluster, history: &History) -> (Proxy, Vec<Replica>) {
    let proxy = cluster.plane.proxy().expect("open a proxy");
    let through_proxy = cluster.plane.kubeconfig_via("replica-a", &proxy).expect("a kubeconfig through the proxy");
    let recipes = [cluster.replica("replica-a").kubeconfig(&through_proxy), cluster.replica("replica-b")];
    let replicas = cluster.start_leading(history, &recipes).await;
    cluster.guestbooks.wait_all_settled(GUESTBOOKS).await;
    (proxy, replicas)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn replicas_live_through_restarts_of_the_api_server() {
    let cluster = Cluster::start().await;
    let names = cluster.guestbooks.create_many("book", GUESTBOOKS).await;
    let history = cluster.history();
    let recipes = ["replica-a", "replica-b"].map(|name| cluster.replica(name));
    let mut replicas = cluster.start_leading(&history, &recipes).await;
    cluster.guestbooks.wait_all_settled(GUESTBOOKS).await;
    let _traffic = Traffic::start(&cluster.guestbooks, &names, PAUSE);

    // As short as it gets, and for so long that the lease runs out and everybody's term ends.
    for (round, outage) in [Duration::ZERO, LEASE * 2].into_iter().enumerate() {
        cluster.plane.stop_api_server().await;
        tokio::time::sleep(outage).await;
        cluster.plane.start_api_server().await.expect("start the API server");

        let mark = history.mark();
        history.first_lease("somebody renews or takes the lock", mark, LeaseSeen::is_held).await;
        let name = format!("after-{round}");
        cluster.guestbooks.create(&name, serde_json::json!({ "title": "After the outage" })).await.expect("create");
        cluster.guestbooks.wait_settled(&name).await;
        replicas.iter_mut().for_each(Replica::assert_running);
        for replica in &replicas {
            replica.wait_ready().await;
        }
    }
    cluster.ledger().assert_only_holders_write();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_leader_that_is_cut_off_stops_and_comes_back_as_standby() {
    let cluster = Cluster::start().await;
    let names = cluster.guestbooks.create_many("book", GUESTBOOKS).await;
    let history = cluster.history();
    let (proxy, mut replicas) = start_leader_behind_a_proxy(&cluster, &history).await;
    let _traffic = Traffic::start(&cluster.guestbooks, &names, PAUSE);
    let cut_off = history.wait_leader("replica-a").await;

    let mark = history.mark();
    let begun = std::time::Instant::now();
    proxy.cut();
    replicas[0].wait_says_it_leads(false, LEASE).await;
    say(format!("a leader cut off stopped leading after {:.1?}, lease {LEASE:?}", begun.elapsed()));
    let next = history.first_lease("another holds the lock", mark, |lease| lease.is_held_by_other_than(&cut_off)).await;
    let next = next.holder.expect("it is held");
    history.first_status_by(&next, mark).await;
    tokio::time::sleep(CUT_OFF.saturating_sub(begun.elapsed())).await;
    replicas.iter_mut().for_each(Replica::assert_running);
    let (alive, body) = replicas[0].health("/healthz").await.expect("ask the probe");
    assert_eq!(alive, 200, "cut off is not broken: {body}");

    proxy.mend();
    replicas[0].wait_ready().await;
    assert_eq!(history.holder().as_ref(), Some(&next), "the new leader goes on");
    // The standby's caches are warm again: it takes over, and sees what came meanwhile.
    assert_eq!(replicas[1].stop().await, 0);
    history.wait_leader("replica-a").await;
    let guestbook = cluster.guestbooks.prove_reconciling("book-0", "after the cut").await;
    assert_eq!(reconciled_by(&guestbook).map(replica_of), Some("replica-a"));
    replicas[0].assert_running();
    cluster.ledger().assert_only_holders_write();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_leader_whose_connections_hang_stops_and_comes_back_as_standby() {
    let cluster = Cluster::start().await;
    let names = cluster.guestbooks.create_many("book", GUESTBOOKS).await;
    let history = cluster.history();
    let (proxy, mut replicas) = start_leader_behind_a_proxy(&cluster, &history).await;
    let _traffic = Traffic::start(&cluster.guestbooks, &names, PAUSE);
    let hung = history.wait_leader("replica-a").await;

    let mark = history.mark();
    proxy.hang();
    replicas[0].wait_says_it_leads(false, LEASE).await;
    let next = history.first_lease("another holds the lock", mark, |lease| lease.is_held_by_other_than(&hung)).await;
    let next = next.holder.expect("it is held");
    history.first_status_by(&next, mark).await;
    tokio::time::sleep(LEASE).await;
    let mended = Timestamp::now();
    proxy.mend();

    replicas[0].wait_ready().await;
    assert_eq!(replicas[1].stop().await, 0);
    history.wait_leader("replica-a").await;
    let guestbook = cluster.guestbooks.prove_reconciling("book-0", "after the hang").await;
    assert_eq!(reconciled_by(&guestbook).map(replica_of), Some("replica-a"));
    replicas.remove(0).assert_running();

    // The proxy delivers now what was sent before the term's end; nothing is sent after it.
    let strays = cluster.ledger().strays();
    say(format!("writes held back by the hanging line: {:#?}", strays.lines()));
    let sent_later = strays.such(|write| !(mended..=mended + ON_ITS_WAY).contains(&write.received));
    assert_eq!(sent_later.len(), 0, "written without the lock: {:#?}", sent_later.lines());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn what_was_deleted_while_the_watch_was_down_is_seen_as_deleted() {
    let cluster = Cluster::start().await;
    let names = cluster.guestbooks.create_many("book", 2).await;
    let history = cluster.history();
    let proxy = cluster.plane.proxy().expect("open a proxy");
    let through_proxy = cluster.plane.kubeconfig_via("replica-a", &proxy).expect("a kubeconfig through the proxy");
    // A long lease: the term outlives the cut, so that only the caches can tell what happened.
    let recipe = cluster.replica("replica-a").kubeconfig(&through_proxy).default_lease();
    let replicas = cluster.start_leading(&history, &[recipe]).await;
    cluster.guestbooks.wait_all_settled(2).await;
    let leader = history.holder();
    wait_cached(&replicas[0], 2.0).await;

    proxy.cut();
    let before = cluster.guestbooks.config_maps().get("book-0").await.expect("the child").metadata.uid;
    cluster.kubectl(&["delete", "configmap", "book-0"]).await;
    let without_finalizers = r#"{"metadata":{"finalizers":null}}"#;
    cluster.kubectl(&["patch", "gb", &names[1], "--type=merge", "--patch", without_finalizers]).await;
    cluster.guestbooks.delete(&names[1]).await;
    cluster.guestbooks.wait_gone(&names[1]).await;
    proxy.mend();

    wait_cached(&replicas[0], 1.0).await;
    let restored = eventually("the child is restored", PATIENCE, async || {
        let child = cluster.guestbooks.config_maps().get_opt("book-0").await.map_err(|error| error.to_string())?;
        child.ok_or_else(|| "not there".to_owned())
    })
    .await;
    assert_ne!(restored.metadata.uid, before);
    assert_eq!(history.holder(), leader, "one term all the time");
}

/// Waits until the replica's cache of guestbooks holds `count` objects.
async fn wait_cached(replica: &Replica, count: f64) {
    eventually(&format!("{count} guestbooks are cached"), PATIENCE, async || {
        match replica.metric("kubeops_cache_objects", &["Guestbook"]).await? {
            now if now == count => Ok(()),
            now => Err(format!("{now}")),
        }
    })
    .await;
}
