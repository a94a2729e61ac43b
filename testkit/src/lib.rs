//! Clusters to test operators on: a Kubernetes API in memory, and a real control plane, which is what envtest is to Go.
//!
//! # In memory
//! A [`Cluster`] has no process, no port and nothing outside of the test, and answers as a kube-apiserver does: a suite of cases holds it to that.
//! With tokio's time paused, an hour of leases takes milliseconds. What it does not simulate it refuses by a 501 that names it.
//!
//! ```
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kubeops_testkit::Cluster;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let cluster = Cluster::start().await;
//! cluster.apply("{ apiVersion: v1, kind: ConfigMap, metadata: { name: page }, data: { text: Hello } }").await;
//! let page: ConfigMap = cluster.until("page", |page: &ConfigMap| page.data.is_some()).await;
//! assert_eq!(page.data.unwrap()["text"], "Hello");
//! # }
//! ```
//!
//! The book's chapter [The cluster in memory][chapter] tells what it does, and where it differs.
//!
//! [chapter]: https://github.com/kubeops-rs/kubeops/blob/main/docs/src/guides/in-memory-cluster.md
//!
//! # Real
//! [`ControlPlane::start`] runs an etcd and a kube-apiserver that belong to the test alone: ports and a directory of their
//! own, ready in about two seconds, gone when the value is dropped, and gone too when the test panics, is interrupted or is
//! killed. What a test of an operator needs is at hand: clients with identities, the audit log, `kubectl`, a
//! [`Proxy`] that cuts clients off, a server that can be stopped and started, and a second one on the same etcd.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kube::Api;
//! use kubeops_testkit::ControlPlane;
//!
//! let plane = ControlPlane::start().await?;
//! let api: Api<ConfigMap> = Api::namespaced(plane.client_for("replica-a")?, "default");
//! let _ = api.list(&Default::default()).await?;
//!
//! let lists = plane.audit().requests()?.into_iter().filter(|request| request.user == "replica-a");
//! assert_eq!(lists.count(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! The programs come from the folder that `cargo xtask control-plane` prints; see [`Binaries`] for where else they are
//! looked for. Unix only: the guard against left-over processes is a shell.

mod audit;
mod authority;
pub mod cluster;
mod control_plane;
mod error;
mod eventually;
mod kubeconfig;
mod process;
mod proxy;

pub use audit::{Audit, AuditEvent};
pub use cluster::Cluster;
pub use control_plane::{ApiServer, Binaries, ControlPlane};
pub use error::Error;
pub use eventually::{Timeout, eventually};
pub use process::{Janitor, Process};
pub use proxy::Proxy;
