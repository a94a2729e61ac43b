//! An SDK for Kubernetes operators in the manner of a .NET hosted service.

mod chain;
pub mod leadership;
pub mod metrics;

#[cfg(feature = "operator")]
pub mod cache;
#[cfg(feature = "operator")]
pub mod cli;
#[cfg(feature = "operator")]
pub mod controller;
#[cfg(feature = "operator")]
pub mod events;
#[cfg(feature = "operator")]
mod forbidden;
#[cfg(feature = "operator")]
pub mod health;
#[cfg(feature = "operator")]
pub mod host;
#[cfg(feature = "operator")]
pub mod http;
#[cfg(feature = "operator")]
pub mod operator;
#[cfg(feature = "operator")]
pub mod settings;
#[cfg(feature = "operator")]
pub mod workqueue;

#[cfg(test)]
#[cfg(feature = "operator")]
mod test_log;

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

/// What any of the SDK's boxed errors is.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
