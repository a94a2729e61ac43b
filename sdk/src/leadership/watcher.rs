//! Keeps a watch of an object open, the lock above all, and tells the elector what it says.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::election::Observation;
use super::lock::{Lock, LockError, LockWatch};

/// The server ends a watch after less than this. One that lives longer is cut off: such a connection does not even tell of
/// its end.
const LONGEST_WATCH: Duration = Duration::from_secs(300);
/// A watch that ends sooner than this has not worked: others are opened again at once.
const SHORTEST_WATCH: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What a watch tells.
pub(super) type Events<S> = BoxStream<'static, Result<S, LockError>>;

/// What can be followed: read, and then watched from there on.
pub(super) trait Source: Send + Sync + 'static {
    type Seen: Send + 'static;

    fn read(&self) -> BoxFuture<'_, Result<Self::Seen, LockError>>;

    /// A watch that starts right after what was read last.
    fn watch(&self) -> BoxFuture<'_, Result<Events<Self::Seen>, LockError>>;
}

/// What the watch tells.
#[derive(Debug)]
pub(super) enum News<S> {
    /// It is open and follows every change, or is not.
    Watching(bool),
    Seen(S),
    /// It could not be opened, or broke.
    Trouble(LockError),
}

impl Source for dyn Lock {
    type Seen = Observation;

    fn read(&self) -> BoxFuture<'_, Result<Observation, LockError>> {
        Lock::read(self)
    }

    fn watch(&self) -> BoxFuture<'_, Result<LockWatch, LockError>> {
        Lock::watch(self)
    }
}

/// Watches until the receiver is gone or the task is aborted.
pub(super) async fn watch<S: Source + ?Sized>(source: Arc<S>, patience: Duration, tell: mpsc::Sender<News<S::Seen>>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let opened = Instant::now();
        let ended = follow(&*source, patience, &tell).await;
        if tell.is_closed() {
            return;
        }
        match ended {
            Ok(()) if opened.elapsed() >= SHORTEST_WATCH => {
                pause = FIRST_PAUSE;
                continue;
            }
            Ok(()) => {}
            Err(error) => {
                if opened.elapsed() >= LONGEST_PAUSE {
                    pause = FIRST_PAUSE;
                }
                // Nobody listens any more: the loop ends above.
                let _closed = tell.send(News::Trouble(error)).await;
            }
        }
        let _closed = tell.send(News::Watching(false)).await;
        sleep(pause.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// One watch, from its opening to its end. Where there is no version to start from, a read gives one.
///
/// # Cancel safety
/// What it has shown is told, or is not asked for: the next watch starts right after it.
async fn follow<S: Source + ?Sized>(
    source: &S,
    patience: Duration,
    tell: &mpsc::Sender<News<S::Seen>>,
) -> Result<(), LockError> {
    let mut events = match timeout(patience, source.watch()).await {
        Ok(Err(LockError::Expired)) => {
            let Ok(place) = tell.reserve().await else { return Ok(()) };
            let seen = timeout(patience, source.read()).await.map_err(|_| silent())??;
            place.send(News::Seen(seen));
            timeout(patience, source.watch()).await.map_err(|_| silent())??
        }
        opened => opened.map_err(|_| silent())??,
    };
    let _closed = tell.send(News::Watching(true)).await;
    let cut_off = Instant::now() + LONGEST_WATCH;
    while let Ok(place) = tell.reserve().await
        && let Ok(Some(event)) = timeout_at(cut_off, events.next()).await
    {
        place.send(News::Seen(event?));
    }
    Ok(())
}

fn silent() -> LockError {
    LockError::Silent
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures::future::BoxFuture;
    use futures::stream;
    use k8s_openapi::api::core::v1::ObjectReference;

    use super::*;
    use crate::leadership::election::Put;

    /// Its watches are open, and say nothing any more.
    #[derive(Default)]
    struct Deaf(AtomicU64);

    impl Lock for Deaf {
        fn read(&self) -> BoxFuture<'_, Result<Observation, LockError>> {
            Box::pin(async { Err(LockError::Silent) })
        }

        fn put(&self, _: Put) -> BoxFuture<'_, Result<Observation, LockError>> {
            Box::pin(async { Err(LockError::Silent) })
        }

        fn watch(&self) -> BoxFuture<'_, Result<LockWatch, LockError>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Ok(stream::pending().boxed()) })
        }

        fn reference(&self) -> ObjectReference {
            ObjectReference::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_does_not_end_in_time_is_opened_again_at_once() {
        let (lock, (tell, mut news)) = (Arc::new(Deaf::default()), mpsc::channel(16));
        let followed: Arc<dyn Lock> = lock.clone();
        let hour = timeout(Duration::from_secs(3550), watch(followed, Duration::from_secs(2), tell));
        let told = async { while let Some(News::Watching(true)) = news.recv().await {} };
        let (_over, ()) = tokio::join!(hour, told);
        assert_eq!(lock.0.load(Ordering::SeqCst), 12);
    }
}
