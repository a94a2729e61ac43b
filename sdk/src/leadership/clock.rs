//! The clocks that leadership is measured by.
//!
//! Terms end by a clock that runs on while the machine sleeps. tokio's timers do not, so no deadline of a term is ever a
//! bare `sleep`: whoever waits for one wakes up now and then and reads this clock again.
//!
//! That clock stands still while a hypervisor has paused, saved or moved the whole machine. The wall clock is set right after
//! that, so a term ends by whichever of the two says more has passed. A step of the wall clock forward costs a term, one
//! backward nothing. How long others are waited for goes by the first clock alone: too long is safe there.

use std::ops::{Add, Sub};
use std::sync::Arc;
use std::time::Duration;

use rustix::time::ClockId;

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

/// What both clocks said at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// By the clock that runs on during suspend.
    pub clock: Moment,
    /// By the wall clock.
    pub wall: Moment,
}

/// Reads the time. Cheap to clone; all clones tell the same time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Reading + Send + Sync>);

impl Clock {
    /// The machine's boot clock, `CLOCK_BOOTTIME`, which runs on during suspend (on systems without it: the monotonic
    /// clock), beside its wall clock.
    #[must_use]
    pub fn boot() -> Self {
        Self(Arc::new(|| Reading { clock: boot_time(), wall: Moment(read(ClockId::Realtime)) }))
    }

    /// A clock of the caller's own, for tests. Its wall clock never disagrees.
    pub fn from_fn(now: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self::from_both(move || {
            let now = now();
            Reading { clock: now, wall: now }
        })
    }

    /// Two clocks of the caller's own, for tests.
    pub fn from_both(read: impl Fn() -> Reading + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
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
        self.read().clock
    }

    /// What both clocks say now.
    #[must_use]
    pub fn read(&self) -> Reading {
        (self.0)()
    }
}

impl Reading {
    /// Whether `end` has come, by either clock.
    #[must_use]
    pub fn is_past(self, end: Self) -> bool {
        self.clock >= end.clock || self.wall >= end.wall
    }

    /// How long until `end` comes by either clock, if both go on as they do; zero if it has come.
    #[must_use]
    pub fn until(self, end: Self) -> Duration {
        end.clock.since(self.clock).min(end.wall.since(self.wall))
    }
}

impl Add<Duration> for Reading {
    type Output = Self;
    fn add(self, wait: Duration) -> Self {
        Self { clock: self.clock + wait, wall: self.wall + wait }
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

fn boot_time() -> Moment {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let id = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let id = ClockId::Monotonic;
    Moment(read(id))
}

fn read(id: ClockId) -> Duration {
    let time = rustix::time::clock_gettime(id);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}
