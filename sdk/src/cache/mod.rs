//! One watch and one store per kind, shared.

mod caches;
mod owned;
mod state;
mod store;
mod typed;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use caches::{CacheError, Caches, Selectors};
pub use owned::{OwnedCache, OwnedChange};
pub use state::CacheState;
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
