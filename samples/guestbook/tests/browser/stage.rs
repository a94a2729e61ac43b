//! A cluster in memory, and replicas of the guestbook as processes.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use kubeops_testkit::cluster::Serving;
use kubeops_testkit::{Cluster, Process, eventually};
use tempfile::TempDir;

/// For what takes a second or two on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Stage {
    pub(crate) cluster: Cluster,
    serving: Serving,
    folder: TempDir,
}

/// A replica that shows its status page. Killed when this is dropped.
pub(crate) struct Replica {
    process: Process,
    port: u16,
}

impl Stage {
    /// A cluster that has the kind.
    pub(crate) async fn set() -> Self {
        let cluster = Cluster::start().await;
        let serving = cluster.serve((Ipv4Addr::LOCALHOST, 0).into()).await.expect("serve the cluster");
        let stage = Self { cluster, serving, folder: tempfile::tempdir().expect("a folder") };
        let mut install = stage.guestbook("installer", &["install"]);
        let installed = tokio::task::spawn_blocking(move || install.output()).await.expect("no panic");
        let installed = installed.expect("run install");
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        stage
    }

    /// A replica that leads already.
    pub(crate) async fn leader(&self, name: &str) -> Replica {
        let replica = self.replica(name).await;
        let leads = eventually(format!("{name} leads"), PATIENCE, async || {
            let log = replica.process.log();
            if log.contains("became leader") { Ok(()) } else { Err(log) }
        });
        leads.await.unwrap_or_else(|error| panic!("{error}"));
        replica
    }

    pub(crate) async fn replica(&self, name: &str) -> Replica {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        self.replica_at(name, free.expect("a port").port()).await
    }

    pub(crate) async fn replica_at(&self, name: &str, port: u16) -> Replica {
        let mut command = self.guestbook(name, &["run"]);
        let settings = [
            ("Name", name.to_owned()),
            ("HealthAddress", "0".to_owned()),
            ("MetricsAddress", "0".to_owned()),
            ("StatusAddress", format!("127.0.0.1:{port}")),
            ("LeaderElectionLeaseDuration", "3s".to_owned()),
            ("LeaderElectionRenewDeadline", "2s".to_owned()),
            ("LeaderElectionRetryPeriod", "500ms".to_owned()),
            ("ErrorBackoffMax", "3s".to_owned()),
        ];
        for (key, value) in settings {
            command.arg("--set").arg(format!("KubeOps:{key}={value}"));
        }
        let log = self.folder.path().join(format!("{name}-{port}.log"));
        let process = Process::spawn(&command, &log).expect("start a replica");
        let replica = Replica { process, port };
        let listens = eventually(format!("{name} shows its page"), PATIENCE, async || {
            let log = replica.process.log();
            if log.contains("status on http://") { Ok(()) } else { Err(log) }
        });
        listens.await.unwrap_or_else(|error| panic!("{error}"));
        replica
    }

    fn guestbook(&self, user: &str, arguments: &[&str]) -> Command {
        let kubeconfig = self.folder.path().join(format!("{user}.kubeconfig"));
        std::fs::write(&kubeconfig, self.serving.kubeconfig(user)).expect("write a kubeconfig");
        let mut command = Command::new(env!("CARGO_BIN_EXE_guestbook"));
        command.args(arguments).current_dir(self.folder.path()).env("KUBECONFIG", kubeconfig);
        command.env("CARGO_MANIFEST_DIR", PathBuf::from(env!("CARGO_MANIFEST_DIR")));
        for variable in
            ["KUBEOPS_ENVIRONMENT", "DOTNET_ENVIRONMENT", "RUST_LOG", "POD_NAME", "POD_NAMESPACE", "POD_UID"]
        {
            command.env_remove(variable);
        }
        command
    }

    /// Puts a Guestbook there.
    pub(crate) async fn put(&self, name: &str) {
        let book = format!(
            "apiVersion: guestbook.example.com/v1\nkind: Guestbook\nmetadata: {{name: {name}}}\nspec: {{title: A page}}\n"
        );
        self.cluster.apply(&book).await;
    }
}

impl Replica {
    pub(crate) fn page(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// SIGKILL: nothing is given back.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("kill it");
    }

    /// SIGTERM, and waits for its end.
    pub(crate) async fn stop(&mut self) {
        self.process.terminate().expect("stop it");
        assert_eq!(self.process.ended(PATIENCE).await.expect("it ends"), 0);
    }
}
