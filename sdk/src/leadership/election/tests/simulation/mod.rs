//! Candidates, one lock and a hostile network, in virtual time: whatever happens, nobody is wrong about who leads, and in
//! the end somebody does.
//!
//! Requests and answers are lost, late, or refused although they were obeyed; a write may land long after it was given up;
//! watches lag, repeat themselves, break, or fall silent; processes crash, pause, stop and come back, some under their old
//! identity; wall clocks are off and jump; others label the lock, write into it, clear it and delete it. The same seed plays
//! the same game. `SEEDS=100000 cargo test --release simulation` plays more of them.

mod candidate;
mod faults;
mod network;
mod server;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use self::candidate::{Process, Term, moment_of};
use self::server::Server;
use super::*;

type Micros = u64;
/// Which replica, and its how manieth process.
type Author = (usize, u32);

const MILLISECOND: Micros = 1000;
const SECOND: Micros = 1_000_000;
const START: Micros = 1000 * SECOND;
/// From then on nothing new goes wrong...
const CALM: Micros = START + 240 * SECOND;
/// ... and by then somebody must lead: two of the longest leases, and the latest of late writes in between.
const END: Micros = CALM + 150 * SECOND;

/// What may go wrong beyond the network.
#[derive(Clone, Copy)]
enum Weather {
    /// Crashes, pauses, stops; others write as they should.
    Rough,
    /// Somebody also clears the holder and deletes the lock, which forces elections.
    Meddled,
}

#[derive(Debug)]
enum Event {
    Start,
    Timer(u64),
    ReadArrives { call: u64 },
    PutArrives { call: u64, put: Put, answer: Option<Input> },
    Answer { call: u64, input: Input },
    GiveUp { call: u64 },
    Watch { watch: u64, input: Input },
    OpenWatch { watch: u64 },
    WorkEnded,
    DrainOverdue,
    Chaos,
}

struct Replica {
    life: u32,
    process: Option<Process>,
    paused_until: Micros,
}

struct World {
    random: fastrand::Rng,
    weather: Weather,
    now: Micros,
    server: Server,
    replicas: Vec<Replica>,
    queue: BinaryHeap<Reverse<(Micros, u64)>>,
    events: Vec<Option<(Author, Event)>>,
    /// Until then the server answers nothing but errors.
    outage_until: Micros,
    calls: u64,
    newest_token: u64,
    terms: u32,
}

fn play(weather: Weather, seeds: u64) {
    let seeds = std::env::var("SEEDS").map_or(seeds, |seeds| seeds.parse().unwrap());
    let mut terms = 0;
    for seed in 0..seeds {
        // Shown only when the test fails.
        println!("seed {seed}");
        let mut world = World::new(weather, seed);
        world.run();
        terms += u64::from(world.terms);
    }
    assert!(terms > 3 * seeds, "only {terms} terms: the game is too calm to prove anything");
}

#[test]
fn nobody_is_wrong_about_who_leads_whatever_the_network_does() {
    play(Weather::Rough, 100);
}

#[test]
fn nobody_is_wrong_about_who_leads_when_others_meddle_with_the_lock() {
    play(Weather::Meddled, 100);
}

impl World {
    fn new(weather: Weather, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let replicas = (0..random.usize(2..=3)).map(|_| Replica { life: 0, process: None, paused_until: 0 }).collect();
        let mut world = Self {
            random,
            weather,
            now: START,
            server: Server::new(),
            replicas,
            queue: BinaryHeap::new(),
            events: Vec::new(),
            outage_until: START,
            calls: 0,
            newest_token: 0,
            terms: 0,
        };
        for replica in 0..world.replicas.len() {
            world.after(0, (replica, 0), Event::Start);
        }
        world.after(SECOND, (0, 0), Event::Chaos);
        world
    }

    fn run(&mut self) {
        while let Some(Reverse((at, number))) = self.queue.pop() {
            if at > END {
                break;
            }
            self.now = at;
            let Some((author, event)) = self.events[usize::try_from(number).unwrap()].take() else { continue };
            self.happen(author, event);
            self.check_that_at_most_one_leads();
        }
        let leads = |replica: &Replica| replica.process.as_ref().is_some_and(|it| it.term_at(END).is_some());
        assert!(self.replicas.iter().any(leads), "nobody leads, although all is calm: {:?}", self.server.read());
    }

    fn after(&mut self, wait: Micros, author: Author, event: Event) {
        self.queue.push(Reverse((self.now + wait, self.events.len() as u64)));
        self.events.push(Some((author, event)));
    }

    fn process(&mut self, author: Author) -> Option<&mut Process> {
        self.replicas[author.0].process.as_mut().filter(|process| process.author == author)
    }

    fn happen(&mut self, author: Author, event: Event) {
        match event {
            Event::Chaos => return self.chaos(),
            Event::ReadArrives { call } => {
                let input = Input::Answered(self.server.read());
                return self.answer(author, call, input);
            }
            Event::PutArrives { call, put, answer } => {
                let input = self.server.put(self.now, author, put);
                self.tell_watches();
                return self.answer(author, call, answer.unwrap_or(input));
            }
            Event::Start => return self.start(author),
            _ => {}
        }
        let paused_until = self.replicas[author.0].paused_until;
        if paused_until > self.now {
            return self.after(paused_until - self.now, author, event);
        }
        let now = self.now;
        let Some(process) = self.process(author) else { return };
        match event {
            Event::Timer(timer) if process.timer == timer => self.step(author, Input::Woken),
            Event::Answer { call, input } if process.call == Some(call) => {
                process.call = None;
                self.step(author, input);
            }
            // A write that nobody waits for any more counts by what it shows.
            Event::Answer { input: Input::Answered(late), .. } => self.step(author, Input::Watched(late)),
            Event::GiveUp { call } if process.call == Some(call) => {
                process.call = None;
                self.step(author, Input::Silent);
            }
            Event::Watch { watch, input } if process.watch == watch => self.step(author, input),
            Event::OpenWatch { watch } if process.watch == watch => self.open_watch(author),
            Event::WorkEnded if process.awaited => {
                process.awaited = false;
                process.working = false;
                // One in four left a write without an answer.
                if now.is_multiple_of(4) {
                    process.unanswered = Some(now);
                }
                let unanswered = process.unanswered.map(moment_of);
                self.step(author, Input::WorkEnded { unanswered });
            }
            Event::DrainOverdue => self.step(author, Input::DrainOverdue),
            _ => {}
        }
    }

