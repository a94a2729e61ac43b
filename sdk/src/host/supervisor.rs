//! The host itself: ordered start, supervision, reverse stop.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use tokio::sync::oneshot;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::service::Named;
use super::{FailureKind, HostError, HostedService, ServiceFailure, Signal};
use crate::process::own;

/// How long aborted tasks get to reach their next await, so that what they hold is dropped before the process ends. One
/// that blocks a thread never gets there.
const ABORT_GRACE: Duration = Duration::from_millis(500);

/// Starts services in the order in which they are added and stops them in the reverse order.
#[derive(Default)]
#[must_use = "a host does nothing until `run`"]
pub struct Host {
    services: Vec<Named>,
    stopping: CancellationToken,
}

/// The services of a host that runs.
struct Supervisor<S> {
    /// In the order of their start; those that ended are taken out.
    running: Vec<Running>,
    tasks: JoinSet<Result<(), FailureKind>>,
    failures: Vec<ServiceFailure>,
    stopping: CancellationToken,
    signals: Signals<S>,
}

struct Running {
    name: String,
    task: Id,
    stop: CancellationToken,
}

/// Counts signals: the first asks for the stop, whatever else may have asked for it, the second ends at once.
struct Signals<S> {
    stream: Option<S>,
    seen: usize,
}

/// What woke the supervisor while the services run.
enum Event {
    /// The service that was waited for has started.
    Started,
    /// A signal, a request to stop, or a service that ended.
    Stop,
}

// === impl Host ===

impl Host {
    /// A host without services.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a service that starts after all that were added before it, and ends before them. The name is for logs and
    /// errors.
    pub fn add(mut self, name: impl Into<String>, service: impl HostedService) -> Self {
        self.services.push(Named::new(name.into(), service));
        self
    }

    /// Is cancelled as soon as the host begins to stop, before any service is told to: for what has to know at once that
    /// the end is near (readiness, a service that drains in two phases). Cancelling it stops the host.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Runs the services until a signal comes, [`Host::stopping`] is cancelled or one of them ends; then stops them, the
    /// last added first, each after the later ones have ended, all within `shutdown_timeout`. What has not ended then is
    /// aborted.
    ///
    /// A second signal returns at once. A stream of signals that ends means that no more will come.
    ///
    /// # Errors
    /// [`HostError::Services`] names each service that failed, and at the timeout those that did not end;
    /// [`HostError::Interrupted`] after a second signal.
    ///
    /// # Cancel safety
    /// Dropping the future aborts all services, without order.
    pub async fn run(
        self,
        signals: impl Stream<Item = Signal> + Send + Unpin,
        shutdown_timeout: Duration,
    ) -> Result<(), HostError> {
        let Self { services, stopping } = self;
        let mut supervisor = Supervisor {
            running: Vec::with_capacity(services.len()),
            tasks: JoinSet::new(),
            failures: Vec::new(),
            stopping,
            signals: Signals { stream: Some(signals), seen: 0 },
        };
        if supervisor.start(services).await {
            supervisor.supervise().await;
        }
        supervisor.stopping.cancel();
        supervisor.stop(shutdown_timeout).await?;
        match supervisor.failures {
            failures if failures.is_empty() => Ok(()),
            failures => Err(HostError::Services { failures }),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.services.iter().map(|service| &service.name).collect();
        f.debug_struct("Host").field("services", &names).finish_non_exhaustive()
    }
}

// === impl Supervisor ===

impl<S: Stream<Item = Signal> + Send + Unpin> Supervisor<S> {
    /// Starts one after the other. `false`: the host is to stop before all have started.
    async fn start(&mut self, services: Vec<Named>) -> bool {
        for service in services {
            let name = service.name.clone();
            let stop = CancellationToken::new();
            let (started, mut on_started) = oneshot::channel();
            debug!(service = name, "starting");
            let task = self.tasks.spawn(own(service.into_life(stop.clone(), started))).id();
            self.running.push(Running { name, task, stop });
            match self.next_event(Some(&mut on_started)).await {
                Event::Started => {}
                Event::Stop => return false,
            }
        }
        true
    }

