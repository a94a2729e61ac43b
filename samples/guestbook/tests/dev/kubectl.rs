//! What somebody sees who looks with kubectl.

use std::path::PathBuf;
use std::process::{Command, Output};

use kubeops_testkit::Binaries;

use super::session::Session;

const GUESTBOOK: &str = "\
apiVersion: guestbook.example.com/v1
kind: Guestbook
metadata:
  name: party
spec:
  title: A party
";

struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    folder: tempfile::TempDir,
}

impl Kubectl {
    fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.arg("--kubeconfig").arg(&self.kubeconfig).arg("--cache-dir").arg(self.folder.path().join("cache"));
        command.current_dir(self.folder.path()).args(arguments).output().expect("start kubectl")
    }

    /// What it prints when it succeeds.
    #[track_caller]
    fn prints(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// What it says when it fails.
    #[track_caller]
    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert_eq!(output.status.code(), Some(1), "kubectl {arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stderr).trim_end().to_owned()
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("write a file");
    }
}

/// The cells of each line of a table.
fn rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect()
}

#[test]
#[ignore = "needs a control plane: cargo xtask test"]
fn kubectl_gets_applies_waits_and_deletes() {
    let mut dev = Session::start(&["--exit-after", "60s"]);
    let leader = dev.leader();
    let program = Binaries::find().expect("a control plane's programs").path("kubectl").expect("kubectl");
    let folder = tempfile::tempdir().expect("a folder");
    let kubectl = Kubectl { program, kubeconfig: dev.kubeconfig(), folder };

    assert_eq!(kubectl.prints(&["wait", "--for=condition=Ready", "gb", "--all"]).lines().count(), 5);
    let table = kubectl.prints(&["get", "guestbooks"]);
    assert_eq!(rows(&table)[0], ["NAME", "TITLE", "REPLICAS", "READY", "AGE"]);
    assert_eq!(rows(&table)[5][..4], ["wedding", "Ada & Charles", "1", "True"]);
    let lease = kubectl.prints(&["get", "lease", "guestbook-leader", "-o", "jsonpath={.spec.holderIdentity}"]);
    assert!(lease.starts_with(&format!("{leader}_")), "{lease}");

    kubectl.file("party.yaml", GUESTBOOK);
    let applied = "guestbook.guestbook.example.com/party serverside-applied";
    assert_eq!(kubectl.prints(&["apply", "--server-side", "-f", "party.yaml"]), applied);
    let ready = kubectl.prints(&["wait", "--for=condition=Ready", "gb/party", "--timeout=30s"]);
    assert_eq!(ready, "guestbook.guestbook.example.com/party condition met");
    let children = "configmap/party\ndeployment.apps/party\nservice/party";
    assert_eq!(kubectl.prints(&["get", "cm,deploy,svc", "party", "-o", "name"]), children);

    kubectl.file("untitled.yaml", &GUESTBOOK.replace("A party", "\"\""));
    let refused = "The Guestbook \"party\" is invalid: spec.title: Invalid value: \"\": spec.title in body should be at least 1 chars long";
    assert_eq!(kubectl.fails(&["apply", "--server-side", "-f", "untitled.yaml"]), refused);

    let deleted = kubectl.prints(&["delete", "guestbook", "party"]);
    assert_eq!(deleted, "guestbook.guestbook.example.com \"party\" deleted from default namespace");
    let gone = "Error from server (NotFound): guestbooks.guestbook.example.com \"party\" not found";
    assert_eq!(kubectl.fails(&["get", "gb", "party"]), gone);
    let archived = kubectl.prints(&["get", "cm", "guestbook-archive", "-o", "jsonpath={.data.party}"]);
    assert_eq!(archived, "A party");
}
