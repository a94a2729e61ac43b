//! What it says of what is wrong.

use std::fs;
use std::net::TcpListener;
use std::process::Output;

use rustix::process::Signal;

use super::session::{Session, command};

const HUT: &str =
    "apiVersion: guestbook.example.com/v1\nkind: Guestbook\nmetadata: {name: hut}\nspec: {title: A hut}\n";
const UNTITLED: &str =
    "---\napiVersion: guestbook.example.com/v1\nkind: Guestbook\nmetadata: {name: untitled}\nspec: {title: ''}\n";

const UNKNOWN: &str = "---\napiVersion: example.com/v1\nkind: Castle\nmetadata: {name: keep}\n";

/// A dev that ends by itself, before it starts anything.
fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let home = tempfile::tempdir().expect("a folder");
    let Output { status, stdout, stderr } = command(arguments, home.path()).output().expect("run dev");
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(!out.contains("is started"), "{out}{err}");
    (status.code(), err.into_owned())
}

/// A content root with one file of samples.
fn content_root(samples: &str) -> (tempfile::TempDir, String) {
    let root = tempfile::tempdir().expect("a folder");
    fs::create_dir(root.path().join("samples")).expect("a folder");
    fs::write(root.path().join("samples/huts.yaml"), samples).expect("write");
    let path = root.path().to_str().expect("UTF-8").to_owned();
    (root, path)
}

#[test]
fn a_taken_port_is_told_with_the_flag_that_mends_it() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let (code, error) = run(&["--port", &port]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains(&format!("port {port} is taken")) && error.contains("--port"), "{error}");
}

#[test]
fn bad_settings_of_the_sdk_are_told_before_anything_starts() {
    let (code, error) = run(&["--set", "KubeOps:LeaderElectionLeaseDuration=soon"]);
    assert_eq!(code, Some(78), "{error}");
    assert!(error.contains("KubeOps:LeaderElectionLeaseDuration"), "{error}");
}

#[test]
fn samples_that_are_no_yaml_are_told_with_their_file() {
    let (_root, path) = content_root("kind: [");
    let (code, error) = run(&["--content-root", &path]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("samples/huts.yaml: this is no YAML"), "{error}");
}

#[test]
fn a_sample_that_the_schema_refuses_is_told_and_the_others_are_applied() {
    let (_root, path) = content_root(&format!("{HUT}{UNTITLED}{UNKNOWN}"));
    let mut dev = Session::start(&["--content-root", &path, "--replicas", "1", "--exit-after", "10s"]);
    dev.line(&["Guestbook hut (huts.yaml) is applied"]);
    dev.line(&["cannot apply Guestbook untitled (huts.yaml)", "spec.title"]);
    dev.line(&["Castle keep (huts.yaml): there is no kind Castle in example.com/v1"]);
    dev.line(&["1 of 1 guestbooks are Ready"]);
    assert_eq!(dev.end().code(), Some(0));
}

#[test]
fn replicas_that_end_at_once_are_shown_and_started_less_and_less_often() {
    // The operator's own settings: only it can tell.
    let mut dev = Session::start(&["--replicas", "1", "--set", "Guestbook:Theme=loud"]);
    dev.line_of("replica-a", &["Guestbook:Theme"]);
    dev.line(&["replica-a ended with code 78; it is started again in 5 s"]);
    dev.line(&["replica-a ended with code 78; it is started again in 10 s"]);
    dev.signal(Signal::TERM);
    assert_eq!(dev.end().code(), Some(0));
    assert_eq!(dev.replicas().len(), 2, "not an endless flood");
    dev.assert_nothing_is_left();
}
