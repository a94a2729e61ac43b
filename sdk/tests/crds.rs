//! CRDs: written as text, brought into a cluster and taken out. The API server is a fake that remembers; what the real one
//! does is tested elsewhere.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::client::Body;
use kubeops::cli::{Confirmation, Format, Program, generate_crds, install, uninstall, version};
use kubeops::operator::connect::{Environment, connect};
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(30);
const CLUSTER: &str = "context kind-dev, server https://127.0.0.1:6443";
const BOOKS: &str = "guestbooks.example.com";
const PAGES: &str = "pages.example.com";

fn crd(plural: &str, kind: &str, description: &str) -> CustomResourceDefinition {
    let schema = json!({ "type": "object", "description": description, "properties": {
        "on": { "type": "string", "default": "yes" },
        "port": { "type": "string", "pattern": "^0x[0-9]+$", "default": "0123" },
    } });
    let version = json!({ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } });
    let definition = json!({
        "metadata": { "name": format!("{plural}.example.com") },
        "spec": { "group": "example.com", "scope": "Namespaced", "names": { "plural": plural, "kind": kind }, "versions": [version] },
    });
    serde_json::from_value(definition).unwrap()
}

fn books() -> CustomResourceDefinition {
    crd(
        "guestbooks",
        "Guestbook",
        "A book: with # signs, 'quotes',\nlines, and a line that is long enough to be folded by whoever folds lines at eighty characters.",
    )
}

fn pages() -> CustomResourceDefinition {
    crd("pages", "Page", "yes")
}

// === generate ===

fn written(crds: &[CustomResourceDefinition], format: Format) -> String {
    let mut out = Vec::new();
    generate_crds("guestbook", crds, None, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn yaml_is_the_same_each_time_and_reads_back_as_what_was_written() {
    let text = written(&[pages(), books(), pages()], Format::Yaml);
    assert_eq!(text, written(&[books(), pages()], Format::Yaml), "by name, each once");
    assert!(text.starts_with("# Written by `guestbook generate crds`"), "{text}");
    let read: Vec<CustomResourceDefinition> = serde_saphyr::from_multiple(&text).unwrap();
    assert_eq!(read, [books(), pages()]);
}

#[test]
fn yaml_quotes_what_older_readers_take_for_something_else() {
    let text = written(&[books()], Format::Yaml);
    assert!(text.contains("default: 'yes'") || text.contains("default: \"yes\""), "{text}");
    assert!(text.contains("default: '0123'") || text.contains("default: \"0123\""), "{text}");
    assert!(text.contains("'on':") || text.contains("\"on\":"), "{text}");
}

#[test]
fn json_to_a_stream_is_one_list() {
    let list: Value = serde_json::from_str(&written(&[pages(), books()], Format::Json)).unwrap();
    assert_eq!((&list["kind"], &list["apiVersion"]), (&json!("List"), &json!("v1")));
    assert_eq!(list["items"], serde_json::to_value([books(), pages()]).unwrap());
}

#[test]
fn a_directory_gets_a_file_for_each() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generate/crds");
    let _absent = fs::remove_dir_all(&directory);
    let mut out = Vec::new();
    for format in [Format::Yaml, Format::Json] {
        generate_crds("guestbook", &[pages(), books()], Some(&directory), format, &mut out).unwrap();
    }
    let read = |file: &str| fs::read_to_string(directory.join(file)).unwrap();
    assert_eq!(read("guestbooks.example.com.yaml"), written(&[books()], Format::Yaml));
    let json: CustomResourceDefinition = serde_json::from_str(&read("pages.example.com.json")).unwrap();
    assert_eq!(json, pages());
    let names: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(names.len(), 4);
    let listed = String::from_utf8(out).unwrap();
    assert!(names.iter().all(|name| listed.lines().any(|line| Path::new(line) == name)), "{listed}");
}

#[test]
fn two_definitions_of_one_kind_are_refused() {
    let crds = [books(), crd("guestbooks", "Guestbook", "Another")];
    let error = generate_crds("guestbook", &crds, None, Format::Yaml, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains(BOOKS), "{error}");
}

// === a fake API server ===

/// CRDs and objects of a cluster, and how it behaves.
#[derive(Default)]
struct Cluster {
    crds: Vec<Value>,
    /// Objects of every kind, as their metadata.
    objects: Vec<Value>,
    /// How often a CRD has to be read until it is Established, or gone.
    patience: usize,
    /// Answers every write with this.
    refuses: Option<Value>,
    requests: Vec<String>,
}

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Cluster>>);

