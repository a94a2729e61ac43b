//! The clock that leadership is measured by.
//!
//! Terms end by a clock that runs on while the machine sleeps. tokio's timers do not, so no deadline of a term is ever a
//! bare `sleep`: whoever waits for one wakes up now and then and reads this clock again.

use std::ops::{Add, Sub};
use std::sync::Arc;
use std::time::Duration;

/// An instant on a [`Clock`]: the time since that clock's own zero, which means nothing outside of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Duration);

impl Moment {
    /// The instant that is `since_zero` after the clock's zero.
    #[must_use]
    pub const fn new(since_zero: Duration) -> Self {
        Self(since_zero)
    }

    /// How long `earlier` lies before this instant; zero if it lies after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;
    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;
    fn sub(self, wait: Duration) -> Self {
        Self(self.0.saturating_sub(wait))
    }
}

/// Reads the time. Cheap to clone; all clones tell the same time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Moment + Send + Sync>);

impl Clock {
    /// The machine's boot clock, `CLOCK_BOOTTIME`, which runs on during suspend (on systems without it: the monotonic
    /// clock).
    #[must_use]
    pub fn boot() -> Self {
        Self(Arc::new(boot_time))
    }

    /// A clock of the caller's own, for tests.
    pub fn from_fn(now: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// tokio's clock, which a test may pause and advance.
    #[must_use]
    pub fn tokio() -> Self {
        let zero = tokio::time::Instant::now();
        Self::from_fn(move || Moment(zero.elapsed()))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Moment {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

fn boot_time() -> Moment {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let id = rustix::time::ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let id = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(id);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Moment(Duration::new(seconds, nanos))
}