    fn start(&mut self, (replica, _): Author) {
        if self.replicas[replica].process.is_some() {
            return;
        }
        self.replicas[replica].life += 1;
        let author = (replica, self.replicas[replica].life);
        // A container that is started again in its pod has the identity of the one before.
        let pod = if self.random.bool() { 0 } else { author.1 };
        let seconds = [(15, 10, 2), (6, 5, 1), (10, 9, 2), (30, 29, 5)][self.random.usize(0..4)];
        let options = ElectionOptions {
            lease_duration: Duration::from_secs(seconds.0),
            renew_deadline: Duration::from_secs(seconds.1),
            retry_period: Duration::from_secs(seconds.2),
            ..ElectionOptions::new(format!("replica-{replica}_{pod}"))
        };
        let skew = self.random.i64(-3_600_000_000..3_600_000_000);
        let seed = self.random.u64(..);
        self.replicas[replica].process = Some(Process::new(author, options, skew, seed));
        self.open_watch(author);
        self.step(author, Input::Stand);
    }

    fn step(&mut self, author: Author, input: Input) {
        let now = self.now;
        let Some(process) = self.process(author) else { return };
        let (woken, refused) = (input == Input::Woken, input == Input::Conflict);
        for effect in process.step(now, input) {
            self.carry_out(author, effect);
        }
        if refused {
            self.open_watch(author);
        }
        let Some(process) = self.process(author) else { return };
        if !process.election.awaits_answer() {
            process.call = None;
        }
        assert!(!woken || process.election.wake_at().is_none_or(|at| at > moment_of(now)), "a busy loop");
        process.timer += 1;
        let (timer, wake) = (process.timer, process.wakes_at(now));
        self.after(wake - now, author, Event::Timer(timer));
    }

    fn carry_out(&mut self, author: Author, effect: Effect) {
        let now = self.now;
        let Some(process) = self.process(author) else { return };
        match effect {
            Effect::Read => self.ask(author, None),
            Effect::Put(put) => {
                if put.spec.holder().is_none() {
                    assert!(!process.working && process.term_at(now).is_none(), "released before the end");
                    assert!(!process.may_be_overtaken(now), "released although a write may still land");
                }
                self.ask(author, Some(put));
            }
            Effect::Begin { valid_until, token } => {
                assert!(!process.working, "a new term next to the work of the old one");
                assert!(!process.stopping, "a term that begins at the end");
                assert!(valid_until > moment_of(now), "a term that is over when it begins");
                process.working = true;
                process.term = Some(Term { token, valid_until });
                self.terms += 1;
                assert!(token > self.newest_token || token < self.server.forced(), "the fencing token does not grow");
                self.newest_token = self.newest_token.max(token);
                self.check_that_no_known_term_goes_on(author, token);
            }
            Effect::Extend { valid_until } => {
                let Some(term) = process.term_at(now) else { panic!("a term that was over goes on") };
                assert!(valid_until > term.valid_until);
                process.term = Some(Term { valid_until, ..term });
            }
            Effect::Drain => {
                process.awaited = true;
                let (work, patience) = (self.random.u64(0..8 * SECOND), self.random.u64(0..8 * SECOND));
                self.after(work, author, Event::WorkEnded);
                self.after(patience, author, Event::DrainOverdue);
            }
            Effect::End(_) => {
                process.term = None;
                process.awaited = true;
                let work = self.random.u64(0..300 * MILLISECOND);
                self.after(work, author, Event::WorkEnded);
            }
            Effect::Released => assert!(process.stopping),
            Effect::Stopped => {
                assert!(process.term.is_none() && !process.working, "stopped before the end");
                self.replicas[author.0].process = None;
                let pause = self.random.u64(0..20 * SECOND);
                self.after(pause, author, Event::Start);
            }
        }
    }

    /// A candidate that knew of a term does not create the lock anew before its end.
    fn check_that_no_known_term_goes_on(&self, author: Author, token: u64) {
        if self.server.created != token {
            return;
        }
        let processes = || self.replicas.iter().filter_map(|replica| replica.process.as_ref());
        let others = processes().filter(|it| it.author != author && it.term_at(self.now).is_some());
        for other in others.filter(|it| it.term.is_some_and(|term| self.server.cleared < term.token)) {
            let holder = other.election.newest().and_then(|newest| newest.record()).map(|record| &record.spec);
            let knew = processes().any(|it| it.author == author && holder.is_some_and(|spec| it.knows(spec)));
            assert!(!knew, "term {token} of {author:?} began in that of {:?}", other.author);
        }
    }

    /// But for a lock that somebody cleared or deleted while it was held: that forces an election.
    fn check_that_at_most_one_leads(&self) {
        let valid = self.replicas.iter().filter_map(|it| it.process.as_ref()?.term_at(self.now));
        let unforced: Vec<Term> = valid.filter(|term| term.token > self.server.forced()).collect();
        assert!(unforced.len() <= 1, "two terms at one instant: {unforced:?}");
    }
}
