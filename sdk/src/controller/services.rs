//! What the fields of controllers are made from.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use kube::Client;

use super::reconcile::OwnedKind;
use crate::cache::{Caches, Entity, OwnedChange, Selectors, Store};
use crate::events::{EventPublisher, EventPump};
use crate::leadership::Term;
use crate::metrics::Metrics;

/// What can be a field of a controller, in an operator with state `S`.
///
/// Implemented for the term's [`Client`], [`Term`], [`EventPublisher`], [`Store`] and [`Metrics`]; `#[derive(State)]`
/// implements it for each field of the operator's state, and for the state itself.
#[diagnostic::on_unimplemented(
    message = "nothing provides a `{Self}` to controllers with state `{S}`",
    label = "no service is a `{Self}`",
    note = "services are `Client`, `EventPublisher`, `Store<Kind>`, `Term` and `Metrics`; anything else is a field of the operator's state: \
            `#[derive(Clone, State)] struct AppState {{ … }}`, given to the operator by `.with_state(…)`"
)]
pub trait FromServices<S>: Sized {
    /// Declares what has to be there before the first term, caches above all.
    fn needs(needs: &mut Needs) {
        let _unused = needs;
    }

    /// Makes it, anew for each term.
    fn from_services(services: &Services<S>) -> Self;
}

/// The services of one term: all that is made from them ends with it.
#[derive(Clone)]
pub struct Services<S = ()> {
    client: Client,
    term: Term,
    state: S,
    caches: Caches,
    metrics: Metrics,
    operator: Arc<str>,
    events: EventPublisher,
}

/// What fields need before the first term.
#[derive(Default)]
pub struct Needs {
    stores: Vec<NeededStore>,
}

struct NeededStore {
    /// Two types may stand for one kind: each has a cache of its own.
    of: TypeId,
    kind: OwnedKind,
    start: fn(&Caches),
    follow: fn(&Caches, OnOwned),
}

/// What is to be done when an owned object has changed.
pub(super) type OnOwned = Arc<dyn Fn(&OwnedChange) + Send + Sync>;

impl<S> Services<S> {
    /// The services of `term`. `client` must write only while the term lasts; `operator` is the operator's name, its field
    /// manager and the reporter of its Events. The pump sends the Events: run it until it returns.
    pub fn new(
        client: Client,
        term: Term,
        state: S,
        caches: Caches,
        metrics: Metrics,
        operator: impl Into<Arc<str>>,
    ) -> (Self, EventPump) {
        let operator = operator.into();
        let (events, pump) = EventPublisher::new(client.clone(), &operator, &term);
        (Self { client, term, state, caches, metrics, operator, events }, pump)
    }

    /// The client that writes only while the term lasts.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The term.
    #[must_use]
    pub fn term(&self) -> &Term {
        &self.term
    }

    /// The operator's own state.
    #[must_use]
    pub fn state(&self) -> &S {
        &self.state
    }

    /// All caches.
    #[must_use]
    pub fn caches(&self) -> &Caches {
        &self.caches
    }

    /// The metrics.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The operator's name.
    #[must_use]
    pub fn operator(&self) -> &Arc<str> {
        &self.operator
    }

    /// Publishes Events while the term lasts.
    #[must_use]
    pub fn events(&self) -> &EventPublisher {
        &self.events
    }

    /// The same services for what asks for no state.
    pub(super) fn without_state(self) -> Services {
        let Self { client, term, state: _, caches, metrics, operator, events } = self;
        Services { client, term, state: (), caches, metrics, operator, events }
    }
}

impl<S> fmt::Debug for Services<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").field("term", &self.term).field("operator", &self.operator).finish_non_exhaustive()
    }
}

// === impl Needs ===

impl Needs {
    /// Needs a cache of all objects of `K`, on standbys too.
    pub fn store<K: Entity>(&mut self) {
        let of = TypeId::of::<K>();
        if self.stores.iter().any(|known| known.of == of) {
            return;
        }
        self.stores.push(NeededStore {
            of,
            kind: OwnedKind::of::<K>(),
            start: |caches| drop(caches.typed::<K>(Selectors::default())),
            follow: |caches, on_change| {
                caches.typed::<K>(Selectors::default()).subscribe_owned(move |change| on_change(change));
            },
        });
    }

    /// The kinds whose caches are needed, one for each cache.
    pub fn stores(&self) -> impl Iterator<Item = &OwnedKind> {
        self.stores.iter().map(|store| &store.kind)
    }

    pub(super) fn start(&self, caches: &Caches) {
        for store in &self.stores {
            (store.start)(caches);
        }
    }

    /// Follows an owned kind. If its store is read, then by what fills the store: a reconcile that a change leads to must see
    /// the change there, because nobody would wake it again.
    pub(super) fn follow(&self, owned: &OwnedKind, caches: &Caches, on_change: &OnOwned) {
        let mut is_read = false;
        for store in self.stores.iter().filter(|store| store.kind == *owned) {
            (store.follow)(caches, on_change.clone());
            is_read = true;
        }
        if !is_read {
            let on_change = on_change.clone();
            caches.owned(&owned.resource, owned.namespaced).subscribe(move |change| on_change(change));
        }
    }
}

impl fmt::Debug for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.stores()).finish()
    }
}

// === what services provide ===

impl<S> FromServices<S> for Client {
    fn from_services(services: &Services<S>) -> Self {
        services.client.clone()
    }
}

impl<S> FromServices<S> for Term {
    fn from_services(services: &Services<S>) -> Self {
        services.term.clone()
    }
}

impl<S> FromServices<S> for EventPublisher {
    fn from_services(services: &Services<S>) -> Self {
        services.events.clone()
    }
}

impl<S> FromServices<S> for Metrics {
    fn from_services(services: &Services<S>) -> Self {
        services.metrics.clone()
    }
}

impl<S, K: Entity> FromServices<S> for Store<K> {
    fn needs(needs: &mut Needs) {
        needs.store::<K>();
    }

    fn from_services(services: &Services<S>) -> Self {
        services.caches.typed::<K>(Selectors::default()).store()
    }
}
