//! Leadership without an election: a process that is the only one leads as long as it runs.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::election::EndReason;
use super::following::Leadership;
use super::history::TermHistory;
use super::term::{LeadershipState, Term, TermControl};

/// Leads without asking anybody. With more than one such process there is more than one leader.
#[derive(Debug)]
#[must_use = "nobody leads until it is run"]
pub struct Alone {
    state: watch::Sender<LeadershipState>,
    control: TermControl,
    term: Term,
    history: TermHistory,
}

impl Alone {
    /// The one leader, named `identity`.
    pub fn new(identity: &str) -> (Self, Leadership) {
        let state = watch::Sender::new(LeadershipState::Standby { leader: None });
        let leadership = Leadership::following(&state);
        let (control, term) = Term::unending(identity);
        (Self { state, control, term, history: TermHistory::new(Clock::boot()) }, leadership)
    }

    /// Tells when it led.
    #[must_use]
    pub fn history(&self) -> TermHistory {
        self.history.clone()
    }

    /// Leads once `ready` resolves, until `stop` is cancelled and the work has ended, for which it waits `patience` at most.
    ///
    /// # Cancel safety
    /// When dropped, the term ends.
    pub async fn run(self, ready: impl Future<Output = ()> + Send, stop: CancellationToken, patience: Duration) {
        let Self { state, control, term, history } = self;
        let control = EndOnDrop(control);
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = ready => {}
        }
        history.began(term.identity(), term.id(), Timestamp::now());
        state.send_replace(LeadershipState::Leading(term));
        stop.cancelled().await;
        control.0.drain();
        let _in_time = timeout(patience, control.0.idle()).await;
        control.0.end(EndReason::Stopped);
        history.ended(EndReason::Stopped, Timestamp::now());
        state.send_replace(LeadershipState::Standby { leader: None });
        control.0.idle().await;
    }
}

struct EndOnDrop(TermControl);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end(EndReason::Stopped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_leads_until_the_stop_and_waits_for_the_work() {
        let (alone, mut leadership) = Alone::new("me");
        let stop = CancellationToken::new();
        let run = tokio::spawn(alone.run(std::future::ready(()), stop.clone(), Duration::from_secs(10)));
        let term = leadership.next_term(0).await.unwrap();
        let work = term.begin_work().unwrap();
        stop.cancel();
        term.draining().await;
        assert!(term.is_valid(), "running work may go on");
        term.ended().await;
        assert!(!run.is_finished());
        drop(work);
        run.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_drop_ends_the_term() {
        let (alone, mut leadership) = Alone::new("me");
        let run = tokio::spawn(alone.run(std::future::ready(()), CancellationToken::new(), Duration::ZERO));
        let term = leadership.next_term(0).await.unwrap();
        run.abort();
        term.ended().await;
        assert!(term.begin_work().is_none());
    }
}