impl Fake {
    fn with(cluster: Cluster) -> Self {
        Self(Arc::new(Mutex::new(cluster)))
    }

    fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.0.lock().unwrap()
    }

    fn client(&self) -> Client {
        let fake = self.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let fake = fake.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                let (status, answer) = fake.cluster().answer(&parts, &body);
                let answer = Body::from(serde_json::to_vec(&answer).unwrap());
                Ok::<_, std::convert::Infallible>(http::Response::builder().status(status).body(answer).unwrap())
            }
        });
        Client::new(service, "default")
    }

    fn writes(&self) -> Vec<String> {
        self.cluster().requests.iter().filter(|request| !request.starts_with("GET")).cloned().collect()
    }
}

impl Cluster {
    fn answer(&mut self, parts: &http::request::Parts, body: &[u8]) -> (u16, Value) {
        let path = parts.uri.path();
        self.requests.push(format!("{} {}", parts.method, parts.uri));
        if let (false, Some(status)) = (parts.method == "GET", &self.refuses) {
            return (403, status.clone());
        }
        if path == "/version" {
            let info =
                ["major", "minor", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"];
            let mut info: Value =
                info.iter().map(|key| ((*key).to_owned(), json!(""))).collect::<serde_json::Map<_, _>>().into();
            info["gitVersion"] = json!("v1.36.3");
            return (200, info);
        }
        match path.strip_prefix("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/") {
            Some(name) => self.crd(&parts.method, name, body),
            None => self.list(parts.uri.query().unwrap_or_default()),
        }
    }

    fn crd(&mut self, method: &http::Method, name: &str, body: &[u8]) -> (u16, Value) {
        let place = self.crds.iter().position(|crd| crd["metadata"]["name"] == name);
        match (method.as_str(), place) {
            ("PATCH", _) => {
                let mut crd: Value = serde_json::from_slice(body).unwrap();
                crd["metadata"]["uid"] = json!("u");
                crd["metadata"]["resourceVersion"] = json!("7");
                crd["status"] = json!({ "conditions": [] });
                self.crds.retain(|crd| crd["metadata"]["name"] != name);
                self.crds.push(crd.clone());
                (200, crd)
            }
            ("GET", Some(place)) => {
                let deleted = self.crds[place]["metadata"].get("deletionTimestamp").is_some();
                if self.patience > 0 {
                    self.patience -= 1;
                } else if deleted {
                    self.crds.remove(place);
                    return not_found();
                } else {
                    let established = json!([{ "type": "Established", "status": "True" }]);
                    self.crds[place]["status"] = json!({ "conditions": established });
                }
                (200, self.crds[place].clone())
            }
            ("DELETE", Some(place)) => {
                let options: Value = serde_json::from_slice(body).unwrap();
                assert_eq!(options["preconditions"]["uid"], "u");
                self.crds[place]["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
                (200, self.crds[place].clone())
            }
            (_, None) => not_found(),
            (method, Some(_)) => panic!("{method} {name}"),
        }
    }

    /// Two objects a page.
    fn list(&self, query: &str) -> (u16, Value) {
        let page = query.split('&').find_map(|pair| pair.strip_prefix("continue="));
        let from: usize = page.map_or(0, |page| page.parse().unwrap());
        let to = (from + 2).min(self.objects.len());
        let more = if to < self.objects.len() { to.to_string() } else { String::new() };
        let items: Vec<_> = self.objects[from..to].iter().map(|metadata| json!({ "metadata": metadata })).collect();
        let kind = json!({ "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList" });
        (
            200,
            json!({ "apiVersion": kind["apiVersion"], "kind": kind["kind"], "metadata": { "continue": more }, "items": items }),
        )
    }
}

fn not_found() -> (u16, Value) {
    (404, json!({ "kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": "not found" }))
}

fn stored(crd: &CustomResourceDefinition, resource_version: &str) -> Value {
    let mut crd = serde_json::to_value(crd).unwrap();
    crd["metadata"]["uid"] = json!("u");
    crd["metadata"]["resourceVersion"] = json!(resource_version);
    crd
}

fn object(name: &str, finalizers: &[&str]) -> Value {
    json!({ "name": name, "namespace": "default", "finalizers": finalizers })
}

// === install ===

async fn installed(fake: &Fake, crds: &[CustomResourceDefinition]) -> (Result<(), String>, String) {
    let mut out = Vec::new();
    let result = install(&fake.client(), "guestbook", crds, TIMEOUT, &mut out).await;
    (result.map_err(|error| error.to_string()), String::from_utf8(out).unwrap())
}

#[tokio::test(start_paused = true)]
async fn install_applies_each_by_server_side_apply_and_says_what_became_of_it() {
    let crds = vec![stored(&books(), "7")];
    let fake = Fake::with(Cluster { crds, patience: 5, ..Cluster::default() });
    let (result, out) = installed(&fake, &[pages(), books()]).await;
    result.unwrap();
    assert_eq!(out, format!("1/2 {BOOKS} unchanged\n2/2 {PAGES} created\n"));
    let apply = |name: &str| {
        format!(
            "PATCH /apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}?&force=true&fieldManager=guestbook"
        )
    };
    assert_eq!(fake.writes(), [apply(BOOKS), apply(PAGES)]);
    let fake = Fake::with(Cluster { crds: vec![stored(&books(), "6")], ..Cluster::default() });
    assert_eq!(installed(&fake, &[books()]).await.1, format!("{BOOKS} configured\n"));
}

#[tokio::test(start_paused = true)]
async fn install_gives_up_when_a_crd_does_not_become_established() {
    let fake = Fake::with(Cluster { patience: usize::MAX, ..Cluster::default() });
    let zero = tokio::time::Instant::now();
    let (result, out) = installed(&fake, &[books()]).await;
    let expected = format!("{BOOKS} is applied, but not established after 30s: the server does not say why");
    assert_eq!(result, Err(expected));
    let told: Vec<&str> = out.lines().collect();
    let first = format!("{BOOKS} is applied, and not established after 2 s: the server does not say why; waiting");
    assert_eq!((told[0], told.len()), (&*first, 14), "it says every 2 s that it waits: {out}");
    assert!((TIMEOUT..TIMEOUT + Duration::from_secs(1)).contains(&zero.elapsed()));
}

#[tokio::test(start_paused = true)]
async fn install_does_not_apply_what_is_about_to_go() {
    let mut going = stored(&books(), "6");
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let fake = Fake::with(Cluster { crds: vec![going], patience: 1, ..Cluster::default() });
    let error = installed(&fake, &[books()]).await.0.unwrap_err();
    assert!(error.starts_with(&format!("{BOOKS} is still being deleted")), "{error}");
    assert_eq!(fake.writes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn install_tells_what_the_server_says_when_it_refuses() {
    let message = "customresourcedefinitions.apiextensions.k8s.io is forbidden: User \"eve\" cannot patch it";
    let refuses =
        json!({ "kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden", "message": message });
    let fake = Fake::with(Cluster { refuses: Some(refuses), ..Cluster::default() });
    assert_eq!(installed(&fake, &[books()]).await.0, Err(format!("cannot apply {BOOKS}: {message}")));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let service = tower::service_fn(|_: http::Request<Body>| {
        std::future::pending::<Result<http::Response<Body>, std::convert::Infallible>>()
    });
    let client = Client::new(service, "default");
    let error = install(&client, "guestbook", &[books()], TIMEOUT, &mut Vec::new()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot read {BOOKS}: the server has not answered within 15s"));
}

// === uninstall ===

/// Exit code and error, if there was one; and what was printed.
async fn uninstalled(fake: &Fake, confirmation: Confirmation<'_>) -> (Result<(), (u8, String)>, String) {
    let mut out = Vec::new();
    let crds = [books(), pages()];
    let result = uninstall(&fake.client(), CLUSTER, &crds, confirmation, TIMEOUT, &mut out).await;
    (result.map_err(|error| (error.exit_code(), error.to_string())), String::from_utf8(out).unwrap())
}

fn full_cluster() -> Fake {
    let objects = vec![
        object("a", &[]),
        object("b", &["example.com/cleanup"]),
        object("c", &["example.com/cleanup", "foregroundDeletion"]),
    ];
    Fake::with(Cluster { crds: vec![stored(&books(), "6")], objects, patience: 4, ..Cluster::default() })
}

const FULL: &str = "context kind-dev, server https://127.0.0.1:6443\n\
    guestbooks.example.com goes with 3 objects, 2 of which hang unless a running controller removes their finalizers \
    (example.com/cleanup: default/b, default/c)\n\
    pages.example.com is not installed\n";

#[tokio::test(start_paused = true)]
async fn uninstall_names_the_cluster_counts_what_goes_deletes_and_waits() {
    let fake = full_cluster();
    let (result, out) = uninstalled(&fake, Confirmation::Given).await;
    result.unwrap();
    assert_eq!(out, format!("{FULL}{BOOKS} deleted\n"));
    assert_eq!(fake.cluster().crds, Vec::<Value>::new());
    assert_eq!(fake.writes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn uninstall_asks_on_a_terminal_and_takes_only_yes_for_yes() {
    for (answer, deletes) in [("yes\n", true), ("y\n", false), ("no\n", false), ("", false)] {
        let fake = full_cluster();
        let (result, out) = uninstalled(&fake, Confirmation::Ask(&mut Cursor::new(answer))).await;
        assert!(out.starts_with(&format!("{FULL}Delete all of this? Only `yes` does it: ")), "{out}");
        assert_eq!(fake.writes().len(), usize::from(deletes), "{answer:?}");
        let declined = (1, "not confirmed, nothing is deleted".to_owned());
        assert_eq!(result, if deletes { Ok(()) } else { Err(declined) });
    }
}

#[tokio::test(start_paused = true)]
async fn uninstall_without_terminal_and_yes_is_wrong_usage_and_sends_nothing() {
    let fake = full_cluster();
    let (result, out) = uninstalled(&fake, Confirmation::Impossible).await;
    let (code, error) = result.unwrap_err();
    assert_eq!((code, &*out), (2, ""));
    assert!(error.contains("--yes"), "{error}");
    assert_eq!(fake.cluster().requests, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn uninstall_of_nothing_does_not_ask() {
    let fake = Fake::default();
    let (result, out) = uninstalled(&fake, Confirmation::Ask(&mut Cursor::new(""))).await;
    result.unwrap();
    assert_eq!(out, format!("{CLUSTER}\n{BOOKS} is not installed\n{PAGES} is not installed\n"));
}

#[tokio::test(start_paused = true)]
async fn uninstall_tells_what_holds_up_a_crd_that_does_not_go() {
    let fake = full_cluster();
    fake.cluster().patience = usize::MAX;
    let (result, _) = uninstalled(&fake, Confirmation::Given).await;
    let (code, error) = result.unwrap_err();
    assert_eq!(code, 1);
    assert!(error.contains("is still there after 30s, with 3 objects"), "{error}");
    assert!(error.contains("default/b, default/c"), "{error}");
}

// === version ===

const GUESTBOOK: Program = Program { name: "guestbook", version: "1.2.3", about: "" };

#[tokio::test(start_paused = true)]
async fn version_tells_those_of_operator_sdk_and_cluster() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("version.kubeconfig");
    let text = "clusters: [{name: kind, cluster: {server: 'https://127.0.0.1:6443'}}]\ncurrent-context: kind-dev\n\
        contexts: [{name: kind-dev, context: {cluster: kind}}]\n";
    fs::write(&file, text).unwrap();
    let connection = connect(&Environment { kubeconfig: Some(file.into()), ..Environment::default() }).await.unwrap();
    let mut out = Vec::new();
    version(GUESTBOOK, Ok((connection, Fake::default().client())), &mut out).await.unwrap();
    let sdk = env!("CARGO_PKG_VERSION");
    let expected = format!("guestbook  1.2.3\nkubeops    {sdk}\ncluster    v1.36.3 ({CLUSTER})\n");
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[tokio::test]
async fn version_without_a_cluster_still_tells_the_others() {
    let mut out = Vec::new();
    let nothing = connect(&Environment::default()).await.map(|_| unreachable!());
    let error = version(GUESTBOOK, nothing, &mut out).await.unwrap_err();
    assert!(error.to_string().starts_with("no cluster is configured"), "{error}");
    assert_eq!(String::from_utf8(out).unwrap().lines().count(), 2);
}
