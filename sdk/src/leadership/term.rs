//! Terms: all that the rest of the program may know of leadership.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::clock::{Clock, Moment, Reading};
use super::election::EndReason;
use super::writes::Writes;

/// Waits for a term's validity read the clock at least this often, because tokio's timers stand still during suspend.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// One unbroken stretch of leadership. Cheap to clone; a clone that outlives the term expires by itself.
#[derive(Clone)]
pub struct Term(Arc<Shared>);

/// The elector's side of a [`Term`]: extends, drains and ends it.
#[must_use = "a term that nobody extends runs out"]
pub struct TermControl(Arc<Shared>);

/// Says that work of a term is still going on. While one exists the lock is neither released nor stood for again.
#[must_use = "the work counts as ended when the guard is dropped"]
pub struct WorkGuard(Arc<Shared>);

/// Says that a write of a term is on its way. One that is dropped without an answer may have been committed, or may still be.
#[must_use = "a write without an answer keeps the lock from being released"]
pub(super) struct WriteGuard {
    term: Arc<Shared>,
    answered: bool,
}

/// What this process is at the moment.
#[derive(Clone, Debug)]
pub enum LeadershipState {
    /// Somebody else leads, or nobody; `leader` is the identity that the lock names, as far as it is known.
    Standby {
        /// Identity in the newest lock record, if there is one that names somebody.
        leader: Option<String>,
    },
    /// This process leads.
    Leading(Term),
}

struct Shared {
    id: u64,
    identity: String,
    fencing_token: Option<String>,
    clock: Clock,
    began: Moment,
    state: Mutex<State>,
    /// Somebody has asked it to step down.
    asked: CancellationToken,
    draining: CancellationToken,
    ended: CancellationToken,
    /// How many [`WorkGuard`]s there are.
    work: watch::Sender<usize>,
}

struct State {
    /// `None`: for ever.
    valid_until: Option<Reading>,
    /// Why it is to step down.
    step_down: Option<String>,
    end: Option<EndReason>,
    writes: Writes,
}

// === impl Term ===

impl Term {
    /// A term that never ends by itself: without leader election a process has one, as long as it runs.
    pub fn unending(identity: impl Into<String>) -> (TermControl, Self) {
        Self::new(1, identity.into(), None, Clock::boot(), None)
    }

    /// A term that lasts until its lock is lost or given back.
    pub(crate) fn for_life(id: u64, identity: String, fencing_token: String, clock: Clock) -> (TermControl, Self) {
        Self::new(id, identity, Some(fencing_token), clock, None)
    }

    /// A term that is valid strictly before `valid_until`, by either clock.
    pub(crate) fn until(
        id: u64,
        identity: String,
        fencing_token: Option<String>,
        clock: Clock,
        valid_until: Reading,
    ) -> (TermControl, Self) {
        Self::new(id, identity, fencing_token, clock, Some(valid_until))
    }

    fn new(
        id: u64,
        identity: String,
        fencing_token: Option<String>,
        clock: Clock,
        valid_until: Option<Reading>,
    ) -> (TermControl, Self) {
        let shared = Arc::new(Shared {
            id,
            identity,
            fencing_token,
            began: clock.now(),
            clock,
            state: Mutex::new(State { valid_until, step_down: None, end: None, writes: Writes::default() }),
            asked: CancellationToken::new(),
            draining: CancellationToken::new(),
            ended: CancellationToken::new(),
            work: watch::Sender::new(0),
        });
        (TermControl(shared.clone()), Self(shared))
    }

    /// Number of this term in this process, from 1.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The identity that leads: what the lock names as its holder.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.0.identity
    }

    /// The lock's resourceVersion at the acquisition: grows from term to term, whoever leads. For effects outside
    /// Kubernetes. `None` without leader election.
    #[must_use]
    pub fn fencing_token(&self) -> Option<&str> {
        self.0.fencing_token.as_deref()
    }

    /// How long ago it began.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.0.clock.now().since(self.0.began)
    }

    /// Whether this process may act at this very moment: reads both clocks.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.0.is_valid()
    }

    /// Whether no new work is to be begun, because the term is over or is being handed over.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled() || !self.is_valid()
    }

    /// Resolves when no new work is to be begun. Running work may go on until [`Term::ended`].
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn draining(&self) {
        tokio::select! {
            () = self.0.draining.cancelled() => {}
            () = self.ended() => {}
        }
    }

    /// Resolves when the term is over: ended by the elector, or no longer valid by the clock.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn ended(&self) {
        while self.is_valid() {
            tokio::select! {
                () = self.0.ended.cancelled() => return,
                () = tokio::time::sleep(self.0.longest_sleep()) => {}
            }
        }
    }

    /// Why it ended, if somebody has said so: a term may be over by the clock before.
    #[must_use]
    pub fn end_reason(&self) -> Option<EndReason> {
        self.0.lock().end.clone()
    }

    /// Asks to end this term and to let another replica lead: no new work is begun, and running work may go on for as long as at a
    /// stop, while the lock is renewed. Then the lock is given back, and this process stands again after a pause of a lease
    /// duration and a retry period, if no other leads by then. [`Term::ended`] tells when the term is over.
    ///
    /// `false`: there is nothing to step down from. The term is over or being handed over, or it is one without an election.
    pub fn step_down(&self, reason: impl Into<String>) -> bool {
        let mut state = self.0.lock();
        let elected = state.valid_until.is_some() || self.0.fencing_token.is_some();
        if !elected || self.0.draining.is_cancelled() || !self.0.valid_in(&state) {
            return false;
        }
        state.step_down.get_or_insert_with(|| reason.into());
        self.0.asked.cancel();
        true
    }

    /// Does `work` as long as the term is valid, which is asked before each poll. `None` once it is not. It does not wake up by
    /// itself at the end of the term: [`Term::ended`] does.
    ///
    /// # Cancel safety
    /// As `work`.
    pub async fn while_valid<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|cx| match self.is_valid() {
            true => work.as_mut().poll(cx).map(Some),
            false => Poll::Ready(None),
        })
        .await
    }

    /// Begins work of this term: `None` if no new work is to be begun. While the guard lives the lock is not released, and
    /// not stood for again.
    #[must_use]
    pub fn begin_work(&self) -> Option<WorkGuard> {
        let state = self.0.lock();
        if self.0.draining.is_cancelled() || !self.0.valid_in(&state) {
            return None;
        }
        self.0.work.send_modify(|count| *count += 1);
        drop(state);
        Some(WorkGuard(self.0.clone()))
    }

    /// Begins a write of this term: `None` if the term is over.
    pub(super) fn begin_write(&self) -> Option<WriteGuard> {
        let mut state = self.0.lock();
        if !self.0.valid_in(&state) {
            return None;
        }
        state.writes.begun();
        drop(state);
        Some(WriteGuard { term: self.0.clone(), answered: false })
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Term")
            .field("id", &self.id())
            .field("identity", &self.identity())
            .field("valid", &self.is_valid())
            .finish_non_exhaustive()
    }
}

