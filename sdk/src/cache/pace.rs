//! How soon a watch is opened again. Pure.

use std::time::Duration;

use crate::workqueue::Backoff;

/// No watch is opened more often, whatever the server does: kube-runtime's watcher reopens without a pause.
const REOPEN: Duration = Duration::from_secs(1);

/// What lasted so long was a watch; what did not, waits longer each time. Short enough that a proxy which cuts connections
/// every few seconds does not make the cache blind.
const HEALTHY: Duration = Duration::from_secs(5);

/// The cap decides how late the cache notices that a server is back.
const BACKOFF: Backoff = Backoff { base: REOPEN, max: Duration::from_secs(10) };

/// Counts the tries in a row that ended soon.
#[derive(Debug)]
pub(super) struct Pace {
    short: u32,
    random: fastrand::Rng,
}

impl Pace {
    pub(super) fn new(random: fastrand::Rng) -> Self {
        Self { short: 0, random }
    }

    /// How long to wait after a try that ended `lived` after it was made.
    pub(super) fn wait(&mut self, lived: Duration) -> Duration {
        if lived >= HEALTHY {
            self.short = 0;
            return Duration::ZERO;
        }
        self.short = self.short.saturating_add(1);
        BACKOFF.delay(self.short, &mut self.random).max(REOPEN.saturating_sub(lived))
    }

    /// How long to wait for the list after a try that ended so, because its version was too old: that is what happens to
    /// every watch when the API server restarts, and no reason to be late.
    pub(super) fn wait_to_list(&mut self, lived: Duration) -> Duration {
        if lived >= HEALTHY {
            self.short = 0;
        }
        REOPEN.saturating_sub(lived)
    }

    /// Tries in a row that ended soon.
    pub(super) fn short(&self) -> u32 {
        self.short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace::new(fastrand::Rng::with_seed(7))
    }

    #[test]
    fn a_watch_that_lasted_is_reopened_at_once() {
        assert_eq!(pace().wait(Duration::from_secs(290)), Duration::ZERO);
    }

    #[test]
    fn whatever_ends_at_once_waits_a_second_at_least_ever_longer_and_ten_at_most() {
        let mut pace = pace();
        let waits: Vec<_> = (0..20).map(|_| pace.wait(Duration::ZERO)).collect();
        assert!(waits.iter().all(|wait| *wait >= REOPEN && *wait <= BACKOFF.max), "{waits:?}");
        assert!(waits[0] == REOPEN && waits[2] >= 2 * REOPEN && waits[10] >= 5 * REOPEN, "{waits:?}");
    }

    #[test]
    fn time_that_it_lived_counts_for_the_second() {
        let (mut pace, lived) = (pace(), Duration::from_millis(900));
        assert!(pace.wait(lived) + lived >= REOPEN);
    }

    #[test]
    fn one_that_lasted_forgets_the_short_ones() {
        let mut pace = pace();
        for _ in 0..10 {
            pace.wait(Duration::ZERO);
        }
        pace.wait(HEALTHY);
        assert_eq!(pace.short(), 0);
        assert_eq!(pace.wait(Duration::ZERO), REOPEN);
        assert_eq!(pace.wait_to_list(HEALTHY), Duration::ZERO);
        assert_eq!(pace.short(), 0);
    }
}
