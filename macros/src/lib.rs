//! The derives of the `kubeops` SDK. Use them through `kubeops`, which re-exports them.
//!
//! They only add impls, rewrite nothing, and emit what a person could have written by hand.

mod controller;
mod controller_args;
mod fields;
mod names;
mod rbac;
mod state;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Declares a controller: which kind it reconciles, what it owns, and how it is built from services for each term.
///
/// ```
/// # use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
/// use kubeops::prelude::*;
///
/// #[derive(Controller)]
/// #[controller(entity = ServiceAccount, finalizer = "example.com/cleanup", owns(ConfigMap, Secret))]
/// struct AccountController {
///     client: Client,
///     events: EventPublisher,
/// }
/// # impl Reconcile for AccountController {
/// #     async fn reconcile(&self, _: &ServiceAccount, _: &Context<ServiceAccount>) -> Result<Action> {
/// #         Ok(Action::await_change())
/// #     }
/// # }
/// # impl Finalize for AccountController {
/// #     async fn finalize(&self, _: &ServiceAccount, _: &Context<ServiceAccount>) -> Result<Action> {
/// #         Ok(Action::await_change())
/// #     }
/// # }
/// ```
///
/// | key | what it says | default |
/// | --- | --- | --- |
/// | `entity = Kind` | the kind that is reconciled; required | |
/// | `name = "guestbook"` | name in logs and metrics | the struct's name in kebab case, without `Controller` |
/// | `finalizer = "domain/name"` | finalizer that is kept on each object; needs `impl Finalize` | none |
/// | `owns(Kind, …)` | kinds whose changes reconcile the object that owns them (by controller owner reference) | none |
/// | `concurrency = 4` | how many objects are reconciled at once | the `KubeOps` section's |
/// | `rbac(groups = "apps", resources = "deployments", verbs = ["get", "update"])` | a right that the code here needs, besides those that the SDK itself uses, for `generate manifests`; may stand several times; `groups` left out: the core group; `names = …` binds it to objects; `cluster`: for kinds without namespaces | none |
/// | `state = Type` | the operator's state, so that a field that nothing provides is an error at the field itself | any state |
/// | `crate = path` | where the SDK is, if not at `::kubeops` | `::kubeops` |
///
/// Each field is made by its type's `FromServices`: the term's `Client`, `EventPublisher`, `Store<K>`, `Term`, and what
/// the fields of a `#[derive(State)]` provide.
#[proc_macro_derive(Controller, attributes(controller))]
pub fn derive_controller(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    controller::expand(&input).unwrap_or_else(darling::Error::write_errors).into()
}

/// Lets each field of the operator's state, and the state itself, be a field of its controllers.
///
/// ```
/// # use kubeops::prelude::*;
/// # #[derive(Clone)]
/// # struct PageSettings;
/// #[derive(Clone, State)]
/// struct AppState {
///     pages: PageSettings,
///     #[state(skip)] // what services provide anyway, or what only the state itself uses
///     client: Client,
/// }
/// ```
///
/// `#[state(crate = path)]` on the struct says where the SDK is, if not at `::kubeops`.
#[proc_macro_derive(State, attributes(state))]
pub fn derive_state(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    state::expand(&input).unwrap_or_else(darling::Error::write_errors).into()
}
