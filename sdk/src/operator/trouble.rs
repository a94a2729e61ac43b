//! Trouble that lasts, told of now and then.

use std::time::Duration;

use tokio::time::Instant;

const TOLD_EVERY: Duration = Duration::from_secs(60);

/// When trouble was told of the last time.
#[derive(Debug, Default)]
pub(super) struct Trouble(Option<Instant>);

impl Trouble {
    /// Whether it is to be told of now: at first, and then once a minute.
    pub(super) fn is_news(&mut self) -> bool {
        let news = self.0.is_none_or(|told| told.elapsed() >= TOLD_EVERY);
        if news {
            self.0 = Some(Instant::now());
        }
        news
    }

    /// Whether there was any.
    pub(super) const fn was_there(&self) -> bool {
        self.0.is_some()
    }
}
