//! Keeps a watch of the lock open and tells the elector what it says.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::election::Input;
use super::lock::{Lock, LockError};

/// A watch that ends sooner than this has not worked: others are opened again at once.
const SHORTEST_WATCH: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What the watch tells.
#[derive(Debug)]
pub(super) enum News {
    Input(Input),
    /// The watch could not be opened, or broke.
    Trouble(LockError),
}

/// Watches until the receiver is gone or the task is aborted.
pub(super) async fn watch(lock: Arc<dyn Lock>, patience: Duration, tell: mpsc::Sender<News>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let opened = Instant::now();
        let ended = follow(&*lock, patience, &tell).await;
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
        let _closed = tell.send(News::Input(Input::Watching(false))).await;
        sleep(pause.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// One watch, from its opening to its end. Where there is no version to start from, a read gives one.
async fn follow(lock: &dyn Lock, patience: Duration, tell: &mpsc::Sender<News>) -> Result<(), LockError> {
    let mut events = match timeout(patience, lock.watch()).await {
        Ok(Err(LockError::Expired)) => {
            let seen = timeout(patience, lock.read()).await.map_err(|_| silent())??;
            let _closed = tell.send(News::Input(Input::Watched(seen))).await;
            timeout(patience, lock.watch()).await.map_err(|_| silent())??
        }
        opened => opened.map_err(|_| silent())??,
    };
    let _closed = tell.send(News::Input(Input::Watching(true))).await;
    while let Some(event) = events.next().await {
        if tell.send(News::Input(Input::Watched(event?))).await.is_err() {
            break;
        }
    }
    Ok(())
}

fn silent() -> LockError {
    LockError::Silent
}
