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

// === the fence ===

fn fenced() -> Options {
    Options { fence: true, ..options() }
}

#[test]
fn a_fence_is_for_what_controllers_may_write_and_for_nothing_else() {
    let manifests = manifests(&shop(), Options { installs_crds: true, ..fenced() });
    let policy = object(&manifests, "fence-policy");
    let fenced = |group: &str, resources: &[&str]| {
        json!({
            "apiGroups": [group],
            "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE", "DELETE", "CONNECT"],
            "resources": resources,
        })
    };
    let of = |kind: &str| ["", "/finalizers", "/scale", "/status"].map(|subresource| format!("{kind}{subresource}"));
    let (maps, shops) = (of("configmaps"), of("shops"));
    let core: Vec<&str> = maps.iter().map(String::as_str).chain(["pods/exec"]).collect();
    let own: Vec<&str> = shops.iter().map(String::as_str).collect();
    let expected = json!([fenced("", &core), fenced("example.com", &own)]);
    assert_eq!(policy["spec"]["matchConstraints"]["resourceRules"], expected);
    let exempt = &policy["spec"]["matchConstraints"]["excludeResourceRules"];
    assert_eq!(exempt[0]["resourceNames"], json!(["shop-leader"]), "other Leases may well be the controllers' own");
    assert_eq!(exempt[1]["resources"], json!(["events"]));
}

#[test]
fn a_fence_goes_by_the_lease_and_refuses_when_there_is_none() {
    let manifests = manifests(&shop(), fenced());
    let (policy, binding) = (object(&manifests, "fence-policy"), object(&manifests, "fence-policy-binding"));
    assert_eq!(policy["metadata"]["name"], "shop-operator.shop-system.leader-fence");
    assert_eq!(binding["spec"]["policyName"], policy["metadata"]["name"]);
    assert_eq!(policy["spec"]["failurePolicy"], "Fail");
    let of_operator = "request.userInfo.username == 'system:serviceaccount:shop-system:shop-operator'";
    assert_eq!(policy["spec"]["matchConditions"][0]["expression"], of_operator);
    let lease = json!({ "name": "shop-leader", "namespace": "shop-system", "parameterNotFoundAction": "Deny" });
    assert_eq!(binding["spec"]["paramRef"], lease);
}

#[test]
fn there_is_no_fence_unless_asked_for_nor_where_nothing_is_written() {
    let has_fence = |manifests: &Manifests| names(manifests).iter().any(|name| name.starts_with("fence"));
    assert!(!has_fence(&manifests(&shop(), options())));
    assert!(!has_fence(&manifests(&nodes(), fenced())));
}

// === rights ===

#[test]
fn rights_are_those_that_the_sdk_uses_and_those_that_the_controller_names() {
    let manifests = manifests(&shop(), options());
    let mut expected = rules_of_shop();
    expected.push(named(rule("storage.k8s.io", &["storageclasses"], &["get"]), "fast"));
    assert_eq!(object(&manifests, "cluster-role")["rules"], json!(expected));
    let lease = rule("coordination.k8s.io", &["leases"], &["list", "watch", "create", "update"]);
    let of_lock = object(&manifests, "role-leader-election");
    assert_eq!(of_lock["rules"], json!([named(lease, "shop-leader")]));
    assert_eq!(of_lock["metadata"]["namespace"], "shop-system");
}

#[test]
fn a_lock_for_life_may_be_created_and_else_only_the_one_of_its_name() {
    let pods = rule("", &["pods"], &["list", "watch"]);
    let verbs = ["list", "watch", "patch", "delete"];
    for (kind, group, plural) in [
        (LockKind::ConfigMap, "", "configmaps"),
        (LockKind::LeaderLock("coralogix.com"), "coralogix.com", "leaderlocks"),
    ] {
        let leader_lock = LeaderLockApi::Coralogix.definition();
        let lock = Some(Lock::new("shop-leader", "shop-system", kind));
        let manifests = manifests(&shop(), Options { lock, leader_lock, installs_crds: true, ..options() });
        let rules = object(&manifests, "role-leader-election")["rules"].as_array().unwrap();
        let bound = named(rule(group, &[plural], &verbs), "shop-leader");
        for expected in [&rule(group, &[plural], &["create"]), &bound, &pods] {
            assert!(rules.contains(expected), "{expected} of {rules:#?}");
        }
        assert_eq!(rules.len(), 3, "{rules:#?}");
        let needs_crd = plural == "leaderlocks";
        assert_eq!(names(&manifests).contains("crd-leaderlocks.coralogix.com"), needs_crd);
        let told = manifests.stream(Format::Yaml).unwrap();
        assert_eq!(
            told.contains("customresourcedefinitions") && told.contains("- leaderlocks.coralogix.com"),
            needs_crd
        );
        assert_eq!(names(&manifests).contains("flow-schema"), needs_crd, "it can't be told from other ConfigMaps");
        assert!(!told.contains("leases"));
    }
}

