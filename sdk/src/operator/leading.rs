//! Runs the controllers during each term, and nothing between terms.

use std::sync::Arc;

use futures::future::join_all;
use kube::Client;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::BoxError;
use crate::cache::Caches;
use crate::controller::{Attached, Services};
use crate::host::HostedService;
use crate::leadership::{Leadership, Term, fence};
use crate::metrics::Metrics;

/// Builds the services of each term, and from them its controllers.
pub(super) struct Leading<S> {
    pub(super) leadership: Leadership,
    pub(super) controllers: Vec<Attached<S>>,
    /// Reads at any time; what controllers get of it writes only during their term.
    pub(super) client: Client,
    pub(super) state: S,
    pub(super) caches: Caches,
    pub(super) metrics: Metrics,
    pub(super) operator: Arc<str>,
}

impl<S: Clone + Send + Sync + 'static> Leading<S> {
    /// Returns when the term is over and nothing of it runs any more. At a stop the term drains first, by the elector.
    async fn lead(&self, term: Term) {
        debug!(term = term.id(), "controllers start");
        let client = fence(&self.client, &term, &self.metrics);
        let (services, events) = Services::new(
            client,
            term.clone(),
            self.state.clone(),
            self.caches.clone(),
            self.metrics.clone(),
            self.operator.clone(),
        );
        let controllers = self.controllers.iter().map(|controller| controller.lead(services.clone()));
        let controllers = join_all(controllers);
        // The Events end when the last who could publish one is gone.
        drop(services);
        tokio::join!(controllers, events.run());
        debug!(term = term.id(), "controllers have ended");
    }
}

impl<S: Clone + Send + Sync + 'static> HostedService for Leading<S> {
    async fn run(mut self, stop: CancellationToken) -> Result<(), BoxError> {
        let mut newest = 0;
        loop {
            let term = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                term = self.leadership.next_term(newest) => term,
            };
            let Some(term) = term else {
                // The elector has ended, which the host tells by its name.
                stop.cancelled().await;
                return Ok(());
            };
            newest = term.id();
            self.lead(term).await;
        }
    }
}
