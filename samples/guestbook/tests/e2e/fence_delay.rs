//! How long the API server takes to learn from the Lease who leads: its fence goes by an informer of its own.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::api::{ListParams, ObjectMeta, PostParams};
use kube::{Api, Client};
use kubeops::leadership::{Term, fence};
use kubeops::metrics::Metrics;

use crate::fence::{POLICY, apply_strictly, wait_installed, write};
use crate::harness::{BoundPod, Cluster, LOCK, OPERATOR, SYSTEM, say};

/// How often the lock changes hands; `KUBEOPS_TAKEOVERS` sets it.
const TAKEOVERS: usize = 20;
/// A fence that still refuses its holder then does not open at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was seen at each takeover.
#[derive(Default)]
struct Seen {
    /// From the Lease's write to the first write of the new holder that was taken, tried without a pause.
    opened: Vec<Duration>,
    /// The same of one write through a term's client, which pauses after a refusal.
    first_write: Vec<Duration>,
    refused_first: usize,
    /// Writes of the old holder, sent as soon as the Lease named the new one, that were taken all the same.
    late: usize,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_new_holder_writes_within_milliseconds_and_its_first_write_succeeds() {
    let cluster = Cluster::start_alone().await;
    apply_strictly(&cluster, &cluster.generate("manifests", &["--fence"]).await.join("base")).await;
    let pods =
        [cluster.bound_pod_of(SYSTEM, OPERATOR, "pod-a").await, cluster.bound_pod_of(SYSTEM, OPERATOR, "pod-b").await];
    let rounds = std::env::var("KUBEOPS_TAKEOVERS").ok().and_then(|count| count.parse().ok()).unwrap_or(TAKEOVERS);
    let mut seen = Seen::default();
    wait_installed(POLICY, &pods[0].client).await;
    take(&pods[1]).await;
    for round in 0..rounds {
        let (new, old) = (&pods[round % 2], &pods[(round + 1) % 2]);
        // The old one is known as the holder, and its connection is open.
        open(&old.client).await;
        take_over(new, old, round % 4 < 2, &mut seen).await;
    }
    seen.tell(rounds);
    assert_eq!(seen.opened.len() + seen.first_write.len(), rounds);
}

async fn take_over(new: &BoundPod, old: &BoundPod, fenced: bool, seen: &mut Seen) {
    take(new).await;
    let taken = Instant::now();
    let late = write(&old.client, "late");
    let (late, ()) = if fenced {
        tokio::join!(late, async {
            let (_control, term) = Term::unending(new.identity.clone());
            write(&fence(&new.client, &term, &Metrics::new()), "early").await.expect("the first write of a new leader");
            seen.first_write.push(taken.elapsed());
        })
    } else {
        tokio::join!(late, async {
            seen.refused_first += usize::from(open(&new.client).await > 0);
            seen.opened.push(taken.elapsed());
        })
    };
    seen.late += usize::from(late.is_ok());
}

/// Writes until a write is taken; returns how many were refused.
async fn open(client: &Client) -> usize {
    let start = Instant::now();
    let mut refused = 0;
    while let Err(error) = write(client, "early").await {
        assert!(start.elapsed() < PATIENCE, "{error}");
        refused += 1;
    }
    refused
}

/// As the elector does it.
async fn take(pod: &BoundPod) {
    let leases: Api<Lease> = Api::namespaced(pod.client.clone(), SYSTEM);
    let only_it = ListParams::default().fields(&format!("metadata.name={LOCK}"));
    let known = leases.list(&only_it).await.expect("list the lock").items.pop();
    let metadata = ObjectMeta { name: Some(LOCK.to_owned()), ..ObjectMeta::default() };
    let mut lease = known.unwrap_or(Lease { metadata, spec: None });
    let spec = LeaseSpec {
        holder_identity: Some(pod.identity.clone()),
        lease_duration_seconds: Some(15),
        ..LeaseSpec::default()
    };
    lease.spec = Some(spec);
    leases.replace(LOCK, &PostParams::default(), &lease).await.expect("take the lock");
}

impl Seen {
    fn tell(&mut self, rounds: usize) {
        let Self { opened, first_write, refused_first, late } = self;
        say(format!("{rounds} takeovers under the fence"));
        say(format!("first write of the new holder taken after: {}", distribution(opened)));
        say(format!("first write through a term's client after: {}", distribution(first_write)));
        say(format!(
            "refused at first: {refused_first} of {}; late writes of the old holder taken: {late}",
            opened.len()
        ));
    }
}

fn distribution(durations: &mut [Duration]) -> String {
    durations.sort();
    let at = |percent: usize| durations.get((durations.len() * percent).div_ceil(100).saturating_sub(1));
    let ms = |percent| at(percent).map_or(f64::NAN, |duration| duration.as_secs_f64() * 1e3);
    format!("p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, max {:.1} ms", ms(50), ms(90), ms(99), ms(100))
}