    /// Waits until the host is to stop.
    async fn supervise(&mut self) {
        while let Event::Started = self.next_event(None).await {}
    }

    async fn next_event(&mut self, on_started: Option<&mut oneshot::Receiver<()>>) -> Event {
        let started = async {
            match on_started {
                // An error: the task ended first, which the other branch tells.
                Some(on_started) => match on_started.await {
                    Ok(()) => {}
                    Err(_) => std::future::pending().await,
                },
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            signal = self.signals.next() => {
                info!("{signal}: stopping");
                Event::Stop
            }
            () = self.stopping.cancelled() => Event::Stop,
            Some(ended) = self.tasks.join_next_with_id() => {
                self.ended(ended, true);
                Event::Stop
            }
            () = started => Event::Started,
        }
    }

    /// Stops in reverse order.
    async fn stop(&mut self, timeout: Duration) -> Result<(), HostError> {
        let deadline = Instant::now() + timeout;
        while let Some(last) = self.running.last() {
            if !last.stop.is_cancelled() {
                debug!(service = last.name, "stopping");
                last.stop.cancel();
            }
            tokio::select! {
                biased;
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended, false),
                signal = self.signals.next() => {
                    if self.signals.seen > 1 {
                        let still_running = self.running.drain(..).map(|service| service.name).collect();
                        return Err(HostError::Interrupted { signal, still_running });
                    }
                    info!("{signal}: already stopping");
                }
                () = tokio::time::sleep_until(deadline) => self.cut_off(timeout).await,
            }
        }
        Ok(())
    }

    /// Aborts what still runs.
    async fn cut_off(&mut self, timeout: Duration) {
        self.tasks.abort_all();
        for service in self.running.drain(..).rev() {
            let kind = if service.stop.is_cancelled() { FailureKind::DidNotEnd(timeout) } else { FailureKind::CutOff };
            record(&mut self.failures, service.name, kind);
        }
        let gone = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(ABORT_GRACE, gone).await.is_err() {
            warn!("aborted services still block a thread");
        }
    }

    /// A service's task has ended: well, or not.
    fn ended(&mut self, ended: Result<(Id, Result<(), FailureKind>), JoinError>, early: bool) {
        let (task, result) = match ended {
            Ok((task, result)) => (task, result),
            Err(join) => (join.id(), Err(FailureKind::Panicked(panic_text(join)))),
        };
        let Some(position) = self.running.iter().position(|service| service.task == task) else { return };
        let Running { name, .. } = self.running.remove(position);
        match result {
            Ok(()) if early => record(&mut self.failures, name, FailureKind::EndedEarly),
            Ok(()) => debug!(service = name, "ended"),
            Err(kind) => record(&mut self.failures, name, kind),
        }
    }
}

/// Told at once, because the others may take long to stop.
fn record(failures: &mut Vec<ServiceFailure>, service: String, kind: FailureKind) {
    let failure = ServiceFailure { service, kind };
    error!("{failure}");
    failures.push(failure);
}

fn panic_text(join: JoinError) -> String {
    match join.try_into_panic() {
        Ok(payload) => payload_text(payload.as_ref()).to_owned(),
        // Nobody but `cut_off` aborts.
        Err(cancelled) => cancelled.to_string(),
    }
}

fn payload_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&'static str>().copied()).unwrap_or("(no text)")
}

// === impl Signals ===

impl<S: Stream<Item = Signal> + Unpin> Signals<S> {
    /// The next signal; never resolves once no more will come.
    async fn next(&mut self) -> Signal {
        if let Some(stream) = &mut self.stream {
            if let Some(signal) = stream.next().await {
                self.seen += 1;
                return signal;
            }
            self.stream = None;
        }
        std::future::pending().await
    }
}
