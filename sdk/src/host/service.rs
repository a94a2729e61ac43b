//! What a host starts and stops.

use std::future::Future;

use futures::future::BoxFuture;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::FailureKind;
use crate::BoxError;

/// Something that runs as long as the process does: a server, a loop, a controller.
///
/// A closure `FnOnce(CancellationToken) -> impl Future<Output = Result<(), BoxError>>` is one too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a hosted service",
    note = "implement `HostedService` for it, or give a closure `|stop: CancellationToken| async move {{ … Ok(()) }}`"
)]
pub trait HostedService: Send + 'static {
    /// What has to be done before the services behind this one start: binding a port, opening a file. Nothing, by default.
    ///
    /// # Errors
    /// An error stops the process and names the service.
    ///
    /// # Cancel safety
    /// The future is dropped, and the service with it, when the process is to stop meanwhile.
    fn start(&mut self) -> impl Future<Output = Result<(), BoxError>> + Send {
        async { Ok(()) }
    }

    /// Runs until `stop` is cancelled, then cleans up and returns. `stop` is cancelled once every service that was added
    /// later has ended. Who wants to know earlier that the process is going to stop listens to [`Host::stopping`] too, and
    /// so drains in two phases.
    ///
    /// # Errors
    /// An error stops the process and names the service; so does a panic, and so does `Ok` before the stop.
    ///
    /// # Cancel safety
    /// The future is dropped at its next await when the shutdown timeout is over, or at a second signal.
    ///
    /// [`Host::stopping`]: super::Host::stopping
    fn run(self, stop: CancellationToken) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// A service whose type is forgotten, with the name that logs and errors use.
pub(super) struct Named {
    pub(super) name: String,
    life: Box<dyn FnOnce(CancellationToken, oneshot::Sender<()>) -> Life + Send>,
}

/// A service from its start to its end.
pub(super) type Life = BoxFuture<'static, Result<(), FailureKind>>;

impl<F, Running> HostedService for F
where
    F: FnOnce(CancellationToken) -> Running + Send + 'static,
    Running: Future<Output = Result<(), BoxError>> + Send,
{
    async fn run(self, stop: CancellationToken) -> Result<(), BoxError> {
        self(stop).await
    }
}

impl Named {
    pub(super) fn new(name: String, service: impl HostedService) -> Self {
        Self { name, life: Box::new(move |stop, started| Box::pin(live(service, stop, started))) }
    }

    /// The service's life, which tells `started` when the next one may start.
    pub(super) fn into_life(self, stop: CancellationToken, started: oneshot::Sender<()>) -> Life {
        (self.life)(stop, started)
    }
}

async fn live(
    mut service: impl HostedService,
    stop: CancellationToken,
    started: oneshot::Sender<()>,
) -> Result<(), FailureKind> {
    tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(()),
        start = service.start() => start.map_err(FailureKind::NotStarted)?,
    }
    // Nobody listens any more if the host began to stop meanwhile.
    let _listening = started.send(());
    service.run(stop).await.map_err(FailureKind::Failed)
}
