//! The traits of a controller.

use std::any::TypeId;

use futures::future::BoxFuture;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::ApiResource;

use super::{Action, Context, Result};
use crate::cache::Entity;

/// What a controller is about. Made by `#[derive(Controller)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a controller",
    note = "derive it: `#[derive(Controller)]` with `#[controller(entity = …)]`"
)]
pub trait Controller: Send + Sync + Sized + 'static {
    /// The kind that is reconciled.
    type Entity: Entity;

    /// Its name, in logs and metrics.
    const NAME: &'static str;

    /// The finalizer that is kept on each object.
    const FINALIZER: Option<&'static str> = None;

    /// How many objects are reconciled at once; `None`: as the settings say.
    const CONCURRENCY: Option<u16> = None;

    /// What the controller's own code asks of the API server, besides what the SDK does for it.
    const RBAC: &'static [RbacRule] = &[];

    /// The kinds whose changes reconcile their owner.
    fn owns() -> Vec<OwnedKind> {
        Vec::new()
    }

    /// The entity's CRD, if it is a custom resource.
    fn crd() -> Option<CustomResourceDefinition> {
        None
    }

    /// This controller's [`Finalize`], if it has a finalizer.
    #[doc(hidden)]
    fn finalizer(&self) -> Option<&dyn DynFinalize<Self::Entity>> {
        None
    }
}

/// Brings the world to what an object says.
///
/// Called again and again, for reasons that may be out of date: look at what is there, do what is missing, and nothing if
/// nothing is. Failures and panics are retried with growing pauses.
///
/// # Cancel safety
/// The futures are dropped at an await when the term ends, or when the reconcile takes too long: whoever comes next must be
/// able to go on from there.
#[diagnostic::on_unimplemented(
    message = "`{Self}` says nowhere how to reconcile",
    label = "`impl Reconcile` is missing",
    note = "write `impl Reconcile for {Self} {{ async fn reconcile(&self, object: &…, cx: &Context<…>) -> Result<Action> {{ … }} }}`"
)]
pub trait Reconcile: Controller {
    /// Reconciles one object. Never runs twice at once for the same one.
    fn reconcile(
        &self,
        object: &Self::Entity,
        cx: &Context<Self::Entity>,
    ) -> impl Future<Output = Result<Action>> + Send;

    /// An object is gone; `object` is the last that was known of it. Only called without a finalizer, once for each object
    /// that went during the term (again if it fails, unless for good), and before a new object of the same name is reconciled.
    fn deleted(&self, object: &Self::Entity, cx: &Context<Self::Entity>) -> impl Future<Output = Result<()>> + Send {
        let _unused = (object, cx);
        async { Ok(()) }
    }
}

/// What is to be done before an object may go.
///
/// A trait of its own, so that neither the attribute nor the impl can be forgotten.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has a finalizer and says nowhere how to finalize",
    label = "this finalizer needs an `impl Finalize`",
    note = "write `impl Finalize for {Self} {{ async fn finalize(&self, object: &…, cx: &Context<…>) -> Result<Action> {{ … }} }}`"
)]
pub trait Finalize: Controller + HasFinalizer {
    /// Cleans up behind an object that is being deleted. May run more than once for one object: it must not mind.
    ///
    /// [`Action::await_change`]: all done, the finalizer is removed. [`Action::requeue`]: not done yet, the finalizer stays, and
    /// it is called again after that time.
    fn finalize(
        &self,
        object: &Self::Entity,
        cx: &Context<Self::Entity>,
    ) -> impl Future<Output = Result<Action>> + Send;
}

/// A controller whose attributes name a finalizer. Made by `#[derive(Controller)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` implements `Finalize` and names no finalizer",
    label = "it would never run",
    note = "name it: `#[controller(finalizer = \"guestbook.example.com/cleanup\", …)]`"
)]
pub trait HasFinalizer {}

/// [`Finalize`], object safe.
#[doc(hidden)]
pub trait DynFinalize<K: Entity>: Sync {
    /// [`Finalize::finalize`].
    fn finalize<'a>(&'a self, object: &'a K, cx: &'a Context<K>) -> BoxFuture<'a, Result<Action>>;
}

impl<C: Finalize> DynFinalize<C::Entity> for C {
    fn finalize<'a>(&'a self, object: &'a C::Entity, cx: &'a Context<C::Entity>) -> BoxFuture<'a, Result<Action>> {
        Box::pin(Finalize::finalize(self, object, cx))
    }
}

/// A kind, and whether it has namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnedKind {
    /// Group, version, kind and plural.
    pub resource: ApiResource,
    /// Its objects live in namespaces.
    pub namespaced: bool,
}

/// A right that a controller's own code needs: `rbac(…)`. Words are those of an RBAC `PolicyRule`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RbacRule {
    /// API groups without versions; `""` is the core group.
    pub groups: &'static [&'static str],
    /// Plurals, with or without a subresource.
    pub resources: &'static [&'static str],
    /// What is done with them.
    pub verbs: &'static [&'static str],
    /// Only on objects of these names; none: on all.
    pub names: &'static [&'static str],
    /// The resources have no namespace: the right is needed in the whole cluster also where only some namespaces are watched.
    pub cluster: bool,
}

impl OwnedKind {
    /// The kind of `K`.
    #[must_use]
    pub fn of<K: kube::Resource<DynamicType = ()> + 'static>() -> Self {
        Self { resource: ApiResource::erase::<K>(&()), namespaced: is_namespaced::<K>() }
    }
}

/// Whether objects of a kind live in namespaces.
pub(super) fn is_namespaced<K: kube::Resource + 'static>() -> bool {
    TypeId::of::<K::Scope>() == TypeId::of::<NamespaceResourceScope>()
}
