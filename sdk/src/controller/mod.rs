//! The user's side of controllers: what is reconciled, how, and what with.
//!
//! ```
//! use kubeops::controller::{Action, Context, Controller, Reconcile, Result};
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kube::Client;
//!
//! #[derive(Controller)]
//! #[controller(entity = ConfigMap)]
//! struct ConfigMapController {
//!     client: Client, // writes only while this term lasts
//! }
//!
//! impl Reconcile for ConfigMapController {
//!     async fn reconcile(&self, config_map: &ConfigMap, cx: &Context<ConfigMap>) -> Result<Action> {
//!         tracing::info!(trigger = ?cx.trigger(), "{} has {:?}", cx.key(), config_map.data);
//!         Ok(Action::await_change())
//!     }
//! }
//! ```
//!
//! # What leads to a reconcile
//! Every object that is there when a term starts; each one that is created; each change that counts by the
//! [`ReconcileStrategy`]; each change of an object that it owns, of the kinds in `owns(…)`; [`Action::requeue`]; a failure,
//! later each time; the resync period. One object is never reconciled twice at once.
//!
//! # Deletion
//! With `finalizer = "…"` the finalizer is added before the first reconcile. An object that is being deleted is given to
//! [`Finalize::finalize`], and once that is done our own entry is taken out of the list, wherever it stands. An object that
//! is being deleted and has only finalizers of others is left alone: it is neither reconciled nor finalized.
//!
//! Without a finalizer, [`Reconcile::deleted`] is called with the last known state of an object that went away during the
//! term. What is deleted while nobody leads is only seen with a finalizer.

mod action;
mod context;
mod error;
mod finalizer;
mod latest;
mod owned;
mod predicate;
#[doc(hidden)]
pub mod private;
mod reconcile;
mod registration;
mod requests;
mod services;
mod status;
mod term_controller;
mod tombstones;

pub use action::Action;
pub use context::Context;
pub use error::{Error, Permanent, Result};
pub use kubeops_macros::{Controller, State};
pub use owned::ApplyError;
pub use predicate::ReconcileStrategy;
pub use reconcile::{Controller, Finalize, HasFinalizer, OwnedKind, RbacRule, Reconcile};
pub use registration::{Attached, ControllerOptions, Registration};
pub use services::{FromServices, Needs, Services};
pub use status::StatusError;
