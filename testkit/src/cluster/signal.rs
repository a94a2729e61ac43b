//! Tells watches that there is something new. They are woken in the order in which they began to wait, so that the same test is the
//! same each time: tokio's own watch channel wakes in random order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Cheap to clone; clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signal(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    given: AtomicU64,
    notify: Notify,
}

/// Who waits for a signal.
#[derive(Debug)]
pub(crate) struct Listener {
    signal: Signal,
    heard: u64,
}

impl Signal {
    pub(crate) fn give(&self) {
        self.0.given.fetch_add(1, Ordering::SeqCst);
        self.0.notify.notify_waiters();
    }

    /// Hears what is given from now on.
    pub(crate) fn listen(&self) -> Listener {
        Listener { signal: self.clone(), heard: self.given() }
    }

    fn given(&self) -> u64 {
        self.0.given.load(Ordering::SeqCst)
    }
}

impl Listener {
    /// What was given so far needs not be told.
    pub(crate) fn mark_heard(&mut self) {
        self.heard = self.signal.given();
    }

    /// Resolves when the signal is given, or was since this was asked last.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(crate) async fn given(&mut self) {
        loop {
            // Made before the look: it hears all waking from here on.
            let woken = self.signal.0.notify.notified();
            let given = self.signal.given();
            if given != self.heard {
                self.heard = given;
                return;
            }
            woken.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn all_are_woken_in_the_order_in_which_they_began_to_wait() {
        let (signal, woken) = (Signal::default(), Arc::new(Mutex::new(Vec::new())));
        for number in 0..50 {
            let (mut listener, woken) = (signal.listen(), woken.clone());
            tokio::spawn(async move {
                listener.given().await;
                woken.lock().unwrap().push(number);
            });
        }
        tokio::task::yield_now().await;
        signal.give();
        tokio::task::yield_now().await;
        assert_eq!(*woken.lock().unwrap(), (0..50).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn what_was_given_before_the_wait_is_heard_once() {
        let signal = Signal::default();
        let mut listener = signal.listen();
        signal.give();
        listener.given().await;
        assert!(futures::poll!(std::pin::pin!(listener.given())).is_pending());
        signal.give();
        listener.mark_heard();
        assert!(futures::poll!(std::pin::pin!(listener.given())).is_pending());
    }
}
