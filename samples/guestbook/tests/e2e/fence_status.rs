//! The fence on the object: a status is written for the version that was read, so that the store refuses that of an older leader.

use std::path::PathBuf;

use futures::stream;
use kube::api::{Patch, PatchParams, PostParams};
use kubeops::operator::RunError;
use kubeops::operator::connect::Environment;
use kubeops::prelude::*;
use kubeops::settings::LoadOptions;
use kubeops_testkit::AuditEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Cluster, NAMESPACE, PATIENCE, eventually, say};

const OLD: &str = "replica-old";
const NEW: &str = "replica-new";

/// A kind whose reconcile does nothing but write its status, so that this is the write that is held back.
#[derive(CustomResource, Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[kube(group = "e2e.example.com", version = "v1", kind = "Note", namespaced, status = "NoteStatus")]
struct NoteSpec {
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
struct NoteStatus {
    text: String,
    by: String,
}

#[derive(Controller)]
#[controller(entity = Note)]
struct NoteController;

impl Reconcile for NoteController {
    async fn reconcile(&self, note: &Note, cx: &Context<Note>) -> Result<Action> {
        let by = cx.term().identity().split('_').next().unwrap_or_default().to_owned();
        cx.patch_status(NoteStatus { text: note.spec.text.clone(), by }).await?;
        Ok(Action::await_change())
    }
}

/// A replica within this process, with a lease of 3, 2 and 0.5 seconds.
async fn replica(name: &'static str, kubeconfig: PathBuf) -> Result<(), RunError> {
    let set = [
        ("Name", name),
        ("InstallCrds", "true"),
        ("HealthAddress", "0"),
        ("MetricsAddress", "0"),
        ("LeaderElectionId", "notes"),
        ("LeaderElectionLeaseDuration", "3s"),
        ("LeaderElectionRenewDeadline", "2s"),
        ("LeaderElectionRetryPeriod", "0.5s"),
    ];
    let set = set.map(|(key, value)| (format!("KubeOps:{key}"), value.to_owned())).to_vec();
    let settings = Settings::load(LoadOptions { set, ..LoadOptions::default() }).expect("settings");
    let environment = Environment { kubeconfig: Some(kubeconfig.into_os_string()), ..Environment::default() };
    kubeops::operator!().add_controller::<NoteController>().serve(settings, &environment, stream::pending()).await
}

/// Waits until the status says this.
async fn wait_status(notes: &kube::Api<Note>, by: &str, text: &str) {
    let expected = Some(NoteStatus { by: by.to_owned(), text: text.to_owned() });
    eventually(&format!("{text} by {by}"), PATIENCE, async || {
        let status = notes.get("note").await.map_err(|error| error.to_string())?.status;
        if status == expected { Ok(()) } else { Err(format!("{status:?}")) }
    })
    .await;
}

fn is_status_write(event: &AuditEvent) -> bool {
    event.resource == "notes" && event.subresource == "status" && event.is_write()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_status_that_was_held_back_past_a_takeover_is_refused_by_the_store() {
    let cluster = Cluster::start_bare().await;
    let notes: kube::Api<Note> = kube::Api::namespaced(cluster.client.clone(), NAMESPACE);
    let proxy = cluster.plane.proxy().expect("a proxy");
    let mut replicas = JoinSet::new();
    replicas.spawn(replica(OLD, cluster.plane.kubeconfig_via(OLD, &proxy).expect("a kubeconfig")));
    let note = Note::new("note", NoteSpec { text: "first".to_owned() });
    eventually("the kind is there", PATIENCE, async || {
        notes.create(&PostParams::default(), &note).await.map(drop).map_err(|error| error.to_string())
    })
    .await;
    wait_status(&notes, OLD, "first").await;
    replicas.spawn(replica(NEW, cluster.plane.kubeconfig_for(NEW).expect("a kubeconfig")));
    eventually("the new one stands by", PATIENCE, async || {
        let ledger = cluster.ledger().of(NEW).such(|event| event.resource == "leases" && event.verb == "watch");
        if ledger.len() > 0 { Ok(()) } else { Err("it does not watch the lock".to_owned()) }
    })
    .await;

    // The old one sees the change, and what it writes of it stays on the way.
    proxy.hang_requests();
    let change = Patch::Merge(json!({ "spec": { "text": "second" } }));
    notes.patch("note", &PatchParams::default(), &change).await.expect("change the note");
    wait_status(&notes, NEW, "second").await;
    assert_eq!(cluster.ledger().of(OLD).such(is_status_write).len(), 1, "of the first text alone");
    proxy.mend();
    let late = eventually("the late write has arrived", PATIENCE, async || {
        let ledger = cluster.ledger().of(OLD).such(is_status_write);
        ledger.events().get(1).and_then(|event| event.code).ok_or_else(|| format!("{:#?}", ledger.lines()))
    })
    .await;
    assert_eq!(late, 409, "the store knows a newer version");
    wait_status(&notes, NEW, "second").await;
    say(format!("{:#?}", cluster.ledger().such(is_status_write).lines()));
    assert!(replicas.try_join_next().is_none(), "both go on");
}
