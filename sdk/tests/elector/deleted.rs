//! A lock that is deleted, and one that is created anew.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_standby_leaves_a_deleted_lock_alone_for_as_long_as_its_holder_may_believe_in_it() {
    let site = Site::start().await;
    let mut first = replica(&site, "a");
    let term = first.leads().await;
    let mut second = replica(&site, "b");
    sleep(LEASE).await;
    // The leader does not hear of it.
    first.way.cut();
    site.delete().await;
    let deleted = Instant::now();
    second.leads().await;
    let after = deleted.elapsed();
    assert!(!term.is_valid());
    assert!((LEASE..LEASE + Duration::from_secs(1)).contains(&after), "{after:?}");
    assert_eq!(site.holders().await, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_somebody_else_creates_anew_is_theirs_until_it_has_run_out() {
    let site = Site::start().await;
    let mut only = replica(&site, "a");
    let term = only.leads().await;
    // What has ended keeps it from creating the lock at once itself.
    let work = term.begin_work().unwrap();
    site.delete().await;
    term.ended().await;
    site.create(&serde_json::json!({
        "metadata": { "name": "lock" }, "spec": { "holderIdentity": "other", "leaseDurationSeconds": 40 },
    }))
    .await;
    let created = Instant::now();
    drop(work);
    only.leads_after(term.id()).await;
    let after = created.elapsed();
    assert!((Duration::from_secs(40)..Duration::from_secs(42)).contains(&after), "{after:?}");
    assert_eq!(site.holders().await, ["a", "other", "a"]);
}

async fn held(site: &Site) {
    while site.holder().await.is_none() {
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn however_often_it_is_deleted_nobody_leads_next_to_another_who_is_not_cut_off() {
    let site = Site::start().await;
    let replicas = ["a", "b", "c"].map(|name| replica(&site, name));
    sleep(LEASE).await;
    for round in 0..20 {
        timeout(HOUR, held(&site)).await.expect("nobody takes it");
        site.delete().await;
        for _ in 0..20 {
            sleep(Duration::from_millis(10 + round * 7)).await;
            let leads = replicas.iter().filter(|replica| replica.leadership.term().is_some()).count();
            assert!(leads <= 1, "{leads} lead");
        }
    }
    sleep(LEASE * 3).await;
    assert_eq!(replicas.iter().filter(|replica| replica.leadership.term().is_some()).count(), 1);
}
