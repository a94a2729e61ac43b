//! Which cluster is meant, by which files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use kubeops::connect::{ConnectError, Connection, Environment, Source, connect};

/// A directory of the test's own.
fn directory(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("connect").join(test);
    let _absent = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// A kubeconfig with one context of that name, current if so said.
fn kubeconfig(name: &str, current: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: \"{current}\"\n\
         clusters: [{{name: {name}, cluster: {{server: 'https://{name}.example.com:6443'}}}}]\n\
         contexts: [{{name: {name}, context: {{cluster: {name}, user: {name}, namespace: {name}-ns}}}}]\n\
         users: [{{name: {name}, user: {{token: t}}}}]\n"
    )
}

fn listed(paths: &[&Path]) -> Environment {
    let variable: OsString = std::env::join_paths(paths).unwrap();
    Environment { kubeconfig: Some(variable), ..Environment::default() }
}

async fn refused(environment: &Environment) -> String {
    connect(environment).await.unwrap_err().to_string()
}

#[tokio::test]
async fn the_home_directory_is_read_if_the_variable_is_not_set_or_empty() {
    let home = directory("home");
    fs::create_dir(home.join(".kube")).unwrap();
    fs::write(home.join(".kube/config"), kubeconfig("kind", "kind")).unwrap();
    for kubeconfig in [None, Some(OsString::new()), Some(OsString::from(":"))] {
        let environment = Environment { kubeconfig, home: Some(home.clone()), in_cluster: false };
        let connection = connect(&environment).await.unwrap();
        assert_eq!(connection.to_string(), "context kind, server https://kind.example.com:6443");
        assert_eq!(connection.config.default_namespace, "kind-ns");
        assert!(!connection.config.default_retry);
        connection.client().unwrap();
    }
}

#[tokio::test]
async fn listed_files_are_merged_and_absent_ones_skipped() {
    let directory = directory("merged");
    let (first, second, absent) = (directory.join("first"), directory.join("second"), directory.join("absent"));
    fs::write(&first, kubeconfig("first", "")).unwrap();
    fs::write(&second, kubeconfig("second", "second")).unwrap();
    let Connection { source, .. } = connect(&listed(&[&absent, &first, &second])).await.unwrap();
    assert_eq!(source, Source::Kubeconfig { files: vec![first, second], context: "second".to_owned() });
}

#[tokio::test]
async fn a_listed_file_hides_the_home_directory() {
    let directory = directory("hides");
    fs::create_dir(directory.join(".kube")).unwrap();
    fs::write(directory.join(".kube/config"), kubeconfig("home", "home")).unwrap();
    let environment = Environment { home: Some(directory.clone()), ..listed(&[&directory.join("absent")]) };
    assert!(matches!(connect(&environment).await, Err(ConnectError::NoConfiguration { .. })));
}

#[tokio::test]
async fn without_any_configuration_the_error_says_what_was_tried() {
    let home = directory("nothing");
    let config = home.join(".kube/config");
    let environment = Environment { home: Some(home.clone()), ..Environment::default() };
    let expected = format!(
        "no cluster is configured: KUBECONFIG is not set; {} does not exist; this is not a pod \
         (KUBERNETES_SERVICE_HOST is not set). Set KUBECONFIG to a kubeconfig file, or run in a pod that has a service \
         account",
        config.display()
    );
    assert_eq!(refused(&environment).await, expected);
    let absent = home.join("absent");
    let error = refused(&listed(&[&absent])).await;
    assert!(error.contains(&format!("KUBECONFIG is {0}; {0} does not exist", absent.display())), "{error}");
}

#[tokio::test]
async fn an_empty_file_is_as_good_as_none() {
    let file = directory("empty").join("config");
    fs::write(&file, "").unwrap();
    let error = refused(&listed(&[&file])).await;
    assert!(error.contains(&format!("{} is empty", file.display())), "{error}");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_an_error_that_names_it_and_nothing_else_is_tried() {
    let directory = directory("broken");
    let cases = [
        ("not yaml", "clusters: [".to_owned(), "failed to parse kubeconfig YAML"),
        ("no current context", kubeconfig("kind", ""), "failed to determine current context"),
        ("wrong context", kubeconfig("kind", "minikube"), "minikube"),
    ];
    for (name, text, reason) in cases {
        let file = directory.join(name);
        fs::write(&file, text).unwrap();
        let error = refused(&Environment { in_cluster: true, ..listed(&[&file]) }).await;
        assert!(error.starts_with(&format!("the kubeconfig {} cannot be used: ", file.display())), "{error}");
        assert!(error.contains(reason), "{error}");
    }
    let error = refused(&listed(&[&directory])).await;
    assert!(error.contains("s a directory"), "{error}");
}

#[tokio::test]
async fn credentials_that_cannot_be_read_are_an_error_of_the_client() {
    let file = directory("credentials").join("config");
    let text = kubeconfig("kind", "kind").replace("{token: t}", "{client-certificate: gone.crt, client-key: gone.key}");
    fs::write(&file, text).unwrap();
    let connection = connect(&listed(&[&file])).await.unwrap();
    let error = connection.client().map(|_| ()).unwrap_err().to_string();
    assert!(
        error.starts_with("no client can be made for context kind, server https://kind.example.com:6443: "),
        "{error}"
    );
    assert!(error.contains("gone.crt"), "{error}");
}
