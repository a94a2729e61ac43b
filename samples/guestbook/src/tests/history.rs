//! The server forgets what was, under watches that run.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use super::{Scene, held_by};

#[tokio::test(start_paused = true)]
async fn nothing_is_missed_when_history_is_compacted_under_running_watches() {
    let scene = Scene::start().await;
    let _replica = scene.leader("replica-a").await;
    let names = scene.create_many(3).await;
    scene.all_settled(&names).await;
    let begun = scene.cluster.now();
    for round in 0..100 {
        // Some watches have read what was written, some have not.
        scene.touch(&names[round % names.len()], &format!("visit {round}")).await;
        scene.cluster.compact();
        tokio::time::sleep(Duration::from_millis(10 * (round as u64 % 3))).await;
    }
    scene.all_settled(&names).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (page, last) = (scene.api::<ConfigMap>().get("book-0").await.unwrap(), "visit 99");
    assert!(page.data.unwrap()["index.html"].contains(last), "the last of all changes");
    let lists = scene.ledger().of("replica-a").since(begun).such(|event| event.verb == "list").len();
    assert!(lists < 20, "{lists} lists for 100 compactions");
}

#[tokio::test(start_paused = true)]
async fn what_a_watch_could_not_tell_before_history_was_compacted_is_seen_by_a_new_list() {
    let scene = Scene::start().await;
    let _replicas = scene.two_replicas().await;
    let names = scene.create_many(4).await;
    scene.all_settled(&names).await;
    let before = scene.lock(held_by("replica-a")).await.spec.unwrap().lease_transitions;
    let begun = scene.cluster.now();

    scene.faults("replica-a").silence_watches();
    scene.touch("book-0", "changed").await;
    let pages = scene.api::<ConfigMap>();
    let page = pages.get("book-1").await.unwrap();
    pages.delete("book-1", &DeleteParams::default()).await.unwrap();
    let kept = scene.books.get("book-2").await.unwrap();
    scene.books.delete("book-2", &DeleteParams::default()).await.unwrap();
    // One that is gone altogether, and another that has its name.
    let unheld = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    scene.books.patch("book-3", &PatchParams::default(), &unheld).await.unwrap();
    scene.delete("book-3").await;
    scene.create("book-3").await;
    scene.create("new").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!scene.books.get("new").await.unwrap().is_applied(), "nobody has told the leader");
    scene.cluster.compact();
    scene.faults("replica-a").mend();

    scene.settled("book-0").await;
    scene.cluster.until("book-1", |now: &ConfigMap| now.uid() != page.uid()).await;
    scene.gone(&kept).await;
    scene.settled("book-3").await;
    scene.settled("new").await;
    assert_ne!(scene.ledger().of("replica-a").since(begun).such(|event| event.verb == "list").len(), 0);
    assert_eq!(scene.lock(held_by("replica-a")).await.spec.unwrap().lease_transitions, before, "one term all the time");
}
