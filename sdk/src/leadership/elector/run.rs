//! One run of an elector: what happens is told to the election, and what that decides is carried out.

use std::future::pending;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::calls::{Answer, Calls, READING};
use super::{Elector, ElectorError};
use crate::leadership::announce::Herald;
use crate::leadership::clock::{Moment, Reading};
use crate::leadership::election::{Effect, Election, ElectionOptions, EndReason, Input, Now, Observation, Stamp};
use crate::leadership::history::Seen;
use crate::leadership::lock::{Lock, LockError};
use crate::leadership::seat::{Overdue, Seat};
use crate::leadership::sends::Sends;
use crate::leadership::term::Term;
use crate::leadership::watcher::{self, News};
use crate::process::own;

/// tokio's timers stand still while the machine sleeps, so the clock is read at least this often during a term.
const LONGEST_SLEEP_LEADING: Duration = Duration::from_millis(500);
/// A standby has nothing to do between events of its watch; it wakes up to show that it is alive.
const LONGEST_SLEEP_STANDBY: Duration = Duration::from_secs(5);
/// A lock that has been free for this long could not be taken.
const GRACE: Duration = Duration::from_secs(5);
const WATCHING: &str = "watching the lock";
/// A holder that makes others wait for more than this many lease durations of ours is worth a line.
const LONG_WAIT: u32 = 10;
/// Events that the watch is ahead of the elector.
const NEWS_WAITING: usize = 16;

/// The state of a run.
pub(super) struct Run {
    election: Election,
    options: ElectionOptions,
    lock: Arc<dyn Lock>,
    seat: Seat,
    calls: Calls,
    /// The one task that keeps the watch open.
    watch: JoinSet<()>,
    tell: mpsc::Sender<News<Observation>>,
    sends: Sends,
    /// Since when this process would lead.
    stands_since: Option<Moment>,
    finished: bool,
}

impl Run {
    pub(super) fn new(elector: Elector) -> (Self, Herald, mpsc::Receiver<News<Observation>>) {
        let Elector { options, lock, clock, announcer, herald, state, pulse, ping, history } = elector;
        let (tell, news) = mpsc::channel(NEWS_WAITING);
        let election = Election::new(options.clone());
        let calls = Calls::new(lock.clone(), options.call_timeout(), options.renew_deadline);
        let run = Self {
            election,
            options,
            lock,
            seat: Seat::new(clock, announcer, state, pulse, history, ping),
            calls,
            watch: JoinSet::new(),
            tell,
            sends: Sends::default(),
            stands_since: None,
            finished: false,
        };
        (run, herald, news)
    }

