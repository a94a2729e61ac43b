//! Objects that do not fit their Rust type.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_object_that_does_not_fit_stops_neither_the_list_nor_the_watch() {
    let api = Scene::start().await;
    api.put("default", "a", value("1")).await;
    api.put("default", "bad", unfit()).await;
    api.put("default", "c", value("1")).await;
    let bench = Bench::start(&api).await;
    assert!(bench.caches.synced());
    assert_eq!(bench.told(), ["+a=1", "+c=1"]);
    assert_eq!(bench.count("kubeops_undeserializable_objects_total"), "1");

    api.put("default", "later", unfit()).await;
    api.put("default", "d", value("1")).await;
    settle().await;
    assert_eq!(bench.told(), ["+d=1"]);
    assert_eq!(bench.count("kubeops_undeserializable_objects_total"), "2");

    // A new list brings the same versions again.
    api.faults().silence_watches();
    api.put("default", "d", value("2")).await;
    api.0.compact();
    api.mend();
    sleep(30 * SECOND).await;
    assert_eq!((api.seen("list").len(), bench.told()), (2, vec!["d=1>d=2".to_owned()]));
    assert_eq!(bench.count("kubeops_undeserializable_objects_total"), "2");

    api.put("default", "bad", json!({ "spec": { "v": 1 } })).await;
    api.put("default", "bad", value("1")).await;
    settle().await;
    assert_eq!(bench.told(), ["+bad=1"]);
    assert_eq!(bench.count("kubeops_undeserializable_objects_total"), "3");
}

#[tokio::test(start_paused = true)]
async fn of_an_object_that_no_longer_fits_the_last_version_that_did_is_kept_until_it_is_gone() {
    let api = Scene::start().await;
    api.put("default", "a", value("1")).await;
    let bench = Bench::start(&api).await;
    bench.told();
    api.put("default", "a", unfit()).await;
    settle().await;
    assert_eq!(bench.told(), Vec::<String>::new());
    assert_eq!(bench.names(), ["default/a"]);
    api.put("default", "a", value("3")).await;
    settle().await;
    assert_eq!(bench.told(), ["a=1>a=3"]);
    api.put("default", "a", unfit()).await;
    api.delete("default", "a").await;
    settle().await;
    assert_eq!(bench.told(), ["-a=3"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_replaced_by_one_that_does_not_fit_is_deleted() {
    let api = Scene::start().await;
    api.put("default", "a", value("1")).await;
    let bench = Bench::start(&api).await;
    api.fail("watch", 503);
    api.cut();
    settle().await;
    api.delete("default", "a").await;
    api.put("default", "a", unfit()).await;
    api.0.compact();
    api.mend();
    sleep(30 * SECOND).await;
    assert_eq!(bench.told(), ["+a=1", "-a=1"]);
    assert!(bench.cache.store().is_empty());
}
