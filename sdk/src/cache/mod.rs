//! One watch and one store per kind, shared.
//!
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
