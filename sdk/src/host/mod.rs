//! Starts, supervises and stops the services of a process. Knows nothing of Kubernetes.
//!
//! A [`Host`] starts its [`HostedService`]s in the order in which they were added and stops them in the reverse order, each
//! only after the later ones have ended: what is added early (servers, the elector) is there for as long as anything that
//! needs it. No service dies quietly: one that ends before it was told to, fails or panics, stops the whole process with an
//! error that names it.
//!
//! ```
//! # use std::time::Duration;
//! # use kubeops::host::{Host, Signal};
//! # use tokio_util::sync::CancellationToken;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), kubeops::host::HostError> {
//! # let signals = futures::stream::iter([Signal::Terminate]);
//! Host::new()
//!     .add("greeter", |stop: CancellationToken| async move {
//!         stop.cancelled().await;
//!         Ok(())
//!     })
//!     .run(signals, Duration::from_secs(25)) // or `kubeops::host::signals(…)?`
//!     .await
//! # }
//! ```

mod error;
mod service;
mod signals;
mod supervisor;

pub use error::{FailureKind, HostError, ServiceFailure};
pub use service::HostedService;
pub use signals::{Signal, signals};
pub use supervisor::Host;
