//! The operator and its builder: the only room that knows the others.
//!
//! [`operator!`](crate::operator!) makes an [`Operator`]; its builder takes the user's state, controllers, services and health
//! checks. What a running operator consists of is put together in `composition.rs`.

mod builder;
mod checks;
mod composition;
pub mod connect;
mod install_crds;
pub mod kube_ops;
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

pub use builder::Operator;
pub(crate) use manifests::Placement;
pub use run::RunError;
#[cfg(feature = "testing")]
pub use testing::RunningOperator;

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
