//! What the derives emit paths to. Not for people: it may change at any time.

use std::marker::PhantomData;

pub use std::vec::Vec;

pub use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

pub use super::reconcile::{Controller, DynFinalize, Finalize, HasFinalizer, OwnedKind, RbacRule, Reconcile};
pub use super::services::{FromServices, Needs, Services};

/// Asks which of the two traits below a kind has: a custom resource answers itself, for anything else method lookup takes
/// one reference more.
#[derive(Debug)]
pub struct Kind<K>(PhantomData<K>);

impl<K> Kind<K> {
    /// Asks for `K`.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "emitted by a derive, which names it")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// Kinds that bring a CRD.
pub trait CrdOfCustomResource {
    /// Their CRD.
    fn crd(&self) -> Option<CustomResourceDefinition>;
}

/// Kinds that the server knows anyway.
pub trait CrdOfBuiltIn {
    /// None.
    fn crd(&self) -> Option<CustomResourceDefinition>;
}

impl<K: CustomResourceExt> CrdOfCustomResource for Kind<K> {
    fn crd(&self) -> Option<CustomResourceDefinition> {
        Some(K::crd())
    }
}

impl<K> CrdOfBuiltIn for &Kind<K> {
    fn crd(&self) -> Option<CustomResourceDefinition> {
        None
    }
}

/// Compiles only for what implements [`Finalize`].
pub fn finalize<C: Finalize>(controller: &C) -> &dyn DynFinalize<C::Entity> {
    controller
}

/// Compiles only for what implements [`Reconcile`].
pub const fn must_reconcile<C: Reconcile>() {}
