//! Whole electors, with random faults. What an election decides is played in its own simulation; this is about what carries
//! it out: calls, watches, terms, work.

use std::time::Duration;

use kubeops::leadership::Term;
use tokio::time::{sleep, timeout};

use crate::site::Site;
use crate::{HOUR, LEASE, Replica, patient_replica};

const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_never_do_two_lead_and_in_the_end_one_does() {
    for seed in 0..8 {
        // Shown only when the test fails.
        println!("seed {seed}");
        play(fastrand::Rng::with_seed(seed)).await;
    }
}

async fn play(mut random: fastrand::Rng) {
    let site = Site::start().await;
    let mut replicas: Vec<Replica> = ["a", "b", "c"].map(|name| patient_replica(&site, name, PATIENCE)).into();
    for round in 0..300 {
        sleep(Duration::from_millis(random.u64(1..2000))).await;
        check(&replicas);
        let name = format!("r{round}");
        let replica = random.choice(&mut replicas).unwrap();
        match random.u8(0..12) {
            0 => replica.way.cut(),
            1 => replica.way.lose_answers(),
            2..6 => replica.way.mend(),
            6 => {
                replica.run.abort();
                *replica = patient_replica(&site, &name, PATIENCE);
            }
            7 => {
                replica.stop.cancel();
                let outcome = timeout(HOUR, &mut replica.run).await.expect("does not stop");
                outcome.unwrap().unwrap();
                *replica = patient_replica(&site, &name, PATIENCE);
            }
            8 => site.write_as_foreigner(&name).await,
            _ => {
                if let Some(term) = replica.leadership.term() {
                    tokio::spawn(work(term, Duration::from_millis(random.u64(0..4000))));
                }
            }
        }
    }
    for replica in &replicas {
        replica.way.mend();
    }
    sleep(LEASE * 4).await;
    assert_eq!(check(&replicas), 1, "all is well, and nobody leads");
    for replica in replicas {
        replica.stop.cancel();
        timeout(HOUR, replica.run).await.expect("does not stop").unwrap().unwrap();
    }
}

/// Goes on for a while, a little longer than its term if need be.
async fn work(term: Term, length: Duration) {
    let Some(_work) = term.begin_work() else { return };
    let _over = timeout(length, term.ended()).await;
    sleep(length / 4).await;
}

fn check(replicas: &[Replica]) -> usize {
    let leads = replicas.iter().filter(|replica| replica.leadership.term().is_some()).count();
    assert!(leads <= 1, "{leads} lead");
    leads
}
