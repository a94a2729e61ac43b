//! What happens to processes, and what others do to the lock.

use super::*;

impl World {
    pub(super) fn chaos(&mut self) {
        if self.now >= CALM {
            return;
        }
        let pause = self.random.u64(100 * MILLISECOND..6 * SECOND);
        self.after(pause, (0, 0), Event::Chaos);
        let replica = self.random.usize(0..self.replicas.len());
        let author = (replica, self.replicas[replica].life);
        match self.random.u8(0..20) {
            0..2 => self.pause(replica),
            2..4 => self.crash(author),
            4 => self.outage_until = (self.now + self.random.u64(0..20 * SECOND)).min(CALM),
            5..7 => {
                if let Some(process) = self.process(author)
                    && !process.stopping
                {
                    process.stopping = true;
                    self.step(author, Input::Stop);
                }
            }
            7..10 => {
                self.server.label();
                self.tell_watches();
            }
            10 => {
                let skew = self.random.i64(-3_600_000_000..3_600_000_000);
                if let Some(process) = self.process(author) {
                    process.skew = skew;
                }
            }
            11 => {
                self.server.meddle(self.now, Some("kubectl"));
                self.tell_watches();
            }
            12..14 if matches!(self.weather, Weather::Meddled) => {
                self.server.meddle(self.now, None);
                self.tell_watches();
            }
            14..16 if matches!(self.weather, Weather::Meddled) => {
                self.server.delete();
                self.tell_watches();
            }
            _ => {}
        }
    }

    pub(super) fn pause(&mut self, replica: usize) {
        self.replicas[replica].paused_until = (self.now + self.random.u64(0..40 * SECOND)).min(CALM);
    }

    /// What it sent may arrive all the same.
    pub(super) fn crash(&mut self, author: Author) {
        self.replicas[author.0].process = None;
        let restart = self.random.u64(0..10 * SECOND);
        self.after(restart, author, Event::Start);
    }
}
