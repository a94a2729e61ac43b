//! CRDs: written as text, brought into a cluster and taken out.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use http::Request;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::client::Body;
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use kubeops::cli::{Confirmation, Format, Program, generate_crds, install, uninstall, version};
use kubeops::connect::{Environment, connect};
use kubeops_testkit::cluster::Fault;
use kubeops_testkit::{AuditEvent, Cluster};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const TIMEOUT: Duration = Duration::from_secs(30);
const CLUSTER: &str = "context kind-dev, server https://127.0.0.1:6443";
const BOOKS: &str = "guestbooks.example.com";
const PAGES: &str = "pages.example.com";
const CLEANUP: &str = "example.com/cleanup";

fn crd(plural: &str, kind: &str, description: &str) -> CustomResourceDefinition {
    let schema = json!({ "type": "object", "description": description, "properties": {
        "on": { "type": "string", "default": "yes" },
        "port": { "type": "string", "pattern": "^0[x0-9]+$", "default": "0123" },
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

// === a cluster ===

/// Who installs and uninstalls.
const TOOL: &str = "guestbook";

struct Scene(Cluster);

impl Scene {
    async fn start() -> Self {
        Self(Cluster::start().await)
    }

    /// With guestbooks, two of which are held by finalizers.
    async fn full() -> Self {
        let scene = Self::start().await;
        scene.install(&[books()]).await.0.unwrap();
        scene.create("a", &[]).await;
        scene.create("b", &[CLEANUP]).await;
        scene.create("c", &[CLEANUP, "foregroundDeletion"]).await;
        scene
    }

    /// The tool's client: lists are of two objects a page.
    fn client(&self) -> Client {
        let small = self.0.service(TOOL).map_request(|mut request: Request<Body>| {
            *request.uri_mut() = request.uri().to_string().replace("limit=500", "limit=2").parse().unwrap();
            request
        });
        Client::new(small, "default")
    }

    async fn install(&self, crds: &[CustomResourceDefinition]) -> (Result<(), String>, String) {
        let mut out = Vec::new();
        let result = install(&self.client(), TOOL, crds, TIMEOUT, &mut out).await;
        (result.map_err(|error| error.to_string()), String::from_utf8(out).unwrap())
    }

    /// Exit code and error, if there was one; and what was printed.
    async fn uninstall(&self, confirmation: Confirmation<'_>) -> (Result<(), (u8, String)>, String) {
        let mut out = Vec::new();
        let crds = [books(), pages()];
        let result = uninstall(&self.client(), CLUSTER, &crds, confirmation, TIMEOUT, &mut out).await;
        (result.map_err(|error| (error.exit_code(), error.to_string())), String::from_utf8(out).unwrap())
    }

    fn crds(&self) -> Api<CustomResourceDefinition> {
        Api::all(self.0.client("somebody"))
    }

    async fn names(&self) -> Vec<String> {
        let crds = self.crds().list(&ListParams::default()).await.unwrap();
        crds.items.into_iter().filter_map(|crd| crd.metadata.name).collect()
    }

    fn books(&self) -> (Api<DynamicObject>, ApiResource) {
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Guestbook"));
        (Api::default_namespaced_with(self.0.client("somebody"), &kind), kind)
    }

    async fn create(&self, name: &str, finalizers: &[&str]) {
        let (books, kind) = self.books();
        let mut book = DynamicObject::new(name, &kind);
        book.metadata.finalizers = Some(finalizers.iter().map(ToString::to_string).collect());
        books.create(&PostParams::default(), &book).await.unwrap();
    }

    /// Some seconds later, a controller does what the finalizers wait for.
    async fn clean_up_later(&self) {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let clean = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
        for name in ["b", "c"] {
            self.books().0.patch(name, &PatchParams::default(), &clean).await.unwrap();
        }
    }

    /// The tool's writes.
    fn writes(&self) -> Vec<AuditEvent> {
        let requests = self.0.requests().into_iter();
        requests.filter(|request| request.user == TOOL && request.is_write()).collect()
    }
}

// === install ===

#[tokio::test(start_paused = true)]
async fn install_applies_each_by_server_side_apply_and_says_what_became_of_it() {
    let scene = Scene::start().await;
    assert_eq!(scene.install(&[books()]).await, (Ok(()), format!("{BOOKS} created\n")));
    let out = format!("1/2 {BOOKS} unchanged\n2/2 {PAGES} created\n");
    assert_eq!(scene.install(&[pages(), books()]).await, (Ok(()), out));
    let other = crd("guestbooks", "Guestbook", "Another");
    assert_eq!(scene.install(&[other]).await, (Ok(()), format!("{BOOKS} configured\n")));
    let applies = |write: &AuditEvent| write.uri.contains("force=true") && write.uri.contains("fieldManager=guestbook");
    assert!(scene.writes().iter().all(applies), "{:#?}", scene.writes());
}

#[tokio::test(start_paused = true)]
async fn install_waits_until_a_crd_is_established_and_gives_up_with_what_the_server_says() {
    let scene = Scene::start().await;
    let rival = crd("rivals", "Guestbook", "Has the name");
    scene.crds().create(&PostParams::default(), &rival).await.unwrap();
    let zero = tokio::time::Instant::now();
    let (result, out) = scene.install(&[books()]).await;
    let expected = format!("{BOOKS} is applied, but not established after 30s: \"GuestbookList\" is already in use");
    assert_eq!(result, Err(expected));
    let waits =
        format!("{BOOKS} is applied, and not established after 2 s: \"GuestbookList\" is already in use; waiting\n");
    assert!(out.starts_with(&waits) && out.lines().count() == 14, "it says every 2 s that it waits: {out}");
    assert!((TIMEOUT..TIMEOUT + Duration::from_secs(1)).contains(&zero.elapsed()));

    let name_gets_free = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        scene.crds().delete("rivals.example.com", &DeleteParams::default()).await.unwrap();
    };
    let crds = [books()];
    let (installed, ()) = tokio::join!(scene.install(&crds), name_gets_free);
    let (result, out) = installed;
    assert!(result.is_ok() && out.starts_with(&waits) && out.ends_with(&format!("\n{BOOKS} unchanged\n")), "{out}");
}

#[tokio::test(start_paused = true)]
async fn install_does_not_apply_what_is_about_to_go() {
    let scene = Scene::full().await;
    scene.crds().delete(BOOKS, &DeleteParams::default()).await.unwrap();
    let before = scene.writes().len();
    let error = scene.install(&[books()]).await.0.unwrap_err();
    assert!(error.starts_with(&format!("{BOOKS} is still being deleted")), "{error}");
    assert_eq!(scene.writes().len(), before);
}

#[tokio::test(start_paused = true)]
async fn install_tells_what_the_server_says_when_it_refuses() {
    let scene = Scene::start().await;
    let forbidden = Fault::Refuse { code: 403, retry_after: None };
    scene.0.faults(TOOL).when(AuditEvent::is_write, None, forbidden);
    let says = "forbidden by a fault of the in-memory cluster";
    assert_eq!(scene.install(&[books()]).await.0, Err(format!("cannot apply {BOOKS}: {says}")));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let scene = Scene::start().await;
    scene.0.faults(TOOL).hang();
    let error = scene.install(&[books()]).await.0.unwrap_err();
    assert_eq!(error, format!("cannot read {BOOKS}: the server has not answered within 15s"));
}

// === uninstall ===

const FULL: &str = "context kind-dev, server https://127.0.0.1:6443\n\
    guestbooks.example.com goes with 3 objects, 2 of which hang unless a running controller removes their finalizers \
    (example.com/cleanup: default/b, default/c)\n\
    pages.example.com is not installed\n";

#[tokio::test(start_paused = true)]
async fn uninstall_names_the_cluster_counts_what_goes_deletes_and_waits() {
    let scene = Scene::full().await;
    let (uninstalled, ()) = tokio::join!(scene.uninstall(Confirmation::Given), scene.clean_up_later());
    assert_eq!(uninstalled, (Ok(()), format!("{FULL}{BOOKS} deleted\n")));
    assert_eq!(scene.names().await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn uninstall_asks_on_a_terminal_and_takes_only_yes_for_yes() {
    for (answer, deletes) in [("yes\n", true), ("y\n", false), ("no\n", false), ("", false)] {
        let scene = Scene::full().await;
        let mut answers = Cursor::new(answer);
        let uninstalled = scene.uninstall(Confirmation::Ask(&mut answers));
        let ((result, out), ()) = tokio::join!(uninstalled, scene.clean_up_later());
        assert!(out.starts_with(&format!("{FULL}Delete all of this? Only `yes` does it: ")), "{out}");
        assert_eq!(scene.names().await.is_empty(), deletes, "{answer:?}");
        let declined = (1, "not confirmed, nothing is deleted".to_owned());
        assert_eq!(result, if deletes { Ok(()) } else { Err(declined) });
    }
}

#[tokio::test(start_paused = true)]
async fn uninstall_without_terminal_and_yes_is_wrong_usage_and_sends_nothing() {
    let scene = Scene::start().await;
    let (result, out) = scene.uninstall(Confirmation::Impossible).await;
    let (code, error) = result.unwrap_err();
    assert_eq!((code, &*out), (2, ""));
    assert!(error.contains("--yes"), "{error}");
    assert_eq!(scene.0.requests(), []);
}

#[tokio::test(start_paused = true)]
async fn uninstall_of_nothing_does_not_ask() {
    let scene = Scene::start().await;
    let out = format!("{CLUSTER}\n{BOOKS} is not installed\n{PAGES} is not installed\n");
    assert_eq!(scene.uninstall(Confirmation::Ask(&mut Cursor::new(""))).await, (Ok(()), out));
}

#[tokio::test(start_paused = true)]
async fn uninstall_tells_what_holds_up_a_crd_that_does_not_go() {
    let scene = Scene::full().await;
    let (code, error) = scene.uninstall(Confirmation::Given).await.0.unwrap_err();
    assert_eq!(code, 1);
    assert!(error.contains("is still there after 30s, with 2 objects, 2 of which hang"), "{error}");
    assert!(error.contains("default/b, default/c"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn uninstall_leaves_alone_what_was_installed_anew_since_its_objects_were_counted() {
    let scene = Scene::start().await;
    scene.install(&[books()]).await.0.unwrap();
    let slow = Fault::Latency(Duration::from_secs(5));
    scene.0.faults(TOOL).when(|request| request.verb == "delete", None, slow);
    let somebody = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        scene.crds().delete(BOOKS, &DeleteParams::default()).await.unwrap();
        scene.crds().create(&PostParams::default(), &books()).await.unwrap();
    };
    let ((result, _), ()) = tokio::join!(scene.uninstall(Confirmation::Given), somebody);
    let (_, error) = result.unwrap_err();
    assert!(error.contains("cannot delete") && error.contains("UID"), "{error}");
    assert_eq!(scene.names().await, [BOOKS]);
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
    version(GUESTBOOK, Ok((connection, Scene::start().await.client())), &mut out).await.unwrap();
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
