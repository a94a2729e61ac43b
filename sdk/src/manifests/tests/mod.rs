mod chart;
mod fence;
mod folders;
mod rights;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Node, Secret};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::files::File;
use super::*;
use crate::cache::Store;
use crate::controller::{Action, Context, Controller, Finalize, Reconcile, Result};
use crate::leadership::life::LeaderLockApi;

#[derive(CustomResource, Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[kube(group = "example.com", version = "v1", kind = "Shop", namespaced, status = "ShopStatus")]
struct ShopSpec {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct ShopStatus {}

#[derive(Controller)]
#[controller(
    crate = crate,
    entity = Shop,
    finalizer = "example.com/cleanup",
    owns(ConfigMap),
    rbac(resources = "pods/exec", verbs = "create"),
    rbac(groups = "storage.k8s.io", resources = "storageclasses", verbs = "get", names = "fast", cluster)
)]
#[allow(dead_code, reason = "read by nobody here")]
struct ShopController {
    secrets: Store<Secret>,
}

impl Reconcile for ShopController {
    async fn reconcile(&self, _: &Shop, _: &Context<Shop>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

impl Finalize for ShopController {
    async fn finalize(&self, _: &Shop, _: &Context<Shop>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

#[derive(Controller)]
#[controller(crate = crate, entity = Node)]
struct NodeController;

impl Reconcile for NodeController {
    async fn reconcile(&self, _: &Node, _: &Context<Node>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

fn shop() -> [Registration<()>; 1] {
    [Registration::of::<ShopController>()]
}

fn nodes() -> [Registration<()>; 1] {
    [Registration::of::<NodeController>()]
}

fn options() -> Options {
    Options {
        operator: "shop".to_owned(),
        package: "shop_operator".to_owned(),
        about: "Keeps shops".to_owned(),
        version: "1.2.3+build".to_owned(),
        image: "shop:1.2.3".to_owned(),
        leader_lock: LeaderLockApi::KubeOps.definition(),
        namespace: "shop-system".to_owned(),
        own_namespace: true,
        lock: Some(Lock::new("shop-leader", "shop-system", LockKind::Lease)),
        fence: false,
        only_leader_ready: false,
        watched: Vec::new(),
        installs_crds: false,
        labels_pod: false,
        finalizers: true,
        health_port: Some(8081),
        metrics_port: Some(8080),
        shutdown_timeout: Duration::from_millis(25_500),
        settings: vec![SettingsFile::new("appsettings.json", "\u{feff}{} // none\n")],
        appsettings: json!({}),
        set: vec![("KubeOps:ReadyWhen".to_owned(), "Leading".to_owned())],
        command: "shop generate manifests".to_owned(),
    }
}

fn manifests(controllers: &[Registration<()>], options: Options) -> Manifests {
    Manifests::of(controllers, options).unwrap()
}

fn object<'a>(manifests: &'a Manifests, file: &str) -> &'a Value {
    let found = manifests.objects.iter().find(|object| object.file == file);
    &found.unwrap_or_else(|| panic!("no {file} in {:?}", names(manifests))).object
}

fn names(manifests: &Manifests) -> BTreeSet<&str> {
    manifests.objects.iter().map(|object| object.file.as_str()).collect()
}

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({ "apiGroups": [group], "resources": resources, "verbs": verbs })
}

fn named(mut rule: Value, name: &str) -> Value {
    rule["resourceNames"] = json!([name]);
    rule
}

fn rules_of_shop() -> Vec<Value> {
    vec![
        rule("", &["configmaps"], &["list", "watch", "create", "patch", "delete"]),
        rule("", &["events"], &["create", "patch"]),
        rule("", &["pods/exec"], &["create"]),
        rule("", &["secrets"], &["list", "watch"]),
        rule("example.com", &["shops"], &["list", "watch", "patch"]),
        rule("example.com", &["shops/status"], &["patch"]),
    ]
}

#[test]
fn a_leader_that_alone_is_ready_is_neither_kept_by_a_rollout_nor_from_an_eviction() {
    let manifests = manifests(&shop(), Options { only_leader_ready: true, ..options() });
    let strategy = &object(&manifests, "deployment")["spec"]["strategy"];
    assert_eq!(strategy["rollingUpdate"]["maxUnavailable"], "100%");
    assert!(!names(&manifests).contains("pod-disruption-budget"), "{:?}", names(&manifests));
}

#[test]
fn without_election_there_is_one_replica_and_nothing_of_a_lock() {
    let with = manifests(&shop(), options());
    let without = manifests(&shop(), Options { lock: None, ..options() });
    assert_eq!(object(&with, "deployment")["spec"]["replicas"], 2);
    let spec = &object(&without, "deployment")["spec"];
    assert_eq!((&spec["replicas"], &spec["strategy"]["type"]), (&json!(1), &json!("Recreate")));
    let gone: BTreeSet<_> = names(&with).difference(&names(&without)).copied().collect();
    let of_lock = ["flow-schema", "pod-disruption-budget", "role-binding-leader-election", "role-leader-election"];
    assert_eq!(gone, BTreeSet::from(of_lock));
    assert!(!without.stream(Format::Yaml).unwrap().contains("leases"));
}

#[test]
fn the_pod_has_ports_probes_and_time_to_stop_as_the_settings_say() {
    let manifests = manifests(&shop(), Options { metrics_port: None, ..options() });
    let pod = &object(&manifests, "deployment")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(container["ports"], json!([{ "name": "health", "containerPort": 8081 }]));
    assert_eq!(
        container["args"],
        json!(["run", "--content-root=/etc/shop-operator", "--set", "KubeOps:ReadyWhen=Leading"])
    );
    assert_eq!(pod["terminationGracePeriodSeconds"], 31);
    for (probe, path) in [("startupProbe", "/startupz"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")] {
        assert_eq!(container[probe]["httpGet"], json!({ "path": path, "port": "health" }));
    }
    assert!(!names(&manifests).contains("service"));
    let silent = self::manifests(&shop(), Options { health_port: None, ..options() });
    let container = &object(&silent, "deployment")["spec"]["template"]["spec"]["containers"][0];
    assert!(container.get("livenessProbe").is_none());
}

#[test]
fn an_existing_namespace_is_not_among_the_manifests_and_versions_fit_into_labels() {
    let manifests = manifests(&shop(), Options { own_namespace: false, ..options() });
    assert!(!names(&manifests).contains("namespace"));
    let labels = &object(&manifests, "service-account")["metadata"]["labels"];
    assert_eq!(labels["app.kubernetes.io/version"], "1.2.3-build");
}

#[test]
fn an_operator_that_is_called_operator_is_not_called_so_twice() {
    let manifests = manifests(&shop(), Options { operator: "shop-operator".to_owned(), ..options() });
    assert_eq!(object(&manifests, "deployment")["metadata"]["name"], "shop-operator");
}

// === text ===

#[test]
fn a_stream_holds_all_objects_and_the_settings() {
    let manifests = manifests(&shop(), options());
    let list: Value = serde_json::from_str(&manifests.stream(Format::Json).unwrap()).unwrap();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), manifests.objects.len() + 1);
    let settings = items.iter().find(|item| item["kind"] == "ConfigMap").unwrap();
    assert_eq!(settings["data"], json!({ "appsettings.json": "{} // none\n" }));
    let yaml = manifests.stream(Format::Yaml).unwrap();
    let documents: Vec<Value> = serde_saphyr::from_multiple(&yaml).unwrap();
    assert_eq!(&documents, items);
    assert!(yaml.starts_with("# Written by `shop generate manifests` of shop 1.2.3+build"), "{yaml}");
}

#[test]
fn every_file_of_the_base_says_who_wrote_it_and_kustomize_is_told_of_each() {
    let manifests = manifests(&shop(), options());
    for format in [Format::Yaml, Format::Json] {
        let Files { what, base, overlay } = manifests.files(format).unwrap();
        assert_eq!(base, manifests.files(format).unwrap().base, "the same each time");
        assert!(base.iter().all(|file| files::is_ours(&file.text, what)), "{base:#?}");
        assert!(overlay.iter().all(|file| !files::is_ours(&file.text, what)), "{overlay:#?}");
        let text = |path: &str| &base.iter().find(|file| file.path == path).unwrap().text;
        let kustomization: Value = serde_saphyr::from_str(text("base/kustomization.yaml")).unwrap();
        let mut listed: Vec<_> = kustomization["resources"].as_array().unwrap().iter().collect();
        listed.extend(kustomization["configMapGenerator"][0]["files"].as_array().unwrap());
        let listed: BTreeSet<_> = listed.into_iter().map(|name| format!("base/{}", name.as_str().unwrap())).collect();
        let mut there: BTreeSet<_> = base.iter().map(|file| file.path.clone()).collect();
        there.remove("base/kustomization.yaml");
        assert_eq!(listed, there);
    }
}

#[test]
fn the_dockerfile_builds_the_package_and_runs_it_as_somebody_with_a_number() {
    let files = dockerfile(&options());
    let [File { text, .. }, File { path: ignore, .. }] = &files[..] else { panic!("{files:#?}") };
    assert_eq!(ignore, "Dockerfile.dockerignore");
    for part in
        ["--locked --package shop_operator --bin shop_operator ", "USER 65532:65532", "EXPOSE 8081\nEXPOSE 8080\n"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let signed = Options { command: "shop generate dockerfile".to_owned(), ..options() };
    assert!(dockerfile(&signed).iter().all(|file| files::is_ours(&file.text, "dockerfile")));
}
