//! One run of an elector: what happens is told to the election, and what that decides is carried out.

use std::future::pending;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::calls::{Answer, Calls, READING};
use super::{Elector, ElectorError};
use crate::leadership::announce::{Announcer, Herald};
use crate::leadership::clock::{Clock, Moment, Reading};
use crate::leadership::election::{Effect, Election, ElectionOptions, EndReason, Input, Now, Observation, Stamp};
use crate::leadership::history::{Seen, TermHistory};
use crate::leadership::lock::{Lock, LockError};
use crate::leadership::ping::Ping;
use crate::leadership::pulse::Pulse;
use crate::leadership::reign::Reign;
use crate::leadership::sends::Sends;
use crate::leadership::term::{LeadershipState, Term};
use crate::leadership::watcher::{self, News};
use crate::process::own;

/// tokio's timers stand still while the machine sleeps, so the clock is read at least this often during a term.
const LONGEST_SLEEP_LEADING: Duration = Duration::from_millis(500);
/// A standby has nothing to do between events of its watch; it wakes up to show that it is alive.
const LONGEST_SLEEP_STANDBY: Duration = Duration::from_secs(5);
/// The work of an ended term was told to end; one that goes on for a lease and this much longer ends the process.
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
    clock: Clock,
    announcer: Announcer,
    state: watch::Sender<LeadershipState>,
    pulse: Pulse,
    history: TermHistory,
    calls: Calls,
    /// The one task that keeps the watch open.
    watch: JoinSet<()>,
    tell: mpsc::Sender<News<Observation>>,
    sends: Sends,
    ping: Option<Ping>,
    blocked: bool,
    terms: u64,
    reign: Option<Reign>,
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
            clock,
            announcer,
            state,
            pulse,
            history,
            calls,
            watch: JoinSet::new(),
            tell,
            sends: Sends::default(),
            ping,
            blocked: false,
            terms: 0,
            reign: None,
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
            self.check_that_work_ends()?;
            let wait = self.longest_sleep();
            let (calls, reign, watch) = (&mut self.calls, &self.reign, &mut self.watch);
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
                reason = asked_to_step_down(reign.as_ref()), if !stops => {
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
                () = work_ended(reign.as_ref()) => self.work_has_ended(),
                () = &mut ready, if !stands => {
                    stands = true;
                    self.stands_since = Some(self.clock.now());
                    Input::Stand
                }
                () = sleep(wait) => Input::Woken,
            };
        }
    }

    /// Reads the clock, then lets the election look at what came.
    fn step(&mut self, input: Input) {
        let now = self.clock.read();
        let slow = self.election.slow_renewals();
        let refused = input == Input::Conflict;
        self.decide(now, input);
        let blocked = self.ping.as_mut().is_some_and(Ping::is_overdue);
        if blocked != self.blocked {
            self.blocked = blocked;
            self.decide(now, Input::Blocked(blocked));
        }
        // By either clock: the election knows only one.
        if self.election.leads() && !self.reign.as_ref().is_some_and(|reign| reign.term().is_valid()) {
            self.decide(self.clock.read(), Input::RanOut);
        }
        if !self.election.awaits_answer() {
            self.calls.leave();
        }
        if refused {
            // The lock had moved on, and the watch may not have told: it may be cut off without knowing.
            self.open_watch();
        }
        if self.election.slow_renewals() > slow {
            self.announcer.slow_renewal();
        }
        self.history.saw(Seen::by(&self.election), Timestamp::now());
        let holder = self.election.holder().map(str::to_owned);
        self.pulse.beat(holder.as_deref());
        if self.election.is_of_earlier_container() {
            self.announcer.earlier_container();
        } else {
            self.announcer.holder(holder.as_deref(), self.election.holds());
        }
        self.announcer.changed(self.election.changed_at());
        if let Some(other) = self.lock.other_installation() {
            self.announcer.shared(&other);
        }
        if let Some(wait) = self.election.foreign_wait().filter(|wait| *wait > self.options.lease_duration * LONG_WAIT)
        {
            self.announcer.long_wait(wait);
        }
        // A lock that was free long before is no news while the first try is on its way.
        let stands = self.stands_since.is_some_and(|since| now.clock.since(since) >= GRACE);
        if stands && self.reign.is_none() && self.election.is_vacant_for(GRACE, now.clock) {
            self.announcer.vacant();
        }
        self.state.send_if_modified(|state| match state {
            LeadershipState::Standby { leader } if *leader != holder => {
                *leader = holder;
                true
            }
            _ => false,
        });
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
        let now = reading.clock;
        match effect {
            Effect::Read => self.calls.read(),
            Effect::Put(put) => {
                self.sends.sent(reading);
                self.calls.put(put);
            }
            Effect::Begin { valid_until, token } => self.begin(now, valid_until, token),
            Effect::Extend { valid_until } => {
                if let Some(reign) = &self.reign {
                    reign.extend(self.sends.valid_until(valid_until, self.options.renew_deadline));
                }
            }
            Effect::Drain => {
                if let Some(reign) = &mut self.reign {
                    reign.drain();
                }
            }
            Effect::End(reason) => self.end(now, reason),
            Effect::Released => self.announcer.released(),
            Effect::Stopped => {
                if self.election.holds() {
                    self.announcer.left_to_expire();
                }
                self.finished = true;
            }
        }
    }

    fn begin(&mut self, now: Moment, valid_until: Moment, token: u64) {
        self.terms += 1;
        let (identity, clock) = (self.options.identity.clone(), self.clock.clone());
        let valid_until = self.sends.valid_until(valid_until, self.options.renew_deadline);
        let (control, term) = Term::until(self.terms, identity, Some(token.to_string()), clock, valid_until);
        self.history.began(term.identity(), term.id(), Timestamp::now());
        self.announcer.began(&term, self.lock.reference());
        self.state.send_replace(LeadershipState::Leading(term.clone()));
        self.reign = Some(Reign::new(term, control, now));
    }

    fn end(&mut self, now: Moment, reason: EndReason) {
        let leader = self.election.holder().map(str::to_owned);
        if let Some(reign) = &mut self.reign {
            self.announcer.ended(reign.term(), &reason, now.since(reign.began()), self.lock.reference());
            self.history.ended(reason.clone(), Timestamp::now());
            reign.end(now, reason);
        }
        self.state.send_replace(LeadershipState::Standby { leader });
    }

    fn work_has_ended(&mut self) -> Input {
        let unanswered = self.reign.as_ref().and_then(Reign::unanswered);
        if self.reign.as_mut().is_some_and(Reign::was_heard) {
            self.reign = None;
        }
        Input::WorkEnded { unanswered }
    }

    fn check_that_work_ends(&mut self) -> Result<(), ElectorError> {
        let limit = self.options.lease_duration + GRACE;
        let Some(reign) = &mut self.reign else { return Ok(()) };
        match reign.overtime(self.clock.now()) {
            Some(overtime) if overtime > limit => {
                Err(ElectorError::WorkGoesOn { term: reign.term().id(), seconds: overtime.as_secs() })
            }
            _ => Ok(()),
        }
    }

    fn watched(&mut self, news: News<Observation>) -> Input {
        match news {
            News::Watching(open) => {
                if open {
                    self.pulse.was_watched();
                    self.announcer.recovered(WATCHING);
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
                self.pulse.was_read();
                self.announcer.recovered(doing);
                if doing == READING
                    && let Some(dates) = self.lock.dates()
                {
                    self.decide(self.clock.read(), Input::Dated(dates));
                }
            }
        }
        input
    }

    fn trouble(&mut self, doing: &'static str, error: &LockError) {
        if matches!(error, LockError::Coordinated { .. }) {
            self.announcer.coordinated(error);
            self.decide(self.clock.read(), Input::Coordinated);
        } else {
            self.announcer.trouble(doing, error);
        }
    }

    fn open_watch(&mut self) {
        // Not only aborted: a set keeps what has ended.
        self.watch = JoinSet::new();
        let patience = self.options.call_timeout();
        self.watch.spawn(own(watcher::watch(self.lock.clone(), patience, self.tell.clone())));
    }

    fn longest_sleep(&self) -> Duration {
        let longest = if self.reign.is_some() { LONGEST_SLEEP_LEADING } else { LONGEST_SLEEP_STANDBY };
        let now = self.clock.now();
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

async fn asked_to_step_down(reign: Option<&Reign>) -> String {
    match reign {
        Some(reign) => reign.asked_to_step_down().await,
        None => pending().await,
    }
}

async fn work_ended(reign: Option<&Reign>) {
    match reign {
        Some(reign) => reign.work_ended().await,
        None => pending().await,
    }
}
