//! The network: requests, answers and watches, all of which may be lost, late or twice.

use super::*;

impl World {
    /// How long a message travels: mostly a moment, sometimes until nobody waits for it any more.
    pub(super) fn travel(&mut self) -> Micros {
        let calm = self.now >= CALM;
        match self.random.u8(0..100) {
            0..2 if !calm => self.random.u64(0..60 * SECOND),
            2..12 if !calm => self.random.u64(0..4 * SECOND),
            _ => self.random.u64(MILLISECOND..20 * MILLISECOND),
        }
    }

    pub(super) fn goes_wrong(&mut self, percent: u8) -> bool {
        self.now < CALM && self.random.u8(0..100) < percent
    }

    /// A request goes out; without an answer in time it is given up.
    pub(super) fn ask(&mut self, author: Author, put: Option<Put>) {
        self.calls += 1;
        let (now, call) = (self.now, self.calls);
        let Some(process) = self.process(author) else { return };
        process.call = Some(call);
        process.asks(now);
        let patience = u64::try_from(process.options.call_timeout().as_micros()).unwrap();
        self.after(patience, author, Event::GiveUp { call });
        let travel = self.travel();
        if self.goes_wrong(3) {
            self.pause(author.0);
        }
        if self.goes_wrong(2) {
            self.crash(author);
        }
        if self.goes_wrong(5) {
            return;
        }
        if self.now < self.outage_until || self.goes_wrong(4) {
            return self.after(travel, author, Event::Answer { call, input: Input::Failed });
        }
        // A server may fail after it has obeyed.
        let answer = self.goes_wrong(3).then_some(Input::Failed);
        let event = put.map_or(Event::ReadArrives { call }, |put| Event::PutArrives { call, put, answer });
        self.after(travel, author, event);
    }

    pub(super) fn answer(&mut self, author: Author, call: u64, input: Input) {
        if !self.goes_wrong(5) {
            let travel = self.travel();
            self.after(travel, author, Event::Answer { call, input });
        }
    }

    /// A watch that starts right after what is known.
    pub(super) fn open_watch(&mut self, author: Author) {
        let (now, silent) = (self.now, self.goes_wrong(3));
        let Some(process) = self.process(author) else { return };
        process.watch += 1;
        process.watch_is_silent = silent;
        process.watch_busy_until = now;
        let (watch, seen) = (process.watch, process.seen);
        let missed: Vec<_> = self.server.history.iter().filter(|it| it.version() > seen).cloned().collect();
        self.tell(author, Input::Watching(true));
        for observation in missed {
            self.tell(author, Input::Watched(observation));
        }
        if self.goes_wrong(20) {
            let broken = self.random.u64(0..30 * SECOND);
            self.after(broken, author, Event::Watch { watch, input: Input::Watching(false) });
            self.after(broken + SECOND, author, Event::OpenWatch { watch });
        }
    }

    /// What the server has accepted goes out to all watches.
    pub(super) fn tell_watches(&mut self) {
        let Some(newest) = self.server.history.last().cloned() else { return };
        let authors: Vec<Author> =
            self.replicas.iter().filter_map(|replica| Some(replica.process.as_ref()?.author)).collect();
        for author in authors {
            self.tell(author, Input::Watched(newest.clone()));
        }
    }

    /// In order, but late, and now and then twice.
    pub(super) fn tell(&mut self, author: Author, input: Input) {
        let (now, travel, twice) = (self.now, self.travel(), self.goes_wrong(3));
        let Some(process) = self.process(author) else { return };
        if process.watch_is_silent && input != Input::Watching(true) {
            return;
        }
        process.watch_busy_until = process.watch_busy_until.max(now + travel);
        let (watch, wait) = (process.watch, process.watch_busy_until - now);
        if twice {
            self.after(wait, author, Event::Watch { watch, input: input.clone() });
        }
        self.after(wait, author, Event::Watch { watch, input });
    }
}
