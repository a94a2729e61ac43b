//! No kubeconfig, a bad one, or a server that does not answer.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use crate::harness::{Cluster, PATIENCE, Recipe, eventually, new_directory, reconciled_by, replica_of};

/// Long enough for several tries.
const WAITING: Duration = Duration::from_secs(5);

fn kubeconfig(directory: &Path, content: &str) -> PathBuf {
    let path = directory.join("kubeconfig");
    std::fs::write(&path, content).expect("write the kubeconfig");
    path
}

fn all_output(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs the operator and the commands that talk to a server; each must end with 1 and one error that holds `words`.
async fn assert_refused(recipe: &Recipe, words: &[&str]) {
    for command in [&["run"][..], &["install"], &["uninstall", "--yes"]] {
        let output = command.iter().fold(recipe.clone(), |recipe, argument| recipe.argument(argument)).run().await;
        let text = all_output(&output);
        assert_eq!(output.status.code(), Some(1), "{command:?}: {text}");
        assert!(words.iter().all(|word| text.contains(word)), "{command:?} must name {words:?}: {text}");
        assert!(!text.contains("panicked"), "{command:?}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_kubeconfig_is_named() {
    let directory = new_directory();
    let recipe = Recipe::new("replica-a", &directory.join("no-such-kubeconfig"), &directory);
    assert_refused(&recipe, &["no-such-kubeconfig"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_configuration_the_error_says_what_was_tried() {
    let directory = new_directory();
    let recipe = Recipe::new("replica-a", &directory, &directory).without_kubeconfig();
    // The file in the home directory, and a pod's own variables.
    assert_refused(&recipe, &["KUBECONFIG", ".kube/config", "KUBERNETES_SERVICE_HOST"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_kubeconfig_is_named() {
    let directory = new_directory();
    let broken = kubeconfig(&directory, "clusters: [this is\n  not: yaml");
    assert_refused(&Recipe::new("replica-a", &broken, &directory), &[broken.to_str().expect("UTF-8")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kubeconfig_without_its_context_is_refused() {
    let directory = new_directory();
    let config = "apiVersion: v1\nkind: Config\ncurrent-context: nowhere\ncontexts: []\nclusters: []\nusers: []\n";
    let empty = kubeconfig(&directory, config);
    assert_refused(&Recipe::new("replica-a", &empty, &directory), &["nowhere"]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_server_that_does_not_answer_is_waited_for_by_run_only() {
    let cluster = Cluster::start().await;
    cluster.guestbooks.create_many("book", 1).await;
    cluster.plane.stop_api_server().await;

    let output = cluster.command(&["install"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", all_output(&output));

    let mut replica = cluster.replica("replica-a").start();
    let body = replica.wait_health("/startupz", 503).await;
    assert!(!body.trim().is_empty(), "it says what it waits for");
    tokio::time::sleep(WAITING).await;
    replica.assert_running();
    replica.wait_health("/startupz", 503).await;
    replica.wait_health("/readyz", 503).await;
    replica.wait_health("/livez", 200).await;
    assert_says_nothing_twice(&replica.log());

    cluster.plane.start_api_server().await.expect("start the API server");
    replica.wait_health("/startupz", 200).await;
    replica.wait_ready().await;
    let guestbook = eventually("it reconciles", PATIENCE, async || {
        let guestbook = cluster.guestbooks.wait_settled("book-0").await;
        if reconciled_by(&guestbook).is_some() { Ok(guestbook) } else { Err("nobody".to_owned()) }
    })
    .await;
    assert_eq!(reconciled_by(&guestbook).map(replica_of), Some("replica-a"));
    replica.assert_running();
}

/// A line a minute, not one a try: no warning comes twice in a few seconds, the time in front of it aside.
#[track_caller]
fn assert_says_nothing_twice(log: &str) {
    let mut warnings: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("WARN") || line.contains("ERROR"))
        .map(|line| line.trim_start().split_once(' ').map_or(line, |(_time, rest)| rest.trim()))
        .collect();
    assert!(!warnings.is_empty(), "nothing says that the server is away: {log}");
    let all = warnings.len();
    warnings.sort_unstable();
    warnings.dedup();
    assert_eq!(warnings.len(), all, "said more than once: {log}");
}
