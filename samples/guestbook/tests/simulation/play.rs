//! One seed: replicas, a user and trouble for so long; then calm, and a look at what has become of it all.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::books::Books;
use super::contender::Contender;
use super::log::Times;
use super::replica::Replica;
use super::sabotage::Sabotage;
use super::world::{LOCK, World};
use super::{Author, weather};
use crate::guestbook::Guestbook;

/// Once nothing goes wrong any more, all must be as it should be within this time: a watch that hangs is given up after less.
const SETTLES: Duration = Duration::from_secs(400);
/// A replica that is asked to stop has ended within this: its shutdown timeout, and what its network may add.
const STOPS: Duration = Duration::from_secs(90);
const A_MINUTE: Duration = Duration::from_secs(60);
const LOCK_NAME: &str = "guestbook-leader";
/// A clock that is a little off, in milliseconds.
const A_LITTLE: i64 = 20_000;
const A_LOT: i64 = 3_600_000;

/// What came of one seed.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) violations: Vec<String>,
    pub(super) story: Vec<String>,
    pub(super) hash: u64,
    pub(super) lasted: Duration,
    pub(super) requests: usize,
    pub(super) terms: usize,
    pub(super) takeovers: usize,
    pub(super) fenced: u64,
    pub(super) landed_late: usize,
    pub(super) strikes: BTreeMap<&'static str, u64>,
    /// How long it took until all was well.
    pub(super) settled: Duration,
}

/// What is to be done at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Start(usize),
    /// The replica in this life.
    Thaw(usize, Author),
    Crash(usize, Author),
    MustHaveStopped(usize, Author),
    Mend(usize),
}

pub(super) struct Play {
    pub(super) world: World,
    pub(super) replicas: Vec<Replica>,
    pub(super) books: Books,
    locks: Api<Lease>,
    agenda: BinaryHeap<Reverse<(Duration, Due)>>,
    contender: Option<JoinHandle<()>>,
    /// Which clocks may be far off: the server's, or those of the replicas. The rule that looks at both lives with one that is wrong.
    server_wanders: bool,
    wandered: i64,
}

/// Plays a seed. To be run on a runtime of its own, with paused time.
pub(super) async fn play(seed: u64, length: Duration, sabotage: Option<Sabotage>) -> Outcome {
    fastrand::seed(seed);
    let world = World::new(seed).await;
    world.cluster().install::<Guestbook>().await;
    let mut play = Play::new(&world);
    for number in 0..play.replicas.len() {
        play.replicas[number].start(true).await;
    }
    play.books.create("book-0", "the first".to_owned()).await.unwrap();
    match sabotage {
        None => play.trouble(length).await,
        Some(sabotage) => {
            sleep(length).await;
            play.sabotage(sabotage).await;
        }
    }
    play.calm().await;
    let settled = play.settle().await;
    play.stop().await;
    play.outcome(settled)
}

impl Play {
    fn new(world: &World) -> Self {
        let server_wanders = world.draw(|random| random.bool());
        let count = world.draw(|random| random.usize(3..=5));
        let seconds = |lease, deadline, retry| Times {
            lease: Duration::from_secs(lease),
            deadline: Duration::from_secs(deadline),
            retry: Duration::from_secs(retry),
        };
        let all = [seconds(15, 10, 2), seconds(6, 4, 1), seconds(30, 20, 5), seconds(10, 7, 2)];
        let common = world.draw(|random| *random.choice(all.iter()).unwrap());
        let alike = world.draw(|random| random.u8(0..4) > 0);
        let replicas = (0..count).map(|number| {
            let times = if alike { common } else { world.draw(|random| *random.choice(all.iter()).unwrap()) };
            let furthest = if server_wanders { A_LITTLE } else { A_LOT };
            let skew = world.draw(|random| random.i64(-furthest..furthest));
            Replica::new(world, number, times, skew)
        });
        Self {
            replicas: replicas.collect(),
            books: Books::new(world),
            locks: Api::default_namespaced(world.cluster().client(&Author::Meddler.user())),
            agenda: BinaryHeap::new(),
            contender: None,
            server_wanders,
            wandered: 0,
            world: world.clone(),
        }
    }

    async fn trouble(&mut self, length: Duration) {
        let end = self.world.now() + length;
        // Some hours are rougher than others.
        let rest = self.world.draw(|random| random.u64(4_000..25_000));
        let mut next = self.world.now();
        while next < end {
            next += Duration::from_millis(self.world.draw(|random| random.u64(10..rest)));
            while let Some(Reverse((at, _))) = self.agenda.peek()
                && *at < next
            {
                let Some(Reverse((at, due))) = self.agenda.pop() else { break };
                sleep(at.saturating_sub(self.world.now())).await;
                self.is_due(due).await;
            }
            sleep(next.saturating_sub(self.world.now())).await;
            self.mind_the_ended().await;
            self.strike().await;
        }
    }

