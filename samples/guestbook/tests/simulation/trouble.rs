//! What goes wrong, a blow every few seconds.

use std::cmp::Reverse;
use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;
use jiff::SignedDuration;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::contender::Contender;
use super::play::{Play, STOPS};
use super::{Author, weather};

const LOCK_NAME: &str = "guestbook-leader";
/// A clock that is a little off, in milliseconds.
pub(super) const A_LITTLE: i64 = 20_000;
pub(super) const A_LOT: i64 = 3_600_000;

/// What is to be done at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Start(usize),
    /// The replica in this life.
    Thaw(usize, Author),
    Crash(usize, Author),
    MustHaveStopped(usize, Author),
    Mend(usize),
}

impl Play {
    pub(super) async fn trouble(&mut self, length: Duration) {
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

    fn later(&mut self, seconds: Range<f64>, due: Due) {
        let wait = self.world.draw(|random| seconds.start + random.f64() * (seconds.end - seconds.start));
        // Whole milliseconds, as timers have them.
        let wait = Duration::from_millis(Duration::from_secs_f64(wait).as_millis() as u64);
        self.agenda.push(Reverse((self.world.now() + wait, due)));
    }

    pub(super) async fn is_due(&mut self, due: Due) {
        match due {
            Due::Start(number) if !self.replicas[number].is_up() => {
                let new_pod = self.world.draw(Rng::bool);
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
    pub(super) async fn mind_the_ended(&mut self) {
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
                let paused = replica.may_be_paused && self.world.draw(Rng::bool);
                self.world.strike(if paused { "machine paused" } else { "process frozen" }, author);
                replica.freeze(paused);
                self.later(0.1..60.0, Due::Thaw(number, author));
            }
            14..17 => {
                let down = replica.step_down();
                self.world.strike("step down", format!("{author}: {down}"));
            }
            17 if !replica.may_be_paused => {
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
                if self.world.draw(Rng::bool) {
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
                let contender = Contender::new(&self.world).run(length, self.world.draw(Rng::bool));
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
}
