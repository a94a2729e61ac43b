//! What everybody is to see.

use std::path::Path;

use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Config};
use serde_json::json;

use super::session::Session;

const GUESTBOOKS: usize = 5;

#[test]
fn a_killed_leader_is_replaced_every_guestbook_is_ready_and_nothing_is_left_behind() {
    let mut dev = Session::start(&["--exit-after", "60s", "--kill-leader-after", "20s"]);

    dev.leader();
    dev.line(&["get guestbooks -A -w"]);
    let takeover = dev.line(&[" leads ", " was killed"]);
    let mut names = takeover.split_whitespace().filter(|word| word.starts_with("replica-"));
    let (new, old) = (names.next().expect("who leads"), names.next().expect("who was killed"));
    assert_ne!(new, old, "{takeover}");

    let target = Path::new(env!("CARGO_BIN_EXE_guestbook")).ancestors().nth(2).expect("the target folder");
    assert!(dev.kubeconfig().starts_with(target), "{:?} is not in {target:?}", dev.kubeconfig());
    assert_eq!(look_at_guestbooks(&dev.kubeconfig()), GUESTBOOKS);

    let summary = dev.line(&["guestbooks are Ready"]);
    assert!(summary.contains(&format!("{GUESTBOOKS} of {GUESTBOOKS}")), "{summary}");
    assert!(summary.contains(&format!("{old}, then {new}")), "{summary}");
    assert_eq!(dev.end().code(), Some(0), "dev ended by itself");

    assert!(dev.seen().iter().all(|line| !line.contains('\x1b')), "plain text where there is no terminal");
    assert_eq!(dev.replicas().len(), 4, "three replicas, and one of them again");
    let reconciled = |line: &&String| line.starts_with(new) && line.contains(": reconciled");
    assert!(dev.seen().iter().filter(reconciled).count() >= GUESTBOOKS, "the new leader has seen each");
    dev.assert_nothing_is_left();
}

/// As whoever got the kubeconfig sees them, and changes one as `kubectl apply --server-side` does.
fn look_at_guestbooks(kubeconfig: &Path) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        let client = Client::try_from(config.expect("a configuration")).expect("a client");
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("guestbook.example.com", "v1", "Guestbook"));
        let guestbooks = Api::<DynamicObject>::default_namespaced_with(client, &kind);
        let changed = json!({
            "apiVersion": "guestbook.example.com/v1", "kind": "Guestbook", "metadata": {"name": "hello"},
            "spec": {"title": "Changed"}
        });
        guestbooks.patch("hello", &PatchParams::apply("kubectl"), &Patch::Apply(&changed)).await.expect("no conflict");
        guestbooks.list(&ListParams::default()).await.expect("guestbooks").items.len()
    })
}
