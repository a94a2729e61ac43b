//! The command lines of the programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::binaries::Binaries;
use super::identities::Identities;
use crate::Error;

/// etcd's sockets are files in its folder, so it needs no port. The number is for etcd's eyes, which wants a host and a port.
const ETCD_CLIENTS: &str = "unix://clients:1";
const ETCD_PEERS: &str = "unix://peers:1";

/// More than a test writes. The server's default of 100 MB would begin a new file, and `Audit` reads one.
const AUDIT_LOG_MEGABYTES: &str = "100000";

/// Where all that a control plane writes is.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) root: PathBuf,
}

impl Layout {
    pub(super) fn identities(&self) -> PathBuf {
        self.root.join("pki")
    }

    /// Of one API server.
    pub(super) fn audit_log(&self, server: &str) -> PathBuf {
        self.root.join(format!("{server}.audit.log"))
    }

    pub(super) fn audit_policy(&self) -> PathBuf {
        self.root.join("audit-policy.json")
    }

    pub(super) fn log_of(&self, program: &str) -> PathBuf {
        self.root.join(format!("{program}.log"))
    }
}

pub(super) fn etcd(binaries: &Binaries, layout: &Layout) -> Result<Command, Error> {
    let mut etcd = Command::new(binaries.path("etcd")?);
    etcd.current_dir(&layout.root);
    // The whole path, so that a list of processes shows whose it is.
    etcd.arg("--data-dir").arg(layout.root.join("etcd")).args(["--name=etcd", "--unsafe-no-fsync"]);
    etcd.arg(format!("--listen-client-urls={ETCD_CLIENTS}")).arg(format!("--advertise-client-urls={ETCD_CLIENTS}"));
    etcd.arg(format!("--listen-peer-urls={ETCD_PEERS}")).arg(format!("--initial-advertise-peer-urls={ETCD_PEERS}"));
    etcd.arg(format!("--initial-cluster=etcd={ETCD_PEERS}"));
    Ok(etcd)
}

/// `name` is in the names of its files.
pub(super) fn api_server(
    binaries: &Binaries,
    layout: &Layout,
    pki: &Identities,
    name: &str,
    port: u16,
) -> Result<Command, Error> {
    let mut server = Command::new(binaries.path("kube-apiserver")?);
    server.current_dir(&layout.root);
    server.arg(format!("--etcd-servers={ETCD_CLIENTS}"));
    // The address is advertised to nobody, but looked for on the machine's network if not given.
    server.args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"]);
    server.arg(format!("--secure-port={port}"));
    let mut file = |flag: &str, path: &Path| {
        let mut argument = std::ffi::OsString::from(flag);
        argument.push("=");
        argument.push(path);
        server.arg(argument);
    };
    file("--tls-cert-file", &pki.server_certificate_file());
    file("--tls-private-key-file", &pki.server_key_file());
    file("--client-ca-file", &pki.authority_file());
    file("--service-account-key-file", &pki.service_account_public_key_file());
    file("--service-account-signing-key-file", &pki.service_account_key_file());
    file("--audit-policy-file", &layout.audit_policy());
    file("--audit-log-path", &layout.audit_log(name));
    server.args(["--audit-log-mode=blocking", "--audit-log-format=json"]);
    server.arg(format!("--audit-log-maxsize={AUDIT_LOG_MEGABYTES}"));
    server.args([
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/16",
        "--authorization-mode=RBAC",
        // Wants a controller that makes the default ServiceAccount of each namespace.
        "--disable-admission-plugins=ServiceAccount",
        // Off by default, on in some clusters: an operator should not find out there that it lacks a right.
        "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
    ]);
    Ok(server)
}

pub(super) fn controller_manager(binaries: &Binaries, layout: &Layout, kubeconfig: &Path) -> Result<Command, Error> {
    let mut manager = Command::new(binaries.path("kube-controller-manager")?);
    manager.current_dir(&layout.root);
    manager.arg("--kubeconfig").arg(kubeconfig);
    manager.args(["--leader-elect=false", "--secure-port=0"]);
    // The others would make pods that no node runs.
    manager.arg("--controllers=garbage-collector-controller,namespace-controller");
    Ok(manager)
}
