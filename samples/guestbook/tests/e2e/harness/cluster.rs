//! A control plane for one test, with the sample's CRD in it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};

use kube::Client;
use kubeops_testkit::{Binaries, ControlPlane};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::guestbooks::Guestbooks;
use super::history::History;
use super::ledger::Ledger;
use super::replica::{Recipe, Replica};

/// The sample's lock by default: `<operator>-leader`, in the namespace of the kubeconfig.
pub(crate) const LOCK: &str = "guestbook-leader";
pub(crate) const NAMESPACE: &str = "default";

/// The machine that all tests share. One that measures milliseconds takes it alone; the others do not mind each other.
static MACHINE: RwLock<()> = RwLock::const_new(());

#[derive(Debug)]
enum Share {
    WithOthers(#[expect(dead_code, reason = "held until the test ends")] RwLockReadGuard<'static, ()>),
    Alone(#[expect(dead_code, reason = "held until the test ends")] RwLockWriteGuard<'static, ()>),
}

/// Gone with the test, also when it panics; its directory with the logs stays if it does.
pub(crate) struct Cluster {
    pub(crate) plane: ControlPlane,
    pub(crate) client: Client,
    pub(crate) guestbooks: Guestbooks,
    directory: PathBuf,
    _share: Share,
}

impl Cluster {
    /// With the CRD installed.
    pub(crate) async fn start() -> Self {
        let cluster = Self::start_bare().await;
        cluster.install().await;
        cluster
    }

    /// With the CRD installed, and with the machine to itself, so that what it measures is the operator.
    pub(crate) async fn start_alone() -> Self {
        let cluster = Self::with(Share::Alone(MACHINE.write().await)).await;
        cluster.install().await;
        cluster
    }

    /// Without the CRD.
    pub(crate) async fn start_bare() -> Self {
        Self::with(Share::WithOthers(MACHINE.read().await)).await
    }

    /// Without the CRD, and with flags for the API server.
    pub(crate) async fn start_with_flags(flags: &[&str]) -> Self {
        let (share, directory) = (Share::WithOthers(MACHINE.read().await), new_directory());
        let plane = ControlPlane::start_with(binaries(&directory, flags)).await;
        Self::on(plane.expect("start a control plane"), directory, share)
    }

    async fn with(share: Share) -> Self {
        Self::on(ControlPlane::start().await.expect("start a control plane"), new_directory(), share)
    }

    fn on(plane: ControlPlane, directory: PathBuf, share: Share) -> Self {
        let client = plane.client().expect("a client");
        let guestbooks = Guestbooks::new(client.clone());
        Self { plane, client, guestbooks, directory, _share: share }
    }

    /// Installs the CRD as an administrator does.
    pub(crate) async fn install(&self) {
        let output = self.command(&["install"]).await;
        assert!(output.status.success(), "guestbook install: {output:?}");
    }

    /// A replica whose user, name and log are all called `name`.
    pub(crate) fn replica(&self, name: &str) -> Recipe {
        Recipe::new(name, &self.kubeconfig_for(name), &self.directory)
    }

    /// Starts `names` one after the other, the first of which leads; returns once all are ready.
    pub(crate) async fn start_leading(&self, history: &History, recipes: &[Recipe]) -> Vec<Replica> {
        let (leader, standbys) = recipes.split_first().expect("at least one replica");
        let leader = leader.start();
        history.wait_leader(leader.name()).await;
        leader.wait_says_it_leads(true, super::PATIENCE).await;
        let mut replicas = vec![leader];
        replicas.extend(standbys.iter().map(Recipe::start));
        for replica in &replicas {
            replica.wait_ready().await;
        }
        replicas
    }

    /// Runs a command of the binary as an administrator.
    pub(crate) async fn command(&self, arguments: &[&str]) -> Output {
        let recipe = self.replica("admin").kubeconfig(&self.kubeconfig_for("admin"));
        arguments.iter().fold(recipe, |recipe, argument| recipe.argument(argument)).run().await
    }

    /// Runs kubectl, which must succeed, and returns what it printed.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> String {
        let mut command = self.plane.kubectl().expect("find kubectl");
        let output = command.args(arguments).output().await.expect("run kubectl");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {arguments:?}: {error}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) fn history(&self) -> History {
        self.history_of(LOCK)
    }

    /// One of another lock.
    pub(crate) fn history_of(&self, lock: &str) -> History {
        History::begin(&self.client, lock, &self.guestbooks)
    }

    /// The audit log up to now.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(self.plane.audit().requests().expect("read the audit log"))
    }

    fn kubeconfig_for(&self, user: &str) -> PathBuf {
        self.plane.kubeconfig_for(user).expect("write a kubeconfig")
    }

    /// For files of the test's own.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("--- the logs stay in {}", self.directory.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }
}

/// The usual programs, of which kube-apiserver is a script that adds flags.
fn binaries(directory: &Path, flags: &[&str]) -> Binaries {
    let (usual, folder) = (Binaries::find().expect("find the programs"), directory.join("programs"));
    std::fs::create_dir_all(&folder).expect("make a folder");
    let path = |program| usual.path(program).expect("a program");
    for program in ["etcd", "kubectl"] {
        std::os::unix::fs::symlink(path(program), folder.join(program)).expect("link a program");
    }
    let (script, real) = (folder.join("kube-apiserver"), path("kube-apiserver"));
    let text = format!("#!/bin/sh\nexec '{}' \"$@\" {}\n", real.display(), flags.join(" "));
    std::fs::write(&script, text).expect("write a script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).expect("make it a program");
    Binaries::at(folder).expect("the programs")
}

/// A directory for logs and settings files, empty and used by nobody else.
pub(crate) fn new_directory() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("e2e-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("make the test's directory");
    directory
}
