//! Bad settings: all problems at once, each with key, value and layer, exit code 78, before anything touches the cluster.

use std::path::Path;

use crate::harness::{Recipe, new_directory};

/// A recipe that cannot reach a server: the settings must be told before the missing kubeconfig is.
fn recipe(directory: &Path) -> Recipe {
    Recipe::new("replica-a", &directory.join("no-such-kubeconfig"), directory)
}

/// Runs it to its end and returns all that it printed.
async fn refused(recipe: &Recipe, code: i32) -> String {
    let output = recipe.run().await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

/// One problem: a line, or a few, with all of `words`.
#[track_caller]
fn assert_told(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{words:?} must be told, {word:?} is not: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_setting_is_told_at_once_with_its_origin() {
    let directory = new_directory();
    let file = r#"{ "KubeOps": { "HealthAddress": "nonsense", "ResyncPeriod": "often" } }"#;
    std::fs::write(directory.join("appsettings.json"), file).expect("write the settings");
    let recipe = Recipe::new("replica-a", &directory.join("no-such-kubeconfig"), &directory)
        .unset("KubeOps__HealthAddress")
        .set("KubeOps__LeaderElectionLeaseDuration", "soon")
        .set("KubeOps__MaxParallelReconciliations", "0")
        .set("KubeOps__LeaderElectionLock", "Mutex")
        .argument("--set")
        .argument("KubeOps:ReadyWhen=Sometimes");
    let text = refused(&recipe, 78).await;
    assert_told(&text, &["HealthAddress", "nonsense", "appsettings.json"]);
    assert_told(&text, &["ResyncPeriod", "often"]);
    assert_told(&text, &["LeaderElectionLeaseDuration", "soon", "KubeOps__LeaderElectionLeaseDuration"]);
    assert_told(&text, &["MaxParallelReconciliations", "KubeOps__MaxParallelReconciliations"]);
    assert_told(&text, &["LeaderElectionLock", "Mutex"]);
    assert_told(&text, &["ReadyWhen", "Sometimes", "command line"]);
    assert!(!text.contains("no-such-kubeconfig"), "it ends before it looks for the cluster: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn durations_that_do_not_fit_each_other_are_refused() {
    let directory = new_directory();
    let text = refused(&recipe(&directory).lease("00:00:10", "00:00:10", "00:00:02"), 78).await;
    assert_told(&text, &["LeaderElectionLeaseDuration", "LeaderElectionRenewDeadline"]);
    let text = refused(&recipe(&directory).lease("00:00:10", "00:00:02", "00:00:02"), 78).await;
    assert_told(&text, &["LeaderElectionRenewDeadline", "LeaderElectionRetryPeriod"]);
    let text = refused(&recipe(&directory).lease("00:00:02.5", "00:00:02", "00:00:00.5"), 78).await;
    assert_told(&text, &["LeaderElectionLeaseDuration", "second"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_kubernetes_does_not_take_are_refused() {
    let directory = new_directory();
    let recipe = recipe(&directory).set("KubeOps__Name", "Replica_A").set("KubeOps__LeaderElectionId", "Not A Name");
    let text = refused(&recipe, 78).await;
    assert_told(&text, &["Replica_A", "KubeOps__Name"]);
    assert_told(&text, &["Not A Name", "KubeOps__LeaderElectionId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_json_is_told_with_file_line_and_column() {
    let directory = new_directory();
    std::fs::write(directory.join("appsettings.json"), "{\n  \"KubeOps\": {\n    \"Name\": ]\n  }\n}").expect("write");
    let text = refused(&recipe(&directory), 78).await;
    assert_told(&text, &["appsettings.json", "3:13"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settings_file_that_was_named_must_be_there() {
    let directory = new_directory();
    let recipe = recipe(&directory).argument("--settings").argument("no-such-settings.json");
    assert_told(&refused(&recipe, 78).await, &["no-such-settings.json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_is_a_warning_that_names_the_nearest() {
    let directory = new_directory();
    let recipe = recipe(&directory).set("KubeOps__LeaderElectionLeaseDuratoin", "00:00:15");
    // Only a warning: it goes on until it finds no cluster.
    let text = refused(&recipe, 1).await;
    assert_told(&text, &["LeaderElectionLeaseDuratoin", "LeaderElectionLeaseDuration"]);
    let hint = text.replace("LeaderElectionLeaseDuratoin", "");
    assert_told(&hint, &["LeaderElectionLeaseDuration"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_argument_is_a_usage_error() {
    let directory = new_directory();
    assert_told(&refused(&recipe(&directory).argument("--no-such-flag"), 2).await, &["--no-such-flag"]);
}
