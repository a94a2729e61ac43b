//! Random faults. There is one thing that nobody may see: two valid terms. Whoever deletes a pod by force, or a lock by hand,
//! vouches for its holder's death, so pods are deleted here only when their processes have ended.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kubeops::leadership::Term;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::site::{Kind, Site};
use crate::{HOUR, LEASE, Replica, process_by};

/// A pod, and the process in it.
struct Member {
    name: String,
    uid: String,
    late: Arc<AtomicU64>,
    replica: Replica,
}

struct Play {
    site: Site,
    random: Arc<Mutex<fastrand::Rng>>,
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_never_do_two_lead_and_in_the_end_one_does() {
    for seed in 0..8 {
        // Shown only when the test fails.
        println!("seed {seed}");
        let kind = if seed % 2 == 0 { Kind::ConfigMap } else { crate::KINDS[1] };
        play(kind, fastrand::Rng::with_seed(seed)).await;
    }
}

impl Play {
    async fn member(&self, name: String) -> Member {
        let (uid, late) = (self.site.pod(&name).await, Arc::default());
        let replica = self.process(&name, &uid, &late);
        Member { name, uid, late, replica }
    }

    fn process(&self, name: &str, uid: &str, late: &Arc<AtomicU64>) -> Replica {
        let client = self.site.late_client(name, late.clone(), self.random.clone());
        process_by(client, &self.site, name, uid, |_| {})
    }
}

async fn play(kind: Kind, mut random: fastrand::Rng) {
    let site = Site::start(kind).await;
    let play = Play { site: site.clone(), random: Arc::new(Mutex::new(random.fork())) };
    let mut members = Vec::new();
    for name in ["a", "b", "c"] {
        members.push(play.member(name.to_owned()).await);
    }
    let mut terms = 0;
    for round in 0..300 {
        sleep(Duration::from_millis(random.u64(1..2000))).await;
        terms += check(&members);
        let member = random.choice(&mut members).unwrap();
        match random.u8(0..15) {
            0 => member.replica.way.cut(),
            1 => member.replica.way.lose_answers(),
            // Up to several times as long as a call is waited for.
            2 => member.late.store(random.u64(1..9000), Ordering::SeqCst),
            3 => member.replica.way.end_watches(),
            4..7 => {
                member.late.store(0, Ordering::SeqCst);
                member.replica.way.mend();
            }
            7 => {
                // Its container is started again.
                member.replica.run.abort();
                let _aborted = (&mut member.replica.run).await;
                member.replica = play.process(&member.name, &member.uid, &member.late);
            }
            8 => {
                member.replica.run.abort();
                let _aborted = (&mut member.replica.run).await;
                if random.bool() {
                    site.evicted(&member.name).await;
                    sleep(Duration::from_millis(random.u64(1..3000))).await;
                }
                site.delete_pod(&member.name).await;
                *member = play.member(format!("r{round}")).await;
            }
            9 => {
                member.replica.stop.cancel();
                timeout(HOUR, &mut member.replica.run).await.expect("does not stop").unwrap().unwrap();
                site.delete_pod(&member.name).await;
                *member = play.member(format!("r{round}")).await;
            }
            10 => {
                if let Some(term) = member.replica.leadership.term() {
                    term.step_down("chance");
                }
            }
            11 => site.change(&json!({ "labels": { "round": round.to_string() } })).await,
            12 => {
                let finalizers = if random.bool() { json!(["example.com/keep"]) } else { json!(null) };
                site.change(&json!({ "finalizers": finalizers })).await;
            }
            _ => {
                if let Some(term) = member.replica.leadership.term() {
                    tokio::spawn(work(term, Duration::from_millis(random.u64(0..4000))));
                }
            }
        }
    }
    for member in &members {
        member.replica.way.mend();
        member.late.store(0, Ordering::SeqCst);
    }
    site.change(&json!({ "finalizers": null })).await;
    sleep(LEASE * 4).await;
    assert_eq!(check(&members), 1, "all is well, and nobody leads");
    assert!(terms > 50, "somebody led much of the time: {terms}");
    for member in members {
        member.replica.stop.cancel();
        timeout(HOUR, member.replica.run).await.expect("does not stop").unwrap().unwrap();
    }
    assert_eq!(site.holder().await, None);
}

/// Goes on for a while, a little longer than its term if need be.
async fn work(term: Term, length: Duration) {
    let Some(_work) = term.begin_work() else { return };
    let _over = timeout(length, term.ended()).await;
    sleep(length / 4).await;
}

fn check(members: &[Member]) -> usize {
    let leads = members.iter().filter(|member| member.replica.leadership.term().is_some()).count();
    assert!(leads <= 1, "{leads} lead");
    leads
}