    fn later(&mut self, seconds: std::ops::Range<f64>, due: Due) {
        let wait = self.world.draw(|random| seconds.start + random.f64() * (seconds.end - seconds.start));
        // Whole milliseconds, as timers have them.
        let wait = Duration::from_millis(Duration::from_secs_f64(wait).as_millis() as u64);
        self.agenda.push(Reverse((self.world.now() + wait, due)));
    }

    async fn is_due(&mut self, due: Due) {
        match due {
            Due::Start(number) if !self.replicas[number].is_up() => {
                let new_pod = self.world.draw(|random| random.bool());
                self.replicas[number].start(new_pod).await;
                self.world.tell(format!("{} starts", self.replicas[number].author()));
            }
            Due::Start(_) => {}
            Due::Thaw(number, author) if self.replicas[number].author() == author => {
                self.replicas[number].thaw();
                self.world.tell(format!("{author} goes on"));
            }
            Due::Crash(number, author) if self.replicas[number].author() == author => self.crash(number).await,
            Due::MustHaveStopped(number, author) if self.replicas[number].author() == author => {
                if self.replicas[number].is_up() && !self.replicas[number].has_ended() {
                    let now = self.world.now();
                    self.world.log().violated(now, format!("{author} does not stop"));
                }
            }
            Due::Thaw(..) | Due::Crash(..) | Due::MustHaveStopped(..) => {}
            Due::Mend(number) => {
                weather::mend(&self.world, self.replicas[number].author());
                self.world.tell(format!("the network of replica-{number} is mended"));
            }
        }
    }

    /// Processes that have ended are started again, as the kubelet does.
    async fn mind_the_ended(&mut self) {
        for number in 0..self.replicas.len() {
            let replica = &mut self.replicas[number];
            if !replica.has_ended() {
                continue;
            }
            let (author, asked) = (replica.author(), replica.stopping);
            let ended = replica.bury().await;
            self.world.tell(format!("{author} has ended: {ended:?}"));
            if !asked {
                let now = self.world.now();
                self.world.log().violated(now, format!("{author} ends by itself: {ended:?}"));
            }
            self.later(0.0..20.0, Due::Start(number));
        }
    }

    async fn crash(&mut self, number: usize) {
        self.world.strike("crash", self.replicas[number].author());
        self.replicas[number].crash().await;
        self.later(0.0..30.0, Due::Start(number));
    }

    async fn strike(&mut self) {
        let number = self.world.draw(|random| random.usize(0..self.replicas.len()));
        // Rather one that leads: what strikes others changes little.
        let leader = self.replicas.iter().position(|replica| self.world.leaders().contains(&replica.author()));
        let number = leader.filter(|_| self.world.draw(|random| random.u8(0..3) > 0)).unwrap_or(number);
        let author = self.replicas[number].author();
        let kind = self.world.draw(|random| random.u8(0..100));
        match kind {
            0..40 => self.books.whim().await,
            40..65 => {
                weather::strike(&self.world, author);
                self.later(0.5..40.0, Due::Mend(number));
            }
            65..67 => {
                self.world.strike("outage", "all");
                for number in 0..self.replicas.len() {
                    weather::strike(&self.world, self.replicas[number].author());
                    self.later(0.5..60.0, Due::Mend(number));
                }
            }
            67..87 => self.strike_process(number).await,
            87..92 => self.strike_server(),
            _ => self.meddle().await,
        }
    }

    async fn strike_process(&mut self, number: usize) {
        let author = self.replicas[number].author();
        let replica = &mut self.replicas[number];
        if !replica.is_up() || replica.frozen {
            return;
        }
        match self.world.draw(|random| random.u8(0..20)) {
            0..5 => self.crash(number).await,
            5..9 if !replica.stopping => {
                self.world.strike("stop", author);
                replica.begin_stop();
                let limit = STOPS.as_secs_f64();
                self.later(limit..limit + 1.0, Due::MustHaveStopped(number, author));
            }
            9..14 if !replica.stopping => {
                let paused = self.world.draw(|random| random.u8(0..3) == 0);
                self.world.strike(if paused { "machine paused" } else { "process frozen" }, author);
                replica.freeze(paused);
                self.later(0.1..60.0, Due::Thaw(number, author));
            }
            14..17 => {
                let down = replica.step_down();
                self.world.strike("step down", format!("{author}: {down}"));
            }
            17 => {
                let furthest = if self.server_wanders { A_LITTLE } else { A_LOT };
                let skew = self.world.draw(|random| random.i64(-furthest..furthest));
                self.world.strike("wall clock set", author);
                replica.set_wall(skew);
            }
            18 => {
                self.world.strike("elector hangs", author);
                replica.hang_elector();
                // The kubelet kills what is not alive.
                self.later(40.0..70.0, Due::Crash(number, author));
            }
            _ => {}
        }
    }

