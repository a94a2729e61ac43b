//! Two programs of one kind, and their lock.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kubeops::leadership::random_uuid;

use crate::harness::{Candidate, Cluster, GoRecipe, LOCK, NAMESPACE, PATIENCE, eventually};

const LOCK_OF_GO: &str = "contender";

/// Which of the two.
pub(super) type Index = usize;

pub(super) struct Side {
    pub(super) program: &'static str,
    pub(super) lock: &'static str,
    /// Whose requests are whose.
    pub(super) users: [&'static str; 2],
    start: Box<dyn Fn(Index) -> Candidate>,
    running: [Option<Candidate>; 2],
}

impl Side {
    /// Each of the two is a pod: a container that is started again has its uid.
    pub(super) fn ours(cluster: &Cluster) -> Self {
        let users = ["replica-a", "replica-b"];
        let recipes = users.map(|user| cluster.replica(user).default_lease().set("POD_UID", &random_uuid()));
        let start = Box::new(move |index: Index| Candidate::Ours(recipes[index].start()));
        Self { program: "KubeOps for Rust", lock: LOCK, users, start, running: [None, None] }
    }

    /// With an identity of its own for each start, as controller-runtime has it.
    pub(super) fn go(cluster: &Cluster) -> Self {
        let users = ["go-a", "go-b"];
        let recipes = users.map(|user| {
            let kubeconfig = cluster.plane.kubeconfig_for(user).expect("a kubeconfig");
            let log = cluster.directory().join(format!("{user}.log"));
            GoRecipe::new(LOCK_OF_GO, &kubeconfig, &log, ["15s", "10s", "2s"])
        });
        let start = Box::new(move |index: Index| recipes[index].start(&format!("{}_{}", users[index], random_uuid())));
        Self { program: "client-go", lock: LOCK_OF_GO, users, start, running: [None, None] }
    }

    /// The first leads.
    pub(super) async fn start_both(&mut self) {
        self.start(0);
        self.wait_leads(0).await;
        self.start(1);
        self.wait_stands(1).await;
    }

    pub(super) fn start(&mut self, index: Index) {
        self.running[index] = Some((self.start)(index));
    }

    /// Whose caches are warm, if it has any.
    pub(super) async fn wait_stands(&self, index: Index) {
        self.eventually(index, "stands", Candidate::answers).await;
    }

    pub(super) async fn wait_leads(&self, index: Index) {
        self.eventually(index, "leads", Candidate::claims_to_lead).await;
    }

    pub(super) async fn leader(&self) -> Index {
        eventually(&format!("one of {:?} leads", self.users), PATIENCE, async || {
            for (index, candidate) in self.running.iter().enumerate() {
                if let Some(candidate) = candidate
                    && candidate.claims_to_lead().await
                {
                    return Ok(index);
                }
            }
            Err("none does".to_owned())
        })
        .await
    }

    pub(super) fn terminate(&mut self, index: Index) {
        self.candidate(index).process().terminate().expect("terminate");
    }

    pub(super) fn kill(&mut self, index: Index) {
        self.candidate(index).process().kill().expect("kill");
    }

    pub(super) async fn ended(&mut self, index: Index) {
        self.candidate(index).process().ended(PATIENCE).await.expect("it ends");
        self.running[index] = None;
    }

    pub(super) fn process_id(&mut self, index: Index) -> u32 {
        self.candidate(index).process().id()
    }

    pub(super) fn leases(&self, cluster: &Cluster) -> Api<Lease> {
        Api::namespaced(cluster.client.clone(), NAMESPACE)
    }

    fn candidate(&mut self, index: Index) -> &mut Candidate {
        self.running[index].as_mut().expect("it runs")
    }

    async fn eventually(&self, index: Index, what: &str, is_so: impl AsyncFn(&Candidate) -> bool) {
        let candidate = self.running[index].as_ref().expect("it runs");
        eventually(&format!("{} {what}", self.users[index]), PATIENCE, async || {
            if is_so(candidate).await { Ok(()) } else { Err("not so".to_owned()) }
        })
        .await;
    }
}

/// Any length up to `longest`, so that nothing falls into step.
pub(super) async fn sleep_at_random(longest: Duration) {
    tokio::time::sleep(longest.mul_f64(fraction())).await;
}

/// From 0 to 1, from the random part of a uuid.
fn fraction() -> f64 {
    let digits = random_uuid();
    let number = u32::from_str_radix(&digits[..8], 16).expect("hexadecimal digits");
    f64::from(number) / f64::from(u32::MAX)
}