// === impl TermControl ===

impl TermControl {
    /// Moves the end of the term's validity; never back, and not once it is over: who has seen that has stopped working.
    pub(crate) fn extend(&self, valid_until: Reading) {
        let mut state = self.0.lock();
        if self.0.valid_in(&state) {
            // By the clock that is never set: the wall clock may have been set back since.
            state.valid_until =
                state.valid_until.map(|old| if valid_until.clock > old.clock { valid_until } else { old });
        }
    }

    /// No new work from now on.
    pub fn drain(&self) {
        let _ordered_with_begin_work = self.0.lock();
        self.0.draining.cancel();
    }

    /// Resolves when somebody has asked to step down, with the reason.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(super) async fn asked_to_step_down(&self) -> String {
        self.0.asked.cancelled().await;
        self.0.lock().step_down.clone().unwrap_or_default()
    }

    /// Ends the term: the first reason is the one that counts.
    pub fn end(&self, reason: EndReason) {
        let mut state = self.0.lock();
        state.end.get_or_insert(reason);
        self.0.draining.cancel();
        self.0.ended.cancel();
    }

    /// When the newest write without an answer was on its way the last time: now, if one is. Only final once the term has
    /// ended.
    pub(super) fn unanswered(&self) -> Option<Moment> {
        self.0.lock().writes.unanswered(self.0.clock.now())
    }

    /// How much work is going on, for those who outlive the term.
    pub(super) fn work(&self) -> watch::Receiver<usize> {
        self.0.work.subscribe()
    }

    /// Whether no work is going on at this moment.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        *self.0.work.borrow() == 0
    }

    /// Resolves when no work of the term is going on. Only final once the term drains.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn idle(&self) {
        let mut work = self.0.work.subscribe();
        // The sender lives in `self`, so that this can't fail.
        let _sender_lives = work.wait_for(|count| *count == 0).await;
    }
}

impl fmt::Debug for TermControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TermControl").field(&self.0.id).finish()
    }
}

impl Drop for WorkGuard {
    fn drop(&mut self) {
        self.0.work.send_modify(|count| *count -= 1);
    }
}

impl fmt::Debug for WorkGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WorkGuard").field(&self.0.id).finish()
    }
}

impl WriteGuard {
    /// The server has said whether it was committed.
    pub(super) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for WriteGuard {
    fn drop(&mut self) {
        let mut state = self.term.lock();
        if self.answered {
            state.writes.answered();
        } else {
            state.writes.given_up(self.term.clock.now());
        }
    }
}

// === impl Shared ===

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_valid(&self) -> bool {
        self.valid_in(&self.lock())
    }

    fn valid_in(&self, state: &State) -> bool {
        state.end.is_none() && state.valid_until.is_none_or(|end| !self.clock.read().is_past(end))
    }

    fn longest_sleep(&self) -> Duration {
        let left = self.lock().valid_until.map(|end| self.clock.read().until(end));
        left.map_or(LONGEST_SLEEP, |left| left.min(LONGEST_SLEEP))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term() -> (TermControl, Term) {
        let clock = Clock::tokio();
        let valid_until = clock.read() + Duration::from_secs(10);
        Term::until(1, "me".to_owned(), None, clock, valid_until)
    }

    #[tokio::test(start_paused = true)]
    async fn a_term_is_valid_strictly_before_its_end() {
        let (_control, term) = term();
        tokio::time::advance(Duration::from_millis(9_999)).await;
        assert!(term.is_valid());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!term.is_valid() && term.is_draining() && term.begin_work().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_term_that_was_over_never_goes_on() {
        let (control, term) = term();
        let start = Clock::tokio().read();
        let later = |seconds| start + Duration::from_secs(seconds);
        control.extend(later(20));
        control.extend(later(15));
        tokio::time::advance(Duration::from_secs(19)).await;
        assert!(term.is_valid(), "and its end is never moved back");
        tokio::time::advance(Duration::from_secs(1)).await;
        control.extend(later(100));
        assert!(!term.is_valid());
    }

    #[tokio::test(start_paused = true)]
    async fn a_term_that_drains_lets_running_work_go_on_and_begins_none() {
        let (control, term) = term();
        let work = term.begin_work();
        control.drain();
        assert!(term.is_valid() && !control.is_idle());
        assert!(term.begin_work().is_none());
        drop(work);
        control.idle().await;
    }
}
