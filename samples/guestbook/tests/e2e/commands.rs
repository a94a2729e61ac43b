//! The commands beside `run`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Cluster, Recipe, new_directory};

const CRD: &str = "guestbooks.guestbook.example.com";

#[tokio::test(flavor = "multi_thread")]
async fn settings_lists_effective_values_with_their_origin() {
    let directory = new_directory();
    std::fs::write(directory.join("appsettings.json"), r#"{ "kubeops": { "ShutdownTimeout": 7 } } // bare seconds"#)
        .expect("write");
    let recipe = Recipe::new("replica-a", &directory.join("no-such-kubeconfig"), &directory).argument("settings");
    let output = recipe.run().await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    let line = |key: &str| text.lines().find(|line| line.contains(key)).unwrap_or_else(|| panic!("no {key}: {text}"));
    assert!(line("ShutdownTimeout").contains("00:00:07") && line("ShutdownTimeout").contains("appsettings.json"));
    assert!(line("LeaderElectionLeaseDuration").contains("00:00:03"));
    assert!(line("LeaderElectionLeaseDuration").contains("KubeOps__LeaderElectionLeaseDuration"));
    assert!(line("LeaderElectionId").contains("guestbook-leader"));
    assert!(line("EnableLeaderElection").contains("default"));
}

#[tokio::test(flavor = "multi_thread")]
async fn crds_are_generated_without_a_cluster() {
    let directory = new_directory();
    let recipe = Recipe::new("replica-a", &directory.join("no-such-kubeconfig"), &directory);
    let recipe = recipe.argument("generate").argument("crds");
    let yaml = recipe.run().await;
    assert!(yaml.status.success(), "{yaml:?}");
    assert!(String::from_utf8_lossy(&yaml.stdout).contains(CRD), "{yaml:?}");
    let json = recipe.argument("--format").argument("json").run().await;
    assert!(serde_json::from_slice::<Value>(&json.stdout).is_ok(), "{json:?}");
}

/// A recipe for `generate manifests` in a folder that has this appsettings.json.
fn generate_manifests(settings: &str) -> (Recipe, PathBuf) {
    let directory = new_directory();
    std::fs::write(directory.join("appsettings.json"), settings).expect("write");
    let recipe = Recipe::new("replica-a", &directory.join("no-such-kubeconfig"), &directory);
    (recipe.argument("generate").argument("manifests"), directory.join("deploy/base"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_manifests_is_one_and_lists_what_differs() {
    let (recipe, base) = generate_manifests("{}");
    let recipe = recipe.argument("--out").argument("deploy");
    let written = recipe.run().await;
    assert!(written.status.success(), "{written:?}");
    let check = recipe.clone().argument("--check");
    let same = check.run().await;
    assert!(same.status.success() && same.stdout.is_empty(), "{same:?}");
    // What runs on this machine is not what pods will have.
    let elsewhere = check.clone().set("KubeOps__EnableLeaderElection", "false").set("POD_NAMESPACE", "x").run().await;
    assert!(elsewhere.status.success(), "{elsewhere:?}");

    std::fs::remove_file(base.join("service.yaml")).expect("remove a file");
    std::fs::write(base.join("deployment.yaml"), "mine").expect("change a file");
    let differs = check.run().await;
    let told = String::from_utf8_lossy(&differs.stdout);
    assert_eq!(differs.status.code(), Some(1), "{differs:?}");
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines, ["differs: deploy/base/deployment.yaml", "missing: deploy/base/service.yaml"]);
    let other_settings = check.argument("--leader-elect=false").run().await;
    assert!(
        String::from_utf8_lossy(&other_settings.stdout).contains("left over: deploy/base/role-leader-election.yaml")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_samples_own_manifests_and_chart_are_up_to_date() {
    let directory = new_directory();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recipe = Recipe::new("replica-a", &directory.join("no-such-kubeconfig"), sample);
    for (what, folder) in [("manifests", "deploy"), ("helm", "chart")] {
        let arguments = ["generate", what, "--out", folder, "--check"];
        let check = arguments.iter().fold(recipe.clone(), |recipe, argument| recipe.argument(argument)).run().await;
        let mend = format!("cd {} && cargo run -- {}", sample.display(), arguments[..4].join(" "));
        assert!(check.status.success(), "{mend}: {check:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_on_stdout_are_for_the_given_image_namespace_and_settings() {
    let (recipe, _) = generate_manifests("{}");
    let directory = new_directory();
    let settings = directory.join("other.json");
    std::fs::write(&settings, r#"{ "KubeOps": { "LeaderElectionId": "other" } }"#).expect("write");
    std::fs::write(directory.join("other.Production.json"), "{} // of production").expect("write");
    let flags =
        ["--format", "json", "--namespace", "shop", "--image", "registry:5000/guestbook@sha256:0", "--settings"];
    let recipe = flags.iter().fold(recipe, |recipe, flag| recipe.argument(flag));
    let output = recipe.argument(settings.to_str().expect("UTF-8")).run().await;
    assert!(output.status.success(), "{output:?}");
    let list: Value = serde_json::from_slice(&output.stdout).expect("a List");
    let of_kind =
        |kind: &str| list["items"].as_array().into_iter().flatten().find(|item| item["kind"] == kind).cloned();
    assert_eq!(of_kind("Namespace"), None);
    let deployment = of_kind("Deployment").expect("a Deployment");
    assert_eq!(deployment["metadata"]["namespace"], "shop");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "registry:5000/guestbook@sha256:0");
    assert_eq!(of_kind("Role").expect("a Role")["rules"][0]["resourceNames"][0], "other");
    // By the names that a pod looks for, whatever they are called here.
    let files = of_kind("ConfigMap").expect("a ConfigMap")["data"].clone();
    assert!(files["appsettings.json"].as_str().is_some_and(|text| text.contains("other")), "{files}");
    assert_eq!(files["appsettings.Production.json"], "{} // of production");
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_of_settings_that_no_pod_can_have_are_refused() {
    let (recipe, _) = generate_manifests(r#"{ "KubeOps": { "HealthAddress": "127.0.0.1:8081" } }"#);
    let refused = recipe.run().await;
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("KubeOps:HealthAddress") && told.contains("[::]:8081"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn generated_crds_are_what_install_installs() {
    let cluster = Cluster::start().await;
    let output = cluster.command(&["generate", "crds"]).await;
    assert!(output.status.success(), "{output:?}");
    let file = cluster.directory().join("crds.yaml");
    std::fs::write(&file, &output.stdout).expect("keep the CRDs");
    // kubectl's diff ends with 1 if there is any.
    cluster.kubectl(&["diff", "--server-side", "--force-conflicts", "--filename", file.to_str().expect("UTF-8")]).await;
    // Twice is as good as once.
    cluster.install().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn uninstall_wants_a_yes_and_then_removes_the_crd() {
    let cluster = Cluster::start().await;
    let refused = cluster.command(&["uninstall"]).await;
    assert_eq!(refused.status.code(), Some(2), "neither terminal nor --yes: {refused:?}");
    assert!(cluster.kubectl(&["get", "crd"]).await.contains(CRD));

    let output = cluster.command(&["uninstall", "--yes"]).await;
    assert!(output.status.success(), "{output:?}");
    assert!(!cluster.kubectl(&["get", "crd"]).await.contains(CRD));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn version_names_the_operator_and_the_cluster() {
    let cluster = Cluster::start_bare().await;
    let output = cluster.command(&["version"]).await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains(env!("CARGO_PKG_VERSION")), "{output:?}");
    let of_cluster = cluster.client.apiserver_version().await.expect("the server's version").git_version;
    assert!(text.contains(&of_cluster), "{text}");
}
