//! One queue, shared.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::failures::{Failures, Told};
use super::queue::{Ended, Queue, Taken};
use super::{Backoff, Failure, Key, Priority, Trigger};
use crate::leadership::clock::Clock;
use crate::metrics::ControllerMetrics;

/// A period is stretched or shortened by up to a tenth, so that objects that were listed together spread out.
const PERIOD_JITTER: f64 = 0.1;

/// The queue of one controller. Cheap to clone; clones are the same queue. Closed until [`WorkQueue::open`]; made for one
/// [`Worker`](super::Worker) at a time.
#[derive(Clone)]
pub struct WorkQueue(Arc<Shared>);

struct Shared {
    clock: Clock,
    metrics: ControllerMetrics,
    state: Mutex<State>,
    /// Something may be due earlier than the worker knows.
    sooner: Notify,
}

struct State {
    open: bool,
    queue: Queue,
    failures: Failures,
    random: fastrand::Rng,
}

/// How much there is to do, what is done now, and what goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueState {
    /// How many keys are due and wait for a worker.
    pub due: usize,
    /// How many keys come later: retries, and what was asked to come again.
    pub scheduled: usize,
    /// What is worked on and for how long, the longest first.
    pub in_work: Vec<(Key, Duration)>,
    /// How many keys failed the last time.
    pub failing: usize,
    /// Those of them that failed last, the newest first. Not all, if there are many.
    pub failures: Vec<Failure>,
}

/// When a key that succeeded comes again without a change.
#[derive(Clone, Copy, Debug)]
pub(super) enum Again {
    /// Exactly then.
    After(Duration),
    /// About then: the resync period.
    About(Duration),
}

// === impl WorkQueue ===

impl WorkQueue {
    /// A closed, empty queue. `clock` is the one that every due time is measured by.
    #[must_use]
    pub fn new(clock: Clock, metrics: ControllerMetrics) -> Self {
        let (queue, failures, random) = (Queue::default(), Failures::default(), fastrand::Rng::new());
        let state = State { open: false, queue, failures, random };
        Self(Arc::new(Shared { clock, metrics, state: Mutex::new(state), sooner: Notify::new() }))
    }

    /// Lets keys in from now on.
    pub fn open(&self) {
        self.lock().open = true;
    }

    /// Empties the queue; keys that come while it is closed are dropped. Those being worked on stay out until they are done,
    /// also if the queue is opened again meanwhile.
    pub fn close(&self) {
        let mut state = self.lock();
        state.open = false;
        state.queue.clear();
        state.failures.clear();
        self.measure(&mut state);
    }

    /// Puts a key in, due now.
    pub fn add(&self, key: Key, trigger: Trigger, priority: Priority) {
        self.add_after(key, trigger, priority, Duration::ZERO);
    }

    /// Puts a key in, due after `delay`.
    pub fn add_after(&self, key: Key, trigger: Trigger, priority: Priority, delay: Duration) {
        let mut state = self.lock();
        self.put(&mut state, key, trigger, priority, delay);
        self.measure(&mut state);
    }

