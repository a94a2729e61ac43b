//! An object that is no Guestbook, let in by a schema that somebody loosened.

use serde_json::json;

use crate::harness::{Cluster, PATIENCE, eventually};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn an_object_that_does_not_deserialize_is_told_once_and_holds_up_no_other() {
    let cluster = Cluster::start().await;
    let loose = json!([{
        "op": "replace",
        "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec",
        "value": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
    }]);
    let crd = "crd/guestbooks.guestbook.example.com";
    cluster.kubectl(&["patch", crd, "--type=json", "--patch", &loose.to_string()]).await;
    // The server takes up a changed schema by and by.
    eventually("the loose schema lets a bad object in", PATIENCE, async || {
        let bad = json!({ "title": "Bad", "replicas": "many" });
        cluster.guestbooks.create("misfit", bad).await.map(|_| ()).map_err(|error| error.to_string())
    })
    .await;

    let history = cluster.history();
    let mut replicas = cluster.start_leading(&history, &[cluster.replica("replica-a")]).await;
    cluster.guestbooks.create("good", json!({ "title": "Good", "message": "", "replicas": 1 })).await.expect("create");
    cluster.guestbooks.wait_settled("good").await;
    cluster.guestbooks.prove_reconciling("good", "the watch goes on").await;

    let count = async || replicas[0].metric("kubeops_undeserializable_objects_total", &["Guestbook"]).await;
    assert_eq!(count().await, Ok(1.0));
    assert_eq!(replicas[0].log_lines(&["misfit"]).len(), 1, "told once: {:#?}", replicas[0].log_lines(&["misfit"]));

    // Another version is told again, a repaired one is reconciled.
    let worse = json!({ "spec": { "replicas": ["none"] } }).to_string();
    cluster.kubectl(&["patch", "gb", "misfit", "--type=merge", "--patch", &worse]).await;
    eventually("the new version is counted", PATIENCE, async || match count().await? {
        2.0 => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
    assert_eq!(
        replicas[0].log_lines(&["misfit"]).len(),
        2,
        "once per version: {:#?}",
        replicas[0].log_lines(&["misfit"])
    );
    let repaired = json!({ "spec": { "message": "", "replicas": 2 } }).to_string();
    cluster.kubectl(&["patch", "gb", "misfit", "--type=merge", "--patch", &repaired]).await;
    cluster.guestbooks.wait_settled("misfit").await;
    replicas[0].assert_running();
}
