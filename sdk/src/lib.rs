//! An SDK for Kubernetes operators in the manner of a .NET hosted service: one host starts and stops everything, settings come
//! from `appsettings.json`, controllers are declared by a derive, and `reconcile` never runs on a replica that does not lead.
//!
//! ```no_run
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kubeops::prelude::*;
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
//! #[kube(group = "example.com", version = "v1", kind = "Page", namespaced)]
//! struct PageSpec {
//!     text: String,
//! }
//!
//! /// Keeps a ConfigMap for each Page.
//! #[derive(Controller)]
//! #[controller(entity = Page, owns(ConfigMap))]
//! struct PageController {}
//!
//! impl Reconcile for PageController {
//!     async fn reconcile(&self, page: &Page, cx: &Context<Page>) -> Result<Action> {
//!         let mut map = ConfigMap::default();
//!         map.metadata.name = page.metadata.name.clone();
//!         map.data = Some([("text".to_owned(), page.spec.text.clone())].into());
//!         cx.apply_owned(map).await?; // server-side apply, with a controller owner reference
//!         Ok(Action::await_change())
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> ExitCode {
//!     kubeops::operator!().add_controller::<PageController>().run().await
//! }
//! ```
//!
//! That program has a command line (`run`, `install`, `uninstall`, `generate manifests`, `generate helm`,
//! `generate dockerfile`, `generate crds`, `settings`, `version`, and `dev` with that feature), elects a leader by a
//! Lease, keeps its caches warm on standbys, hands over within milliseconds at a clean stop, and answers probes and metrics.
//!
//! # Where to look
//! - [`controller`]: what a controller is, what leads to a reconcile, finalizers
//! - [`leadership`]: elections, terms and fences; usable alone, with the feature `leader-election`
//! - [`operator`](mod@operator): the builder, and what a running operator consists of
//! - [`settings`]: the layers of `appsettings.json`; [`operator::kube_ops`]: every key of the section `KubeOps`
//! - [`health`], [`metrics`], [`host`]: probes, names of metrics, services of your own
//!
//! The [book](https://github.com/kubeops-rs/kubeops/tree/main/docs/src/SUMMARY.md) has a tutorial, the concepts, guides, and a reference of
//! all settings, commands and metrics.
//!
//! # Features
//! | feature | what it adds |
//! | --- | --- |
//! | `operator` (default) | all of the SDK but what follows |
//! | `dev` | the command `dev`, which shows the operator at work on a cluster in memory, with replicas that hand over to each other; leave it out of a container image |
//! | `testing` | `Operator::start_on`, an operator in a test; for `[dev-dependencies]` |
//! | `leader-election` | with `default-features = false`: only [`leadership`] and [`metrics`], without settings, command line, servers and controllers |
//!
//! The SDK selects no Kubernetes version: the binary does, by a feature of `k8s-openapi` such as `v1_36`.

mod chain;
mod client;
pub mod connect;
mod process;
#[cfg(feature = "operator")]
mod refusal;
#[cfg(test)]
#[cfg(feature = "operator")]
mod test_log;

pub mod leadership;
pub mod metrics;

#[cfg(feature = "operator")]
pub mod cache;
#[cfg(feature = "operator")]
pub mod cli;
#[cfg(feature = "operator")]
pub mod controller;
#[cfg(feature = "operator")]
pub mod crds;
#[cfg(feature = "operator")]
pub mod events;
#[cfg(feature = "operator")]
pub mod health;
#[cfg(feature = "operator")]
pub mod host;
#[cfg(feature = "operator")]
pub mod http;
#[cfg(feature = "operator")]
mod manifests;
#[cfg(feature = "operator")]
pub mod operator;
#[cfg(feature = "operator")]
pub mod settings;
#[cfg(feature = "operator")]
mod status;
#[cfg(feature = "operator")]
pub mod workqueue;

#[cfg(feature = "operator")]
#[doc(hidden)]
pub use controller::private as __private;
pub use leadership::is_fenced;
#[cfg(feature = "operator")]
pub use operator::Operator;

/// What most operators import: `use kubeops::prelude::*`.
#[cfg(feature = "operator")]
pub mod prelude {
    pub use std::process::ExitCode;

    pub use kube::{Client, CustomResource, Resource, ResourceExt};

    pub use crate::cache::{Entity, Store};
    pub use crate::controller::{
        Action, Context, Controller, Error, Finalize, FromServices, Permanent, Reconcile, Result, State,
    };
    pub use crate::events::EventPublisher;
    pub use crate::host::HostedService;
    pub use crate::leadership::Term;
    pub use crate::settings::Settings;
}

/// The README's example, so that it compiles.
#[cfg(all(doctest, feature = "operator"))]
#[doc = include_str!("../../README.md")]
struct Readme;

/// What any of the SDK's boxed errors is.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
