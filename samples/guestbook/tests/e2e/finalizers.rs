//! Deletion: the title goes into the archive, once, and only then the object goes.

use kube::ResourceExt;

use crate::harness::{Cluster, Guestbooks, PATIENCE, eventually};

const FINALIZER: &str = "guestbook.example.com/cleanup";
const ARCHIVE: &str = "guestbook-archive";

async fn archived_title(guestbooks: &Guestbooks, name: &str) -> Option<String> {
    let archive = guestbooks.config_maps().get_opt(ARCHIVE).await.expect("look for the archive")?;
    archive.data.and_then(|mut data| data.remove(name))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_deleted_guestbook_is_finalized_once() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let recipes = ["replica-a", "replica-b"].map(|name| cluster.replica(name));
    let _replicas = cluster.start_leading(&history, &recipes).await;
    for name in cluster.guestbooks.create_many("book", 2).await {
        let guestbook = cluster.guestbooks.wait_settled(&name).await;
        assert_eq!(guestbook.finalizers(), [FINALIZER]);
    }

    let deleted = jiff::Timestamp::now();
    cluster.guestbooks.delete("book-0").await;
    cluster.guestbooks.wait_gone("book-0").await;
    assert_eq!(archived_title(&cluster.guestbooks, "book-0").await.as_deref(), Some("Guests of book-0"));
    assert_eq!(archived_title(&cluster.guestbooks, "book-1").await, None, "the other one stays");

    // Whatever came of the deletion is over once a later change has been reconciled.
    cluster.guestbooks.prove_reconciling("book-1", "after the deletion").await;
    let writes = cluster.ledger().since(deleted).writes().such(|write| write.user.starts_with("replica-"));
    let archive = writes.such(|write| write.name == ARCHIVE);
    assert_eq!(archive.taken().len(), 1, "the finalizer ran once: {:#?}", archive.lines());
    // A reconcile that was under way at the deletion may have ended before: from here on, only the finalizer may act.
    let after = writes.since(archive.first().expect("archived").received);
    let on_object = |subresource| {
        after.such(move |write| {
            write.resource == "guestbooks" && write.name == "book-0" && write.subresource == subresource
        })
    };
    assert_eq!(on_object("").len(), 1, "its finalizer was taken off once: {:#?}", on_object("").lines());
    assert_eq!(on_object("status").len(), 0, "and it was not reconciled any more: {:#?}", on_object("status").lines());
    let children = after.such(|write| write.name == "book-0" && write.resource != "guestbooks");
    assert_eq!(children.taken().such(|write| write.verb != "delete").len(), 0, "{:#?}", children.lines());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_guestbook_deleted_while_every_replica_is_down_is_finalized_at_the_next_start() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let recipe = cluster.replica("replica-a");
    let mut replicas = cluster.start_leading(&history, std::slice::from_ref(&recipe)).await;
    cluster.guestbooks.create_many("book", 1).await;
    cluster.guestbooks.wait_settled("book-0").await;
    assert_eq!(replicas[0].stop().await, 0);

    cluster.guestbooks.delete("book-0").await;
    let waiting = cluster.guestbooks.get("book-0").await;
    assert!(waiting.metadata.deletion_timestamp.is_some(), "the finalizer keeps it");
    assert_eq!(archived_title(&cluster.guestbooks, "book-0").await, None, "nobody is there to finalize it");

    let _replica = recipe.start();
    cluster.guestbooks.wait_gone("book-0").await;
    assert_eq!(archived_title(&cluster.guestbooks, "book-0").await.as_deref(), Some("Guests of book-0"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_name_used_again_after_a_deletion_is_a_new_guestbook() {
    let cluster = Cluster::start().await;
    let history = cluster.history();
    let _replicas = cluster.start_leading(&history, &[cluster.replica("replica-a")]).await;
    let create = async |title: &str| cluster.guestbooks.create("book", serde_json::json!({ "title": title })).await;

    create("First").await.expect("create");
    let first = cluster.guestbooks.wait_settled("book").await;
    cluster.guestbooks.delete("book").await;
    cluster.guestbooks.wait_gone("book").await;
    create("Second").await.expect("create it again");
    let second = cluster.guestbooks.wait_settled("book").await;
    assert_ne!(first.uid(), second.uid());
    // Nothing collects garbage here: the children of the first are there until the second takes them over.
    eventually("the children belong to the second", PATIENCE, async || {
        let children = cluster.guestbooks.children("book").await.map_err(|error| error.to_string())?;
        let owned_by_second = children.iter().all(|(_, child)| {
            child.owner_references.iter().flatten().any(|owner| Some(&owner.uid) == second.metadata.uid.as_ref())
        });
        if owned_by_second { Ok(()) } else { Err(format!("{children:#?}")) }
    })
    .await;
    assert!(cluster.guestbooks.page("book").await.contains("Second"));
}
