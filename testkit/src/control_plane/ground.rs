//! What all API servers of a control plane stand on.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::binaries::Binaries;
use super::identities::Identities;
use super::programs::{self, Layout};
use crate::process::Janitor;
use crate::{Error, Process, audit};

/// etcd, who may ask, and the directory of it all.
#[derive(Debug)]
pub(super) struct Ground {
    // In the order of their end: the directory last.
    _etcd: Process,
    pub(super) identities: Identities,
    pub(super) binaries: Binaries,
    pub(super) layout: Layout,
    servers: AtomicUsize,
    _janitor: Janitor,
    _directory: TempDir,
}

impl Ground {
    /// Starts etcd, and does not wait for it: a server does.
    pub(super) fn prepare(binaries: Binaries) -> Result<Self, Error> {
        let directory = tempfile::Builder::new().prefix("kubeops-testkit-").tempdir();
        let directory = directory.map_err(Error::io("create a directory"))?;
        let janitor = Janitor::watch(directory.path())?;
        let layout = Layout { root: directory.path().to_owned() };
        let policy = layout.audit_policy();
        fs::write(&policy, audit::POLICY).map_err(Error::io(format!("write {}", policy.display())))?;
        let etcd = Process::spawn(&programs::etcd(&binaries, &layout)?, layout.log_of("etcd"))?;
        Ok(Self {
            _etcd: etcd,
            identities: Identities::create(layout.identities())?,
            binaries,
            layout,
            servers: AtomicUsize::new(0),
            _janitor: janitor,
            _directory: directory,
        })
    }

    /// `kube-apiserver`, `kube-apiserver-2`, …
    pub(super) fn name_of_next_server(&self) -> String {
        match self.servers.fetch_add(1, Ordering::Relaxed) {
            0 => "kube-apiserver".to_owned(),
            before => format!("kube-apiserver-{}", before + 1),
        }
    }
}
