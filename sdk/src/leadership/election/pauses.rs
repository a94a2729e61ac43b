//! When this candidate may stand again after a term.

use std::time::Duration;

use super::options::ElectionOptions;
use crate::leadership::clock::Moment;

/// How the terms of this process went.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pauses {
    pub(crate) began: Moment,
    /// Terms in a row that lasted for less than a lease, counted until the pause is the longest.
    pub(crate) short: u32,
    /// Not to stand before this instant.
    pub(crate) until: Moment,
}

impl Pauses {
    pub(crate) const fn began(&mut self, now: Moment) {
        self.began = now;
    }

    /// After a term that lasted, and after the first one that did not, it stands at once. After each further one it pauses twice
    /// as long, for a lease at most: whatever ends its terms may not end another's.
    pub(crate) fn ended(&mut self, now: Moment, options: &ElectionOptions) {
        if now.since(self.began) >= options.lease_duration {
            self.short = 0;
            return;
        }
        let pause = self.short.checked_sub(1).map_or(Duration::ZERO, |doublings| {
            options.retry_period.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
        });
        self.until = now + pause.min(options.lease_duration);
        if pause < options.lease_duration {
            self.short += 1;
        }
    }

    /// After it has stepped down others go first. If there are none it stands again when the lock, if it could not be given
    /// back, has run out for them too.
    pub(crate) fn stepped_down(&mut self, now: Moment, options: &ElectionOptions) {
        self.until = now + options.lease_duration + options.retry_period;
    }
}