#[test]
fn without_automatic_finalizers_the_object_itself_is_not_written() {
    let manifests = manifests(&shop(), Options { finalizers: false, ..options() });
    let rules = object(&manifests, "cluster-role")["rules"].as_array().unwrap().clone();
    assert!(rules.contains(&rule("example.com", &["shops"], &["list", "watch"])), "{rules:#?}");
}

#[test]
fn an_operator_that_installs_its_crds_may_do_so_and_no_others() {
    let watched = vec!["a".to_owned()];
    let manifests = manifests(&shop(), Options { installs_crds: true, watched, ..options() });
    let installed = rule("apiextensions.k8s.io", &["customresourcedefinitions"], &["get", "create", "patch"]);
    let rules = object(&manifests, "cluster-role")["rules"].as_array().unwrap().clone();
    assert!(rules.contains(&named(installed, "shops.example.com")), "{rules:#?}");
}

#[test]
fn an_operator_that_labels_the_leaders_pod_may_patch_pods_where_it_runs_and_nowhere_else() {
    let rights = |watched: &[&str]| {
        let watched: Vec<String> = watched.iter().map(|&name| name.to_owned()).collect();
        let made = |labels_pod| manifests(&shop(), Options { labels_pod, watched: watched.clone(), ..options() });
        let manifests = made(true);
        let role = object(&manifests, "role-shop-system").clone();
        assert_eq!(role["metadata"]["namespace"], "shop-system");
        assert_eq!(object(&manifests, "cluster-role"), object(&made(false), "cluster-role"));
        role["rules"].clone()
    };
    let pods = rule("", &["pods"], &["patch"]);
    assert_eq!(rights(&[]), json!([pods]));
    assert!(rights(&["shop-system"]).as_array().unwrap().contains(&pods));
}

#[test]
fn watched_namespaces_have_a_role_each_and_the_cluster_only_what_has_no_namespace() {
    let watched = vec!["a".to_owned(), "b".to_owned()];
    let manifests = manifests(&shop(), Options { watched, ..options() });
    for namespace in ["a", "b"] {
        let role = object(&manifests, &format!("role-{namespace}"));
        assert_eq!((&role["rules"], &role["metadata"]["namespace"]), (&json!(rules_of_shop()), &json!(namespace)));
        let subject = &object(&manifests, &format!("role-binding-{namespace}"))["subjects"][0];
        assert_eq!((&subject["name"], &subject["namespace"]), (&json!("shop-operator"), &json!("shop-system")));
    }
    let of_cluster = named(rule("storage.k8s.io", &["storageclasses"], &["get"]), "fast");
    assert_eq!(object(&manifests, "cluster-role")["rules"], json!([of_cluster]));
    let of_lock = object(&manifests, "role-leader-election")["rules"].as_array().unwrap();
    assert!(of_lock.contains(&rule("", &["events"], &["create"])), "the lock is elsewhere: {of_lock:#?}");
}

#[test]
fn events_about_what_has_no_namespace_are_in_the_default_one() {
    let manifests = manifests(&nodes(), Options { watched: vec!["a".to_owned()], ..options() });
    assert_eq!(object(&manifests, "cluster-role")["rules"], json!([rule("", &["nodes"], &["list", "watch"])]));
    assert_eq!(object(&manifests, "role-default")["rules"], json!([rule("", &["events"], &["create", "patch"])]));
}

// === objects ===

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

// === the chart ===

fn chart_file(options: &Options, path: &str) -> String {
    let files = chart(&shop(), options).unwrap();
    files.into_iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}")).text
}

