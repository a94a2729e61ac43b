//! Locks that somebody else has filled with whatever they hold.

use serde_json::{Value, json};

use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn lock(spec: &Value) -> Value {
    json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": "lock" }, "spec": spec })
}

#[tokio::test(start_paused = true)]
async fn a_lock_without_a_holder_is_led_at_once_whatever_else_it_says() {
    let future = "2999-01-01T00:00:00.000000Z";
    for spec in [json!({}), json!({ "renewTime": future, "acquireTime": future, "leaseDurationSeconds": i32::MAX })] {
        let site = Site::start().await;
        site.create(&lock(&spec)).await;
        let start = Instant::now();
        replica(&site, "a").leads().await;
        assert!(start.elapsed() < Duration::from_millis(50), "{spec}: {:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_without_a_duration_or_from_the_future_is_waited_for_once() {
    let future =
        json!({ "holderIdentity": "x", "renewTime": "2999-01-01T00:00:00.000000Z", "leaseDurationSeconds": 15 });
    for spec in [json!({ "holderIdentity": "x" }), future] {
        let site = Site::start().await;
        site.create(&lock(&spec)).await;
        let start = Instant::now();
        replica(&site, "a").leads().await;
        assert!(start.elapsed() >= LEASE && start.elapsed() < LEASE + Duration::from_secs(1), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_who_wants_years_gets_them() {
    let site = Site::start().await;
    site.create(&lock(&json!({ "holderIdentity": "x", "leaseDurationSeconds": i32::MAX }))).await;
    let only = replica(&site, "a");
    sleep(DAY).await;
    assert!(only.leadership.term().is_none());
    assert_eq!(site.holders().await, ["x"]);
}

#[tokio::test(start_paused = true)]
async fn a_coordinated_lease_is_left_alone_until_it_is_none_any_more() {
    let site = Site::start().await;
    site.create(&lock(&json!({ "strategy": "OldestEmulationVersion" }))).await;
    let mut only = replica(&site, "a");
    sleep(LEASE * 4).await;
    assert_eq!(site.holders().await, [""], "nobody has written it");
    site.merge(&json!({ "spec": { "strategy": null } })).await;
    only.leads().await;
}

#[tokio::test(start_paused = true)]
async fn a_held_lock_that_becomes_coordinated_ends_the_term_at_once() {
    let site = Site::start().await;
    let mut only = replica(&site, "a");
    let term = only.leads().await;
    site.merge(&json!({ "spec": { "strategy": "OldestEmulationVersion" } })).await;
    let start = Instant::now();
    timeout(HOUR, term.ended()).await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(50), "{:?}", start.elapsed());
    sleep(LEASE * 4).await;
    assert!(only.leadership.term().is_none(), "its own record is as it was, and not taken");
    only.stop.cancel();
    timeout(HOUR, only.run).await.unwrap().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_megabyte_of_annotations_is_kept() {
    let site = Site::start().await;
    let mut lease = lock(&json!({}));
    lease["metadata"]["annotations"] = json!({ "much": "x".repeat(1 << 20) });
    site.create(&lease).await;
    let mut only = replica(&site, "a");
    let term = only.leads().await;
    sleep(LEASE * 2).await;
    assert!(term.is_valid(), "renewed");
    assert_eq!(site.annotation("much").await.map_or(0, |much| much.len()), 1 << 20);
}
