//! The operator and its builder: the only room that knows the others.
//!
//! [`operator!`](crate::operator!) makes an [`Operator`]; its builder takes the user's state, controllers, services and health
//! checks, and [`run`](Operator::run) does what the command line says. What a running operator consists of is put together in
//! `composition.rs`.
//!
//! ```no_run
//! use kubeops::prelude::*;
//!
//! #[derive(Clone, State)]
//! struct AppState {
//!     greeting: String, // may be a field of any controller
//! }
//!
//! #[tokio::main]
//! async fn main() -> ExitCode {
//!     kubeops::operator!()
//!         .with_state(|settings: Settings| async move { Ok(AppState { greeting: settings.section("Greeting")? }) })
//!         .add_health_check("greeting", |state: AppState| async move {
//!             if state.greeting.is_empty() { Err("there is none") } else { Ok(()) }
//!         })
//!         .run()
//!         .await
//! }
//! ```
//!
//! With the feature `testing`, `start_on` runs the same operator on a cluster in memory, under paused time if a test wants that.

mod bearing;
mod builder;
mod checks;
mod composition;
mod fenced;
mod install_crds;
pub mod kube_ops;
mod leader_label;
mod leading;
pub mod logging;
mod manifests;
mod options;
mod reach;
mod run;
mod runtime_ping;
mod shown;
mod start;
mod status;
#[cfg(feature = "testing")]
mod testing;
mod trouble;

pub use crate::connect;
pub use builder::Operator;
pub(crate) use manifests::Placement;
pub use run::RunError;
#[cfg(feature = "testing")]
pub use testing::{Replica, RunningOperator};

/// Makes an [`Operator`] of the name and version of the package that calls it.
///
/// ```no_run
/// # use kubeops::operator;
/// # async fn main_() -> std::process::ExitCode {
/// operator!()
///     // .add_controller::<GuestbookController>()
///     .run()
///     .await
/// # }
/// ```
#[macro_export]
macro_rules! operator {
    () => {
        $crate::operator::Operator::new(
            ::core::env!("CARGO_PKG_NAME"),
            ::core::env!("CARGO_PKG_VERSION"),
            ::core::env!("CARGO_PKG_DESCRIPTION"),
        )
    };
}
