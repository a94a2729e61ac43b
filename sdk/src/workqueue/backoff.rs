//! How long a key that failed waits.

use std::time::Duration;

/// Exponential backoff with jitter and a cap: twice as long after each failure.
///
/// The wait after the nth failure in a row is between half and the whole of `base * 2^(n-1)`, and of `max` at most: objects
/// that failed together come back apart. (client-go's has no jitter.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure, before jitter.
    pub base: Duration,
    /// No wait is longer.
    pub max: Duration,
}

impl Backoff {
    /// How long to wait after the `failures`th failure in a row (counted from 1).
    #[must_use]
    pub fn delay(&self, failures: u32, random: &mut fastrand::Rng) -> Duration {
        let Self { base, max } = *self;
        let doublings = failures.saturating_sub(1);
        let factor = 1u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let full = base.saturating_mul(factor).min(max);
        // Halving a duration never overflows, and the sum is `full` at most.
        full / 2 + (full / 2).mul_f64(random.f64())
    }
}

impl Default for Backoff {
    /// 5 ms, doubled up to 1,000 s: client-go's default.
    fn default() -> Self {
        Self { base: Duration::from_millis(5), max: Duration::from_secs(1000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { base: Duration::from_secs(1), max: Duration::from_secs(60) };

    #[test]
    fn a_wait_is_between_half_and_the_whole_of_twice_the_last_one() {
        let mut random = fastrand::Rng::with_seed(7);
        for (failures, whole) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32)] {
            for _ in 0..100 {
                let delay = BACKOFF.delay(failures, &mut random);
                let whole = Duration::from_secs(whole);
                assert!(delay >= whole / 2 && delay <= whole, "{delay:?} after {failures} failures");
            }
        }
    }

    #[test]
    fn no_wait_is_longer_than_the_cap_however_often_it_failed() {
        let mut random = fastrand::Rng::with_seed(7);
        for failures in [7, 8, 31, 32, 33, 34, 64, 1000, u32::MAX] {
            let delay = BACKOFF.delay(failures, &mut random);
            assert!(delay >= BACKOFF.max / 2 && delay <= BACKOFF.max, "{delay:?} after {failures} failures");
        }
    }

    #[test]
    fn keys_that_fail_together_come_back_apart() {
        let mut random = fastrand::Rng::with_seed(7);
        let delays: std::collections::HashSet<_> = (0..100).map(|_| BACKOFF.delay(3, &mut random)).collect();
        assert!(delays.len() > 90, "{} different waits of 100", delays.len());
    }

    #[test]
    fn the_longest_durations_do_not_overflow() {
        let endless = Backoff { base: Duration::MAX, max: Duration::MAX };
        assert!(endless.delay(u32::MAX, &mut fastrand::Rng::with_seed(7)) <= Duration::MAX);
    }
}