    pub(super) async fn conduct(
        mut self,
        ready: impl Future<Output = ()> + Send,
        stop: CancellationToken,
        patience: Duration,
        mut news: mpsc::Receiver<News<Observation>>,
    ) -> Result<(), ElectorError> {
        let mut ready = pin!(ready);
        let (mut stands, mut stops, mut overdue) = (false, false, None);
        let mut input = Input::Woken;
        self.open_watch();
        loop {
            self.step(input);
            if self.finished {
                return Ok(());
            }
            if let Some(Overdue { term, seconds }) = self.seat.overdue(self.options.lease_duration) {
                return Err(ElectorError::WorkGoesOn { term, seconds });
            }
            let wait = self.longest_sleep();
            let Self { calls, seat, watch, .. } = &mut self;
            input = tokio::select! {
                biased;
                () = stop.cancelled(), if !stops => {
                    stops = true;
                    overdue = Instant::now().checked_add(patience);
                    Input::Stop
                }
                () = until(overdue) => {
                    overdue = None;
                    Input::DrainOverdue
                }
                reason = seat.asked_to_step_down(), if !stops => {
                    overdue = Instant::now().checked_add(patience);
                    Input::StepDown(reason)
                }
                answer = calls.next() => self.report(answer),
                Some(told) = news.recv() => self.watched(told),
                // It ends by itself only in a panic, which is this task's too.
                Some(Err(broken)) = watch.join_next() => match broken.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    Err(_) => Input::Watching(false),
                },
                () = seat.work_ended() => Input::WorkEnded { unanswered: seat.work_has_ended() },
                () = &mut ready, if !stands => {
                    stands = true;
                    self.stands_since = Some(self.seat.clock.now());
                    Input::Stand
                }
                () = sleep(wait) => Input::Woken,
            };
        }
    }

    /// Reads the clock, then lets the election look at what came.
    fn step(&mut self, input: Input) {
        let now = self.seat.clock.read();
        let slow = self.election.slow_renewals();
        let refused = input == Input::Conflict;
        self.decide(now, input);
        if let Some(blocked) = self.seat.blocked() {
            self.decide(now, Input::Blocked(blocked));
        }
        // By either clock: the election knows only one.
        if self.election.leads() && !self.seat.reign().is_some_and(|reign| reign.term().is_valid()) {
            self.decide(self.seat.clock.read(), Input::RanOut);
        }
        if !self.election.awaits_answer() {
            self.calls.leave();
        }
        if refused {
            // The lock had moved on, and the watch may not have told: it may be cut off without knowing.
            self.open_watch();
        }
        if self.election.slow_renewals() > slow {
            self.seat.announcer.slow_renewal();
        }
        let holder = self.election.holder().map(str::to_owned);
        self.seat.saw(Seen::by(&self.election), holder.as_deref());
        if self.election.is_of_earlier_container() {
            self.seat.announcer.earlier_container();
        } else {
            self.seat.announcer.holder(holder.as_deref(), self.election.holds());
        }
        self.seat.announcer.changed(self.election.changed_at());
        if let Some(other) = self.lock.other_installation() {
            self.seat.announcer.shared(&other);
        }
        if let Some(wait) = self.election.foreign_wait().filter(|wait| *wait > self.options.lease_duration * LONG_WAIT)
        {
            self.seat.announcer.long_wait(wait);
        }
        // A lock that was free long before is no news while the first try is on its way.
        let stands = self.stands_since.is_some_and(|since| now.clock.since(since) >= GRACE);
        if stands && self.seat.reign().is_none() && self.election.is_vacant_for(GRACE, now.clock) {
            self.seat.announcer.vacant();
        }
    }

    fn decide(&mut self, now: Reading, input: Input) {
        let micros = now.wall.since(Moment::default()).as_micros();
        let wall = Stamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX));
        let step = Now { clock: now.clock, wall, chance: fastrand::f64() };
        for effect in self.election.step(step, input) {
            self.carry_out(effect, now);
        }
    }

    fn carry_out(&mut self, effect: Effect, reading: Reading) {
        match effect {
            Effect::Read => self.calls.read(),
            Effect::Put(put) => {
                self.sends.sent(reading);
                self.calls.put(put);
            }
            Effect::Begin { valid_until, token } => self.begin(valid_until, token),
            Effect::Extend { valid_until } => {
                if let Some(reign) = self.seat.reign() {
                    reign.extend(self.sends.valid_until(valid_until, self.options.renew_deadline));
                }
            }
            Effect::Drain => self.seat.drain(),
            Effect::End(reason) => self.end(reason),
            Effect::Released => self.seat.announcer.released(),
            Effect::Stopped => {
                if self.election.holds() {
                    self.seat.announcer.left_to_expire();
                }
                self.finished = true;
            }
        }
    }

    fn begin(&mut self, valid_until: Moment, token: u64) {
        let identity = self.options.identity.clone();
        let valid_until = self.sends.valid_until(valid_until, self.options.renew_deadline);
        let term = move |id, clock| Term::until(id, identity, Some(token.to_string()), clock, valid_until);
        self.seat.begin(term, self.lock.reference());
    }

    fn end(&mut self, reason: EndReason) {
        let leader = self.election.holder().map(str::to_owned);
        self.seat.end(reason, self.lock.reference(), leader);
    }

    fn watched(&mut self, news: News<Observation>) -> Input {
        match news {
            News::Watching(open) => {
                if open {
                    self.seat.pulse.was_watched();
                    self.seat.announcer.recovered(WATCHING);
                }
                Input::Watching(open)
            }
            News::Seen(observation) => Input::Watched(observation),
            News::Trouble(error) => {
                self.trouble(WATCHING, &error);
                Input::Watching(false)
            }
        }
    }

    fn report(&mut self, answer: Answer) -> Input {
        let Answer { doing, input, trouble } = answer;
        match trouble {
            Some(error) => self.trouble(doing, &error),
            None => {
                self.seat.pulse.was_read();
                self.seat.announcer.recovered(doing);
                if doing == READING
                    && let Some(dates) = self.lock.dates()
                {
                    self.decide(self.seat.clock.read(), Input::Dated(dates));
                }
            }
        }
        input
    }

    fn trouble(&mut self, doing: &'static str, error: &LockError) {
        if matches!(error, LockError::Coordinated { .. }) {
            self.seat.announcer.coordinated(error);
            self.decide(self.seat.clock.read(), Input::Coordinated);
        } else {
            self.seat.announcer.trouble(doing, error);
        }
    }

    fn open_watch(&mut self) {
        // Not only aborted: a set keeps what has ended.
        self.watch = JoinSet::new();
        let patience = self.options.call_timeout();
        self.watch.spawn(own(watcher::watch(self.lock.clone(), patience, self.tell.clone())));
    }

    fn longest_sleep(&self) -> Duration {
        let longest = if self.seat.reign().is_some() { LONGEST_SLEEP_LEADING } else { LONGEST_SLEEP_STANDBY };
        let now = self.seat.clock.now();
        self.election.wake_at().map_or(longest, |wake| wake.since(now).min(longest))
    }
}

/// Never resolves without an instant.
async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}
