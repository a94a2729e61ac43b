//! A replica of the real operator, life after life.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use kubeops::leadership::clock::{Clock, Moment, Reading};
use kubeops::operator::{Replica as Start, RunningOperator};

use super::Author;
use super::log::Times;
use super::network::way;
use super::world::World;
use crate::operator;

/// What the clocks of a machine show, as far as that is not the time.
#[derive(Clone, Copy, Debug, Default)]
struct Machine {
    /// How far the wall clock is off, in milliseconds.
    skew: i64,
    /// How long the boot clock has stood still altogether, and since when it does.
    stood: Duration,
    stands_since: Option<Duration>,
}

pub(super) struct Replica {
    world: World,
    number: usize,
    life: u32,
    pod: u32,
    times: Times,
    machine: Arc<Mutex<Machine>>,
    /// Its boot clock may stand still, and its wall clock is never set then: of a machine of which both clocks are wrong at once
    /// nothing is promised.
    pub(super) may_be_paused: bool,
    running: Option<RunningOperator>,
    pub(super) frozen: bool,
    pub(super) stopping: bool,
}

impl Replica {
    pub(super) fn new(world: &World, number: usize, times: Times, skew: i64) -> Self {
        let may_be_paused = world.draw(Rng::bool);
        let machine = Arc::new(Mutex::new(Machine { skew, ..Machine::default() }));
        let world = world.clone();
        Self {
            world,
            number,
            life: 0,
            pod: 0,
            times,
            machine,
            may_be_paused,
            running: None,
            frozen: false,
            stopping: false,
        }
    }

    pub(super) fn author(&self) -> Author {
        Author::Replica { number: self.number, life: self.life }
    }

    pub(super) fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// Starts it, in a new pod or in the one of its last life.
    pub(super) async fn start(&mut self, new_pod: bool) {
        self.life += 1;
        let again = self.life > 1 && !new_pod;
        self.pod += u32::from(!again);
        let author = self.author();
        let seconds = |time: Duration| format!("{}s", time.as_secs());
        let Times { lease, deadline, retry } = self.times;
        let start = Start::new(author.user(), way(&self.world, author))
            .with_clock(self.clock())
            .with_setting("KubeOps:PodUid", format!("pod-{}-{}", self.number, self.pod))
            .with_setting("KubeOps:LeaderElectionLeaseDuration", seconds(lease))
            .with_setting("KubeOps:LeaderElectionRenewDeadline", seconds(deadline))
            .with_setting("KubeOps:LeaderElectionRetryPeriod", seconds(retry))
            .with_setting("KubeOps:ErrorBackoffMax", "20s")
            .with_setting("Logging:LogLevel:Default", "None");
        // Its earlier life is surely over: the kernel would say so of a container in the same pod.
        let start = if again { start.as_only_bearer() } else { start };
        let running = operator().start_as(start).await;
        self.world.lives(author, running.leadership(), self.times);
        self.running = Some(running);
    }

    /// It is gone in the middle of whatever it did.
    pub(super) async fn crash(&mut self) {
        if let Some(running) = self.running.take() {
            self.count_fenced(&running).await;
            drop(running);
            self.world.died(self.author());
        }
        (self.frozen, self.stopping) = (false, false);
        self.stand(false);
    }

    pub(super) fn begin_stop(&mut self) {
        self.stopping = true;
        if let Some(running) = &self.running {
            running.begin_stop();
        }
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.running.as_ref().is_some_and(RunningOperator::has_ended)
    }

    /// Takes away what has ended by itself, and tells why.
    pub(super) async fn bury(&mut self) -> Result<(), String> {
        let Some(running) = self.running.take() else { return Ok(()) };
        self.count_fenced(&running).await;
        let ended = running.stop().await.map_err(|error| error.to_string());
        self.world.died(self.author());
        (self.frozen, self.stopping) = (false, false);
        ended
    }

    /// Nothing of it runs, while time goes on; `paused`: its boot clock stands, too, as when a hypervisor has paused the machine.
    pub(super) fn freeze(&mut self, paused: bool) {
        self.frozen = true;
        self.stand(paused);
        if let Some(running) = &self.running {
            running.freeze();
        }
    }

    pub(super) fn thaw(&mut self) {
        self.frozen = false;
        self.stand(false);
        if let Some(running) = &self.running {
            running.thaw();
        }
    }

    pub(super) fn hang_elector(&self) {
        if let Some(running) = &self.running {
            running.hang_elector();
        }
    }

    pub(super) fn step_down(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.leadership().step_down("the simulation wants it"))
    }

    /// Sets its wall clock.
    pub(super) fn set_wall(&self, skew: i64) {
        self.machine.lock().unwrap().skew = skew;
    }

    fn stand(&self, stands: bool) {
        let now = self.world.now();
        let mut machine = self.machine.lock().unwrap();
        match (machine.stands_since, stands) {
            (None, true) => machine.stands_since = Some(now),
            (Some(since), false) => {
                machine.stood += now - since;
                machine.stands_since = None;
            }
            _ => {}
        }
    }

    fn clock(&self) -> Clock {
        let (time, machine) = (self.world.time(), self.machine.clone());
        Clock::from_both(move || {
            let Machine { skew, stood, stands_since } = *machine.lock().unwrap();
            let now = stands_since.unwrap_or_else(|| time.now());
            let off = Duration::from_millis(skew.unsigned_abs());
            let wall = if skew < 0 { time.wall() - off } else { time.wall() + off };
            Reading { clock: Moment::new(now - stood), wall: Moment::new(wall) }
        })
    }

    async fn count_fenced(&self, running: &RunningOperator) {
        let (_, metrics) = running.get("/metrics").await;
        let line = metrics.lines().find_map(|line| line.strip_prefix("kubeops_fenced_writes_total "));
        self.world.log().fenced += line.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or_default();
    }
}
