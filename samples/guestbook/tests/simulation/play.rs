//! One seed: replicas, a user and trouble for so long; then calm, and a look at what has become of it all.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use fastrand::Rng;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::books::Books;
use super::log::Times;
use super::replica::Replica;
use super::sabotage::Sabotage;
use super::trouble::{A_LITTLE, A_LOT, Due};
use super::world::{LOCK, World};
use super::{Author, weather};
use crate::guestbook::Guestbook;

/// Once nothing goes wrong any more, all must be as it should be within this time: a watch that hangs is given up after less.
const SETTLES: Duration = Duration::from_secs(400);
/// A replica that is asked to stop has ended within this: its shutdown timeout, and what its network may add.
pub(super) const STOPS: Duration = Duration::from_secs(90);
const A_MINUTE: Duration = Duration::from_secs(60);

/// What came of one seed.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) violations: Vec<String>,
    /// What is left of it all.
    pub(super) world: Option<World>,
    pub(super) hash: u64,
    pub(super) lasted: Duration,
    pub(super) requests: usize,
    pub(super) terms: usize,
    pub(super) takeovers: usize,
    pub(super) fenced: u64,
    pub(super) cut_short: usize,
    pub(super) landed_late: usize,
    pub(super) strikes: BTreeMap<&'static str, u64>,
    /// How long it took until all was well.
    pub(super) settled: Duration,
}

pub(super) struct Play {
    pub(super) world: World,
    pub(super) replicas: Vec<Replica>,
    pub(super) books: Books,
    pub(super) locks: Api<Lease>,
    pub(super) agenda: BinaryHeap<Reverse<(Duration, Due)>>,
    pub(super) contender: Option<JoinHandle<()>>,
    /// Which clocks may be far off: the server's, or those of the replicas. The rule that looks at both lives with one that is wrong.
    pub(super) server_wanders: bool,
    pub(super) wandered: i64,
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
        let server_wanders = world.draw(Rng::bool);
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
            let overwritten = self.world.log().take_overwritten();
            for name in overwritten {
                self.books.mend(&name).await;
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
        // By then writes that were left without an answer do not hold that up any more.
        sleep(A_MINUTE).await;
        let leader = self.world.leaders().first().copied();
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
        let Some(leader) = leader else { return };
        let (now, lock) = (self.world.now(), self.world.look(LOCK).unwrap_or_default());
        let is_held = lock["spec"]["holderIdentity"].as_str().is_some_and(|holder| !holder.is_empty());
        let mut log = self.world.log();
        // What hung when all became calm may hang until the end.
        if is_held && log.may_land(now, leader).is_none() {
            log.violated(now, format!("{leader} does not give the lock back: {}", lock["spec"]));
        }
    }

    fn outcome(self, settled: Duration) -> Outcome {
        let (record, lasted) = (self.world.cluster().requests(), self.world.now());
        let log = self.world.log();
        Outcome {
            violations: log.violations.clone(),
            world: Some(self.world.clone()),
            hash: log.hash(),
            lasted,
            requests: log.entries.len(),
            terms: log.terms.len(),
            takeovers: log.takeovers(),
            fenced: log.fenced,
            cut_short: log.cut_short(),
            landed_late: log.landed_late(&record),
            strikes: log.strikes.clone(),
            settled,
        }
    }
}
