//! One run of an elector: what happens is told to the election, and what that decides is carried out.

use std::future::pending;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::LifeElector;
use super::bearing::Bearing;
use super::calls::{self, Answer, Call};
use super::election::{Effect, Holder, Input, LifeElection, LifeOptions, Lock, Now, PodSeen, Seen};
use super::lock::LifeLock;
use super::pod::PodSource;
use super::stalled::told;
use crate::leadership::announce::Herald;
use crate::leadership::clock::Clock;
use crate::leadership::election::EndReason;
use crate::leadership::elector::ElectorError;
use crate::leadership::history;
use crate::leadership::lock::LockError;
use crate::leadership::seat::{Overdue, Seat};
use crate::leadership::term::Term;
use crate::leadership::watcher::{self, News};
use crate::process::own;

/// A runtime that is blocked is found out within this time during a term.
const LONGEST_SLEEP_LEADING: Duration = Duration::from_millis(500);
/// A standby has nothing to do between events of its watches; it wakes up to show that it is alive.
const LONGEST_SLEEP_STANDBY: Duration = Duration::from_secs(5);
/// What should take a moment is told of if it takes longer.
const GRACE: Duration = Duration::from_secs(5);
const WATCHING: &str = "watching the lock";
const WATCHING_HOLDER: &str = "watching the holder's pod";
/// Events that a watch is ahead of the elector.
const NEWS_WAITING: usize = 16;

/// The state of a run.
pub(super) struct Run {
    election: LifeElection,
    options: LifeOptions,
    lock: Arc<LifeLock>,
    own_pod: PodSource,
    seat: Seat,
    call: Option<Call>,
    /// The one task that keeps the watch of the lock open.
    watch: JoinSet<()>,
    tell: mpsc::Sender<News<Seen>>,
    follow: Option<Follow>,
    bearing: Bear,
    finished: bool,
}

/// The watch of another holder's pod.
struct Follow {
    holder: Holder,
    news: mpsc::Receiver<News<PodSeen>>,
    _task: JoinSet<()>,
}

/// The right to stand in the pod's name.
enum Bear {
    /// To be asked for once the pod is known.
    Unasked,
    Granted,
    Waits(BoxFuture<'static, Bearing>),
    Has(Bearing),
}

impl Run {
    pub(super) fn new(elector: LifeElector) -> (Self, Herald, mpsc::Receiver<News<Seen>>) {
        let LifeElector { options, lock, clock, announcer, herald, state, pulse, ping, history, is_only_bearer } =
            elector;
        let (tell, news) = mpsc::channel(NEWS_WAITING);
        let run = Self {
            election: LifeElection::new(options.clone()),
            own_pod: PodSource::new(lock.client(), lock.namespace(), &options.pod),
            options,
            lock,
            seat: Seat::new(clock, announcer, state, pulse, history, ping),
            call: None,
            watch: JoinSet::new(),
            tell,
            follow: None,
            bearing: if is_only_bearer { Bear::Granted } else { Bear::Unasked },
            finished: false,
        };
        (run, herald, news)
    }

