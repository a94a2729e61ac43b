//! What a guestbook is made of, how it looks, and that it is repaired.

use kube::ResourceExt;
use serde_json::{Value, json};

use crate::harness::{Cluster, PATIENCE, eventually, is_ready, observed_generation, reconciled_by};

const TITLE: &str = r#"<script>alert("hi")</script> & 'friends'"#;
const MESSAGE: &str = "</p><img src=x onerror=alert(1)>";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_guestbook_gets_its_page_and_its_status_in_the_standard_form() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let _replicas = cluster.start_leading(&history, &[cluster.replica("replica-a")]).await;
    let spec = json!({ "title": TITLE, "message": MESSAGE, "replicas": 3 });
    cluster.guestbooks.create("book", spec).await.expect("create");
    let guestbook = cluster.guestbooks.wait_settled("book").await;

    let page = cluster.guestbooks.page("book").await;
    assert!(page.contains("&lt;script&gt;") && page.contains("&amp;"), "escaped: {page}");
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "HTML of users is text: {page}");

    let deployment = cluster.guestbooks.deployments().get("book").await.expect("the Deployment");
    let spec = deployment.spec.expect("a spec");
    assert_eq!(spec.replicas, Some(3));
    let pod = spec.template.spec.expect("a pod");
    assert!(pod.containers[0].image.as_deref().is_some_and(|image| image.contains("nginxinc/nginx-unprivileged")));
    let mounted =
        pod.volumes.iter().flatten().any(|volume| volume.config_map.as_ref().is_some_and(|map| map.name == "book"));
    assert!(mounted, "the page is mounted");
    let service = cluster.guestbooks.services().get("book").await.expect("the Service").spec.expect("a spec");
    let labels = spec.template.metadata.and_then(|metadata| metadata.labels).unwrap_or_default();
    let selector = service.selector.expect("a selector");
    assert!(!selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value)));
    cluster.guestbooks.assert_owns_children(&guestbook).await;

    let condition = guestbook.data["status"]["conditions"].as_array().expect("conditions")[0].clone();
    for field in ["type", "status", "reason", "message", "lastTransitionTime"] {
        assert!(condition[field].is_string(), "{field} of a standard condition: {condition}");
    }
    assert_eq!(observed_generation(&guestbook), Some(1));
    assert_eq!(reconciled_by(&guestbook).map(str::to_owned), history.holder());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn children_that_someone_changes_or_deletes_are_repaired() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let _replicas = cluster.start_leading(&history, &[cluster.replica("replica-a")]).await;
    cluster.guestbooks.create_many("book", 1).await;
    cluster.guestbooks.wait_settled("book-0").await;
    let page = cluster.guestbooks.page("book-0").await;
    let before = cluster.guestbooks.children("book-0").await.expect("the children");

    let vandal = |patch: Value| patch.to_string();
    cluster
        .kubectl(&["patch", "configmap", "book-0", "--patch", &vandal(json!({ "data": { "index.html": "mine" } }))])
        .await;
    cluster.kubectl(&["patch", "deployment", "book-0", "--patch", &vandal(json!({ "spec": { "replicas": 7 } }))]).await;
    eventually("changes are undone", PATIENCE, async || {
        let now = cluster.guestbooks.page("book-0").await;
        let deployment = cluster.guestbooks.deployments().get("book-0").await.map_err(|error| error.to_string())?;
        let replicas = deployment.spec.and_then(|spec| spec.replicas);
        if now == page && replicas == Some(1) { Ok(()) } else { Err(format!("{replicas:?} replicas, {now}")) }
    })
    .await;

    cluster.kubectl(&["delete", "configmap/book-0", "deployment/book-0", "service/book-0", "--wait=false"]).await;
    eventually("deleted children are made again", PATIENCE, async || {
        let now = cluster.guestbooks.children("book-0").await.map_err(|error| error.to_string())?;
        let new = now.iter().zip(&before).all(|((_, now), (_, before))| now.uid != before.uid);
        if new { Ok(()) } else { Err("some are still the old ones".to_owned()) }
    })
    .await;
    cluster.guestbooks.assert_owns_children(&cluster.guestbooks.get("book-0").await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn kubectl_knows_the_short_name_and_the_columns() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let _replicas = cluster.start_leading(&history, &[cluster.replica("replica-a")]).await;
    cluster.guestbooks.create_many("book", 1).await;
    cluster.guestbooks.wait_settled("book-0").await;

    let table = cluster.kubectl(&["get", "gb"]).await;
    let (header, row) = table.split_once('\n').expect("a header and a row");
    assert!(header.contains("TITLE") && header.contains("READY"), "{table}");
    assert!(row.contains("Guests of book-0") && row.contains("True"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn the_schema_has_the_published_defaults_and_bounds() {
    let cluster = Cluster::start().await;
    let create = async |name: &str, spec: Value| cluster.guestbooks.create(name, spec).await;

    let plain = create("plain", json!({ "title": "x" })).await.expect("a title is enough");
    assert_eq!((&plain.data["spec"]["message"], &plain.data["spec"]["replicas"]), (&json!(""), &json!(1)));
    assert!(!is_ready(&plain), "nobody reconciles it here");
    create("longest", json!({ "title": "x".repeat(120), "replicas": 10 })).await.expect("within the bounds");
    create("none", json!({ "title": "x", "replicas": 0 })).await.expect("within the bounds");

    let refused = [
        json!({}),
        json!({ "title": "" }),
        json!({ "title": "x".repeat(121) }),
        json!({ "title": "x", "replicas": 11 }),
        json!({ "title": "x", "replicas": -1 }),
    ];
    for spec in refused {
        match create("refused", spec.clone()).await {
            Err(kube::Error::Api(status)) if status.code == 422 => {}
            Err(error) => panic!("{spec}: {error}"),
            Ok(object) => panic!("{spec} was taken: {}", object.name_any()),
        }
    }
}
