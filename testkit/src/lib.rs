//! A real Kubernetes control plane to test operators on: what envtest is to Go.
//!
//! [`ControlPlane::start`] runs an etcd and a kube-apiserver that belong to the test alone: ports and a directory of their
//! own, ready in about two seconds, gone when the value is dropped, and gone too when the test panics, is interrupted or is
//! killed. What a test of an operator needs is at hand: clients with identities, the audit log, `kubectl`, a
//! [`Proxy`] that cuts clients off, and a server that can be stopped and started.
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
pub use control_plane::{Binaries, ControlPlane};
pub use error::Error;
pub use eventually::{Timeout, eventually};
pub use process::{Janitor, Process};
pub use proxy::Proxy;
