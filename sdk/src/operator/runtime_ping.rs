//! How long a task that is ready waits for its turn: whether something blocks the runtime.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::BoxError;
use crate::host::HostedService;
use crate::metrics::Metrics;

const PERIOD: Duration = Duration::from_secs(5);

/// Sends a task through the runtime every five seconds. With every thread blocked nobody is there to measure, or to tell;
/// what is told right after counts that time too.
pub(super) struct RuntimePing(Arc<Mutex<Ping>>);

struct Ping {
    /// When the next one is to be sent, or the one that is on its way was.
    due: Instant,
    /// How long the last one took.
    took: Duration,
}

impl RuntimePing {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let ping = Arc::new(Mutex::new(Ping { due: Instant::now(), took: Duration::ZERO }));
        let (measured, told) = (ping.clone(), metrics.clone());
        metrics.on_scrape(move || {
            let Ping { due, took } = *lock(&measured);
            told.runtime_ping(took.max(due.elapsed()));
        });
        Self(ping)
    }
}

impl HostedService for RuntimePing {
    async fn run(self, stop: CancellationToken) -> Result<(), BoxError> {
        let pings = async {
            loop {
                let due = lock(&self.0).due;
                // It ends by itself, and does not panic.
                let _done = tokio::spawn(async {}).await;
                *lock(&self.0) = Ping { due: Instant::now() + PERIOD, took: due.elapsed() };
                sleep(PERIOD).await;
            }
        };
        stop.run_until_cancelled(pings).await;
        Ok(())
    }
}

fn lock(ping: &Mutex<Ping>) -> MutexGuard<'_, Ping> {
    ping.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(metrics: &Metrics) -> f64 {
        let text = metrics.encode(false);
        let line = text.lines().find_map(|line| line.strip_prefix("kubeops_runtime_ping_seconds ")).unwrap();
        line.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_runtime_that_was_blocked_says_for_how_long() {
        let metrics = Metrics::new();
        let stop = CancellationToken::new();
        let run = tokio::spawn(RuntimePing::new(&metrics).run(stop.clone()));
        sleep(Duration::from_secs(12)).await;
        assert!(told(&metrics) < 0.01, "{}", told(&metrics));
        // Past the next one without letting it go: as if the thread had been busy with something else.
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!((6.9..7.1).contains(&told(&metrics)), "{}", told(&metrics));
        sleep(Duration::from_secs(1)).await;
        assert!((6.9..7.1).contains(&told(&metrics)), "the last one was late: {}", told(&metrics));
        sleep(PERIOD).await;
        assert!(told(&metrics) < 0.01, "{}", told(&metrics));
        stop.cancel();
        run.await.unwrap().unwrap();
    }
}
