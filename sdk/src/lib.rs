//! An SDK for Kubernetes operators in the manner of a .NET hosted service.

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

#[cfg(feature = "operator")]
mod causes;
#[cfg(test)]
#[cfg(feature = "operator")]
mod test_log;

/// What any of the SDK's boxed errors is.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
