//! One watch and one store per kind, shared by all controllers, and warm on standbys too.
//!
//! A controller that has a [`Store`] among its fields reads objects of that kind from memory: what the API server was last seen to
//! have, without a request. An object that this program has just written may not be there yet, so what a write depends on is read
//! from the server.
//!
//! ```
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kubeops::prelude::*;
//!
//! #[derive(Controller)]
//! #[controller(entity = ConfigMap)]
//! struct ConfigMapController {
//!     config_maps: Store<ConfigMap>,
//! }
//!
//! impl Reconcile for ConfigMapController {
//!     async fn reconcile(&self, _: &ConfigMap, _: &Context<ConfigMap>) -> Result<Action> {
//!         tracing::info!(there_are = self.config_maps.len());
//!         Ok(Action::await_change())
//!     }
//! }
//! ```
//!
//! # How it works
//! A watch (`watch.rs`) lists and follows one kind in one namespace or all, as raw JSON, and puts what it learns into a sink:
//! whole objects ([`Cache`]), or only who owns them ([`OwnedCache`]). Subscribers are told what changed.

mod caches;
mod failure;
mod owned;
mod pace;
mod raw;
#[cfg(test)]
mod scene;
mod state;
mod store;
mod subscribers;
mod typed;
mod watch;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use caches::{CacheError, Caches, Selectors};
pub use owned::{OwnedCache, OwnedChange};
pub use state::{CacheState, WatchState};
pub use store::Store;
pub use typed::{Cache, Change};

/// A kind that can be cached and reconciled: any of k8s-openapi's, and whatever derives `CustomResource`.
pub trait Entity:
    kube::Resource<DynamicType = ()> + Clone + DeserializeOwned + Serialize + Debug + Send + Sync + 'static
{
}

impl<K> Entity for K where
    K: kube::Resource<DynamicType = ()> + Clone + DeserializeOwned + Serialize + Debug + Send + Sync + 'static
{
}