    pub(super) async fn conduct(
        mut self,
        ready: impl Future<Output = ()> + Send,
        stop: CancellationToken,
        patience: Duration,
        mut news: mpsc::Receiver<News<Seen>>,
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
            if let Some(Overdue { term, seconds }) = self.seat.overdue(self.options.timing.lease_duration) {
                return Err(ElectorError::WorkGoesOn { term, seconds });
            }
            let wait = self.longest_sleep();
            let Self { call, seat, watch, follow, bearing, .. } = &mut self;
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
                answer = answer(call) => {
                    self.call = None;
                    self.report(answer)
                }
                Some(news) = news.recv() => self.watched(news),
                // It ends by itself only in a panic, which is this task's too.
                Some(Err(broken)) = watch.join_next() => match broken.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    Err(_) => Input::Watching(false),
                },
                news = followed(follow) => self.followed(news),
                bears = borne(bearing) => {
                    let proven = bears.proven;
                    self.bearing = Bear::Has(bears);
                    Input::Bears { proven }
                }
                () = seat.work_ended() => Input::WorkEnded { unanswered: seat.work_has_ended() },
                () = &mut ready, if !stands => {
                    stands = true;
                    Input::Stand
                }
                () = sleep(wait) => Input::Woken,
            };
        }
    }

    fn step(&mut self, input: Input) {
        let refused = input == Input::Conflict;
        self.decide(input);
        if let Some(blocked) = self.seat.blocked() {
            self.decide(Input::Blocked(blocked));
        }
        if refused {
            // The lock had moved on, and the watch may not have told: it may be cut off without knowing.
            self.open_watch();
        }
        self.ask_to_bear();
        self.follow();
        self.tell();
    }

    fn decide(&mut self, input: Input) {
        let now = Now { clock: self.seat.clock.now(), chance: fastrand::f64() };
        for effect in self.election.step(now, input) {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        let (lock, patience) = (self.lock.clone(), self.options.timing.call_timeout());
        match effect {
            Effect::Read => self.call = Some(calls::read(lock, patience)),
            Effect::ReadOwnPod => self.call = Some(calls::read_own_pod(self.own_pod.clone(), patience)),
            Effect::Create { owner, mark } => {
                let owner = Holder { name: self.options.pod.clone(), uid: owner };
                self.call = Some(calls::create(lock, owner, mark, patience));
            }
            Effect::Touch { uid, version, mark } => self.call = Some(calls::touch(lock, uid, version, mark, patience)),
            Effect::Delete { uid, version } => self.call = Some(calls::delete(lock, uid, version, patience)),
            Effect::Begin { token } => self.begin(token),
            Effect::Drain => self.seat.drain(),
            Effect::End(reason) => self.end(reason),
            Effect::Released => self.seat.announcer.released(),
            Effect::Cleared => self.seat.announcer.cleared(),
            Effect::Stopped => {
                if self.election.holds() {
                    self.seat.announcer.left_to_its_pod();
                }
                self.finished = true;
            }
        }
    }

    fn begin(&mut self, token: u64) {
        let identity = self.identity();
        self.seat.announcer.identify(&identity);
        let term = move |id, clock: Clock| Term::for_life(id, identity, token.to_string(), clock);
        self.seat.begin(term, self.lock.reference());
        if let (Bear::Has(bearing), Some(reign)) = (&mut self.bearing, self.seat.reign()) {
            bearing.works(reign.work());
        }
    }

    fn end(&mut self, reason: EndReason) {
        let leader = self.leader();
        self.seat.end(reason, self.lock.reference(), leader);
    }

    /// What the lock names this process as.
    fn identity(&self) -> String {
        let of_pod = |uid: &str| Holder { name: self.options.pod.clone(), uid: uid.to_owned() }.identity();
        self.election.pod_uid().map_or_else(|| self.options.timing.identity.clone(), of_pod)
    }

    fn leader(&self) -> Option<String> {
        self.election.held().map(|held| held.holder.identity())
    }

    fn ask_to_bear(&mut self) {
        let Some(uid) = self.election.pod_uid() else { return };
        let bearing = match self.bearing {
            Bear::Unasked => {
                let (namespace, name) = (self.lock.namespace().to_owned(), self.lock.name().to_owned());
                Bear::Waits(Box::pin(Bearing::acquire(uid.to_owned(), namespace, name)))
            }
            Bear::Granted => Bear::Waits(Box::pin(async { Bearing::granted() })),
            Bear::Waits(_) | Bear::Has(_) => return,
        };
        self.bearing = bearing;
    }

    /// Watches the holder's pod, if that is another.
    fn follow(&mut self) {
        let holder = self.election.follows();
        if holder == self.follow.as_ref().map(|follow| &follow.holder) {
            return;
        }
        self.follow = holder.cloned().map(|holder| {
            let source = PodSource::new(self.lock.client(), self.lock.namespace(), &holder.name);
            let (tell, news) = mpsc::channel(NEWS_WAITING);
            let mut task = JoinSet::new();
            task.spawn(own(watcher::watch(Arc::new(source), self.options.timing.call_timeout(), tell)));
            Follow { holder, news, _task: task }
        });
    }

    /// Tells people and the rest of the program how things are.
    fn tell(&mut self) {
        let (leader, now) = (self.leader(), self.seat.clock.now());
        let holds = self.election.holds();
        if let Some(newest) = self.election.newest() {
            self.seat.saw(seen(newest, leader.as_deref(), holds), leader.as_deref());
            let own =
                self.election.pod_uid().is_some_and(|uid| self.election.held().is_some_and(|h| h.holder.uid == uid));
            self.seat.announcer.holder(leader.as_deref(), own);
        } else {
            self.seat.pulse.beat(None);
        }
        self.seat.announcer.changed(self.election.changed_at());
        if let Some(stall) = self.election.stall(GRACE, now) {
            let pod = format!("{}/{}", self.lock.namespace(), self.options.pod);
            self.seat.announcer.stalled(&told(stall, &self.lock.to_string(), &pod));
        }
    }

    fn watched(&mut self, news: News<Seen>) -> Input {
        match news {
            News::Watching(open) => {
                if open {
                    self.seat.pulse.was_watched();
                    self.seat.announcer.recovered(WATCHING);
                }
                Input::Watching(open)
            }
            News::Seen(seen) => Input::Watched(seen),
            News::Trouble(error) => {
                self.seat.announcer.trouble(WATCHING, &error);
                Input::Watching(false)
            }
        }
    }

    fn followed(&mut self, news: News<PodSeen>) -> Input {
        match news {
            News::Watching(open) => {
                if open {
                    self.seat.announcer.recovered(WATCHING_HOLDER);
                }
                Input::Woken
            }
            News::Seen(pod) => Input::Holder(pod),
            News::Trouble(error) => {
                self.seat.announcer.trouble(WATCHING_HOLDER, &error);
                Input::Woken
            }
        }
    }

    fn report(&mut self, answer: Answer) -> Input {
        let Answer { doing, input, trouble } = answer;
        match trouble {
            Some(error) => self.trouble(doing, &error),
            None => {
                if doing == calls::READING {
                    self.seat.pulse.was_read();
                }
                self.seat.announcer.recovered(doing);
            }
        }
        input
    }

    fn trouble(&mut self, doing: &'static str, error: &LockError) {
        self.seat.announcer.trouble(doing, error);
    }

    fn open_watch(&mut self) {
        // Not only aborted: a set keeps what has ended.
        self.watch = JoinSet::new();
        let patience = self.options.timing.call_timeout();
        self.watch.spawn(own(watcher::watch(self.lock.clone(), patience, self.tell.clone())));
    }

    fn longest_sleep(&self) -> Duration {
        let longest = if self.seat.reign().is_some() { LONGEST_SLEEP_LEADING } else { LONGEST_SLEEP_STANDBY };
        let now = self.seat.clock.now();
        self.election.wake_at().map_or(longest, |wake| wake.since(now).min(longest))
    }
}

fn seen<'a>(newest: &'a Seen, leader: Option<&'a str>, holds: bool) -> history::Seen<'a> {
    match (&newest.lock, leader) {
        (_, Some(_)) if holds => history::Seen::Own,
        (Lock::Held(held), Some(leader)) => {
            let acquired = held.created.and_then(|micros| Timestamp::from_microsecond(micros).ok());
            history::Seen::Foreign { leader, acquired, runs_out: None }
        }
        // A lock goes when it is given back.
        _ => history::Seen::Free,
    }
}

async fn answer(call: &mut Option<Call>) -> Answer {
    match call {
        Some(call) => call.await,
        None => pending().await,
    }
}

async fn followed(follow: &mut Option<Follow>) -> News<PodSeen> {
    match follow {
        // Its task ends with this only.
        Some(Follow { news, .. }) => match news.recv().await {
            Some(news) => news,
            None => pending().await,
        },
        None => pending().await,
    }
}

async fn borne(bearing: &mut Bear) -> Bearing {
    match bearing {
        Bear::Waits(bearing) => bearing.await,
        Bear::Unasked | Bear::Granted | Bear::Has(_) => pending().await,
    }
}

/// Never resolves without an instant.
async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}
