//! Signs of life of the elector, for health checks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The elector's loop wakes up every few seconds; it is stuck if it has not for this long.
const SHORTEST_LIMIT: Duration = Duration::from_secs(15);
/// ... or for this many lease durations, if that is longer.
const LEASES: u32 = 3;

/// Tells whether the elector is alive and what it has seen. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pulse {
    state: Arc<Mutex<State>>,
    limit: Duration,
}

#[derive(Debug)]
struct State {
    /// On tokio's clock, which is monotonic: a machine that was suspended has not been stuck.
    moved: Instant,
    read: bool,
    watched: bool,
    leader: Option<String>,
}

impl Pulse {
    pub(super) fn new(lease: Duration) -> Self {
        let state = State { moved: Instant::now(), read: false, watched: false, leader: None };
        Self { state: Arc::new(Mutex::new(state)), limit: SHORTEST_LIMIT.max(lease.saturating_mul(LEASES)) }
    }

    /// How long the elector has not moved, if that is too long.
    #[must_use]
    pub fn stuck_for(&self) -> Option<Duration> {
        Some(self.lock().moved.elapsed()).filter(|still| *still > self.limit)
    }

    /// Whether the lock has been read and watched once: it exists or can be created, and this identity has the rights.
    #[must_use]
    pub fn has_seen_lock(&self) -> bool {
        let state = self.lock();
        state.read && state.watched
    }

    /// Who holds the lock, by the newest record known.
    #[must_use]
    pub fn leader(&self) -> Option<String> {
        self.lock().leader.clone()
    }

    pub(super) fn beat(&self, leader: Option<&str>) {
        let mut state = self.lock();
        state.moved = Instant::now();
        if state.leader.as_deref() != leader {
            state.leader = leader.map(str::to_owned);
        }
    }

    pub(super) fn was_read(&self) {
        self.lock().read = true;
    }

    pub(super) fn was_watched(&self) {
        self.lock().watched = true;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