#[test]
fn every_file_of_the_chart_says_who_wrote_it_and_is_filled_in() {
    let options = Options { command: "shop generate helm --set 'a=\"b\"'".to_owned(), ..options() };
    let files = chart(&shop(), &options).unwrap();
    assert!(files.iter().any(|file| file.path == "templates/crd-shops.example.com.yaml"));
    for File { path, text } in &files {
        assert!(files::is_ours(text, "helm"), "{path}: {text}");
        let token =
            text.split('@').skip(1).step_by(2).find(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        assert_eq!(token, None, "{path}");
    }
}

#[test]
fn the_charts_values_begin_with_the_operators_settings() {
    let appsettings = json!({
        "KubeOps": { "EnableLeaderElection": false, "LeaderElectionId": "x", "MaxParallelReconciliations": 4 },
        "Pages": { "Theme": "plain" },
    });
    let lock = Some(Lock::new("shop-leader", "locks", LockKind::Lease));
    let image = "registry:5000/team/shop:7".to_owned();
    let values = chart_file(&Options { appsettings, lock, image, ..options() }, "values.yaml");
    let values: Value = serde_saphyr::from_str(&values).unwrap();
    let expected = json!({ "KubeOps": { "MaxParallelReconciliations": 4 }, "Pages": { "Theme": "plain" } });
    assert_eq!(values["appsettings"], expected);
    let election = json!({
        "enabled": true, "fence": false, "lock": "Lease", "leaderLockApiVersion": "coordination.kubeops.rs/v1", "namespace": "locks",
        "flowSchema": true,
    });
    assert_eq!(values["leaderElection"], election);
    assert_eq!(
        (&values["image"]["repository"], &values["image"]["tag"]),
        (&json!("registry:5000/team/shop"), &json!("7"))
    );
    let digest = Options { image: "shop@sha256:7".to_owned(), ..options() };
    let values_of_digest: Value = serde_saphyr::from_str(&chart_file(&digest, "values.yaml")).unwrap();
    assert_eq!(values_of_digest["image"]["tag"], "sha256:7");
    let schema: Value = serde_json::from_str(&chart_file(&options(), "values.schema.json")).unwrap();
    let known: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
    let missing: Vec<_> = values.as_object().unwrap().keys().filter(|key| !known.contains(key)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn without_election_the_chart_begins_with_one_replica() {
    let values = chart_file(&Options { lock: None, ..options() }, "values.yaml");
    let values: Value = serde_saphyr::from_str(&values).unwrap();
    assert_eq!((&values["leaderElection"]["enabled"], &values["deployment"]["replicas"]), (&json!(false), &json!(1)));
    assert_eq!(values["appsettings"], json!({}));
}

// === the Dockerfile ===

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

// === the folder ===

fn folder(name: &str) -> (Folder, PathBuf) {
    let path = std::env::temp_dir().join(format!("kubeops-manifests-{}-{name}", std::process::id()));
    let _absent = fs::remove_dir_all(&path);
    (Folder::new(&path), path)
}

fn files(names: &[&str]) -> Files {
    let file = |name: &&str| File {
        path: format!("base/{name}"),
        text: format!("# Written by `shop generate manifests`\nname: {name}\n"),
    };
    let overlay = File { path: "overlays/example/kustomization.yaml".to_owned(), text: "# An example\n".to_owned() };
    Files { what: "manifests", base: names.iter().map(file).collect(), overlay: vec![overlay] }
}

fn told(differences: &[Difference]) -> Vec<String> {
    let name = |difference: &Difference| difference.path().file_name().unwrap().to_string_lossy().into_owned();
    let what = |difference: &Difference| difference.to_string().split(':').next().unwrap().to_owned();
    differences.iter().map(|difference| format!("{} {}", what(difference), name(difference))).collect()
}

#[test]
fn a_folder_is_written_compared_and_cleared_of_what_is_left_over() {
    let (folder, path) = folder("written");
    assert_eq!(told(&folder.compare(&files(&["a", "b"])).unwrap()), ["missing a", "missing b"]);
    assert_eq!(
        told(&folder.write(&files(&["a", "b"])).unwrap()),
        ["missing a", "missing b", "missing kustomization.yaml"]
    );
    assert_eq!(folder.compare(&files(&["a", "b"])).unwrap(), []);

    fs::write(path.join("base/b"), "# Written by `shop generate manifests`\nname: vandal\n").unwrap();
    fs::write(path.join("base/mine"), "name: mine\n").unwrap();
    fs::write(path.join("base/binary"), [0xff, 0xfe]).unwrap();
    fs::write(path.join("base/chart"), "# Written by `shop generate helm`\n").unwrap();
    let differences = ["left over a", "differs b", "missing c"];
    assert_eq!(told(&folder.compare(&files(&["b", "c"])).unwrap()), differences);
    assert_eq!(told(&folder.write(&files(&["b", "c"])).unwrap()), differences);
    assert_eq!(folder.compare(&files(&["b", "c"])).unwrap(), []);
    assert_eq!(fs::read_to_string(path.join("base/mine")).unwrap(), "name: mine\n");
    assert!(path.join("base/binary").exists() && path.join("base/chart").exists() && !path.join("base/a").exists());
    fs::remove_dir_all(path).unwrap();
}

#[test]
fn a_file_of_somebody_else_is_not_overwritten_and_nothing_is_written_then() {
    let (folder, path) = folder("foreign");
    fs::create_dir_all(path.join("base")).unwrap();
    fs::write(path.join("base/b"), "name: mine\n").unwrap();
    let error = folder.write(&files(&["a", "b"])).unwrap_err();
    assert!(matches!(&error, GenerateError::Foreign { path: foreign } if *foreign == path.join("base/b")), "{error}");
    assert!(!path.join("base/a").exists());
    fs::remove_dir_all(path).unwrap();
}

#[test]
fn an_overlay_is_written_once_and_then_the_users() {
    let (folder, path) = folder("overlay");
    folder.write(&files(&["a"])).unwrap();
    let overlay = path.join("overlays/example/kustomization.yaml");
    fs::write(&overlay, "mine\n").unwrap();
    assert_eq!(folder.compare(&files(&["a"])).unwrap(), []);
    folder.write(&files(&["a"])).unwrap();
    assert_eq!(fs::read_to_string(&overlay).unwrap(), "mine\n");
    fs::remove_dir_all(path.join("overlays/example")).unwrap();
    folder.write(&files(&["a"])).unwrap();
    assert!(!overlay.exists(), "not again, where there is a folder for overlays");
    fs::remove_dir_all(path).unwrap();
}