    fn strike_server(&mut self) {
        match self.world.draw(|random| random.u8(0..5)) {
            0 | 1 => {
                self.world.strike("compaction", "server");
                self.world.cluster().compact();
            }
            2 | 3 => {
                self.world.strike("restart", "server");
                if self.world.draw(|random| random.bool()) {
                    self.world.cluster().compact();
                }
                self.world.cluster().restart();
            }
            _ => {
                self.world.strike("server's clock set", "server");
                let furthest = if self.server_wanders { A_LOT } else { A_LITTLE };
                let to = self.world.draw(|random| random.i64(-furthest..furthest));
                self.world.set_clock(SignedDuration::from_millis(to - self.wandered));
                self.wandered = to;
            }
        }
    }

    /// Others who write the lock.
    async fn meddle(&mut self) {
        let kind = match self.world.draw(|random| random.u8(0..16)) {
            0..6 => {
                let label = self.world.draw(|random| random.u32(..)).to_string();
                self.merge(json!({ "metadata": { "labels": { "simulation": label } } })).await;
                "lock labelled"
            }
            6..8 => {
                let _may_be_gone = self.locks.delete(LOCK_NAME, &DeleteParams::default()).await;
                "lock deleted"
            }
            8 => {
                self.merge(json!({ "spec": { "holderIdentity": "" } })).await;
                "lock cleared"
            }
            9 => {
                let seconds = self.world.draw(|random| random.u8(1..20));
                self.merge(json!({ "spec": { "holderIdentity": "kubectl", "leaseDurationSeconds": seconds } })).await;
                "lock taken by hand"
            }
            _ if self.contender.as_ref().is_none_or(JoinHandle::is_finished) => {
                let length = Duration::from_millis(self.world.draw(|random| random.u64(10_000..200_000)));
                let contender = Contender::new(&self.world).run(length, self.world.draw(|random| random.bool()));
                self.contender = Some(tokio::spawn(contender));
                "contender stands"
            }
            _ => return,
        };
        self.world.strike(kind, "the lock");
        self.world.look_at_lock(Author::Meddler);
    }

    async fn merge(&self, patch: Value) {
        let _may_be_gone = self.locks.patch(LOCK_NAME, &PatchParams::default(), &Patch::Merge(patch)).await;
    }

    /// Nothing goes wrong any more.
    async fn calm(&mut self) {
        self.world.tell("calm");
        self.world.calm();
        if let Some(contender) = self.contender.take() {
            contender.abort();
            self.world.log().contender = None;
        }
        let agenda: Vec<_> = std::mem::take(&mut self.agenda).into_sorted_vec();
        for number in 0..self.replicas.len() {
            weather::mend(&self.world, self.replicas[number].author());
            self.replicas[number].thaw();
        }
        for Reverse((_, due)) in agenda.into_iter().rev() {
            if let Due::Crash(..) = due {
                self.is_due(due).await;
            }
        }
        self.agenda.clear();
    }

    /// Waits until all is as it should be.
    async fn settle(&mut self) -> Duration {
        let began = self.world.now();
        loop {
            self.mind_the_ended().await;
            self.agenda.clear();
            for number in 0..self.replicas.len() {
                if !self.replicas[number].is_up() && !self.world.log().is_sabotaged {
                    self.replicas[number].start(true).await;
                }
            }
            let leads = self.world.leaders().len();
            let amiss = if leads == 1 { self.books.amiss().await } else { Some(format!("{leads} lead")) };
            let (now, Some(amiss)) = (self.world.now(), amiss) else { return self.world.now() - began };
            if now - began > SETTLES {
                self.world.log().violated(now, format!("{} s after the last trouble: {amiss}", SETTLES.as_secs()));
                return now - began;
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// In the end all stop, and the lock is given back.
    async fn stop(&mut self) {
        // By then no write that was left without an answer holds that up.
        sleep(A_MINUTE).await;
        let had_leader = self.world.leaders().len() == 1;
        self.replicas.iter_mut().for_each(Replica::begin_stop);
        let began = self.world.now();
        while self.replicas.iter().any(|replica| replica.is_up() && !replica.has_ended())
            && self.world.now() - began < STOPS
        {
            sleep(Duration::from_millis(500)).await;
        }
        for replica in &mut self.replicas {
            let (author, ended, now) = (replica.author(), !replica.is_up() || replica.has_ended(), self.world.now());
            match ended {
                true => _ = replica.bury().await,
                false => self.world.log().violated(now, format!("{author} does not stop in the end")),
            }
        }
        let lock = self.world.look(LOCK).unwrap_or_default();
        if had_leader && lock["spec"]["holderIdentity"].as_str().is_some_and(|holder| !holder.is_empty()) {
            let now = self.world.now();
            self.world.log().violated(now, format!("the lock is not given back: {}", lock["spec"]));
        }
    }

    fn outcome(self, settled: Duration) -> Outcome {
        let (record, lasted) = (self.world.cluster().requests(), self.world.now());
        let log = self.world.log();
        Outcome {
            violations: log.violations.clone(),
            story: log.lines(),
            hash: log.hash(),
            lasted,
            requests: log.entries.len(),
            terms: log.terms.len(),
            takeovers: log.takeovers(),
            fenced: log.fenced,
            landed_late: log.landed_late(&record),
            strikes: log.strikes.clone(),
            settled,
        }
    }
}