    /// How many keys are due and wait for a worker.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.lock().queue.depth(self.now())
    }

    /// The key that has been worked on for longest, and for how long.
    #[must_use]
    pub fn longest_running(&self) -> Option<(Key, Duration)> {
        let state = self.lock();
        state.queue.longest_running(self.now()).map(|(key, time)| (key.clone(), time))
    }

    /// All of it, for people. O(n) in what is queued.
    #[must_use]
    pub fn state(&self) -> QueueState {
        let mut state = self.lock();
        let now = self.now();
        let due = state.queue.depth(now);
        QueueState {
            due,
            scheduled: state.queue.scheduled(),
            in_work: state.queue.in_work(now),
            failing: state.queue.failing(),
            failures: state.failures.newest_first(),
        }
    }

    /// Tells the metrics what changes with time alone.
    pub fn tell(&self) {
        let mut state = self.lock();
        let now = self.now();
        let longest = state.queue.longest_running(now).map(|(_, time)| time).unwrap_or_default();
        self.metrics().running(state.queue.unfinished(now), longest);
        self.measure(&mut state);
    }

    /// The clock that due times are measured by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// What this queue counts into.
    #[must_use]
    pub fn metrics(&self) -> &ControllerMetrics {
        &self.0.metrics
    }

    /// Whether a key could be handed out now.
    pub(super) fn is_due(&self) -> bool {
        self.lock().queue.next_due().is_some_and(|due| due <= self.now())
    }

    /// Resolves when a key can be handed out. Sleeps until the next one is due, and not at all if there is none: an idle
    /// queue costs nothing. After a suspend the sleep is late by as long, because tokio's timers stood still.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn due(&self) {
        loop {
            // Notify keeps a permit, so that nothing is missed between the look and the wait.
            let next = self.lock().queue.next_due();
            let now = self.now();
            match next {
                Some(due) if due <= now => return,
                Some(due) => tokio::select! {
                    biased;
                    () = self.0.sooner.notified() => {}
                    () = tokio::time::sleep(due.since(now)) => {}
                },
                None => self.0.sooner.notified().await,
            }
        }
    }

    pub(super) fn take(&self) -> Option<Taken> {
        let mut state = self.lock();
        let taken = state.queue.take(self.now())?;
        self.measure(&mut state);
        self.metrics().waited(taken.waited);
        Some(taken)
    }

    pub(super) fn succeeded(&self, taken: &Taken, again: Option<Again>) {
        let mut state = self.lock();
        if state.queue.finish(&taken.key, Ended::Succeeded).is_some() {
            state.failures.mended(&taken.key);
            let key = taken.key.clone();
            match again {
                Some(Again::After(delay)) => self.put(&mut state, key, Trigger::Requeued, taken.priority, delay),
                Some(Again::About(period)) => {
                    let delay = period.mul_f64(1.0 + PERIOD_JITTER * state.random.f64().mul_add(2.0, -1.0));
                    self.put(&mut state, key, Trigger::Resynced, Priority::Background, delay);
                }
                None => {}
            }
        }
        self.finished(&mut state);
    }

    /// With a backoff the key comes again; returns when.
    pub(super) fn failed(&self, taken: &Taken, backoff: Option<&Backoff>, told: Told) -> Option<Duration> {
        let mut state = self.lock();
        let tries = state.queue.finish(&taken.key, Ended::Failed).filter(|_| state.open);
        let delay = tries.zip(backoff).map(|(tries, backoff)| {
            let delay = backoff.delay(tries, &mut state.random);
            self.put(&mut state, taken.key.clone(), Trigger::Retried, taken.priority, delay);
            self.metrics().retried();
            delay
        });
        if let Some(tries) = tries {
            let (key, at, Told { error, missing_rule }) = (taken.key.clone(), self.now(), told);
            let next_try = delay.map(|delay| at + delay);
            state.failures.failed(Failure { key, error, missing_rule, tries, at, next_try });
        }
        self.finished(&mut state);
        delay
    }

    /// The work on the key was broken off.
    pub(super) fn dropped(&self, taken: &Taken) {
        let mut state = self.lock();
        state.queue.finish(&taken.key, Ended::Dropped);
        self.finished(&mut state);
    }

    fn put(&self, state: &mut State, key: Key, trigger: Trigger, priority: Priority, delay: Duration) {
        if !state.open {
            return;
        }
        let before = state.queue.next_due();
        state.queue.add(key, trigger, priority, self.now() + delay);
        if state.queue.next_due() != before {
            self.0.sooner.notify_one();
        }
    }

    /// A key that came again while it was worked on may be due now.
    fn finished(&self, state: &mut State) {
        self.measure(state);
        self.0.sooner.notify_one();
    }

    fn measure(&self, state: &mut State) {
        self.metrics().depth(state.queue.depth(self.now()));
        self.metrics().added(state.queue.take_became_due());
    }

    fn now(&self) -> crate::leadership::clock::Moment {
        self.0.clock.now()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for WorkQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkQueue").field("controller", &self.metrics().name()).finish_non_exhaustive()
    }
}
