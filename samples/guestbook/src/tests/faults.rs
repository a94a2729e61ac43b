//! The API server is in trouble, for all or for the leader alone.

use std::time::Duration;

use jiff::Timestamp;
use kubeops::operator::RunningOperator;
use kubeops_testkit::AuditEvent;
use kubeops_testkit::cluster::Fault;

use super::{A_MINUTE, RENEW_DEADLINE, Scene, held_by};

const REPLICAS: [&str; 2] = ["replica-a", "replica-b"];

impl Scene {
    /// Both replicas meet this for a minute; then all is well again.
    async fn a_minute_of(&self, fault: &Fault) {
        for name in REPLICAS {
            self.faults(name).always(fault.clone()).break_watches();
        }
        tokio::time::sleep(A_MINUTE).await;
        REPLICAS.iter().for_each(|name| self.faults(name).mend());
    }

    /// `replica-b` leads since some time, `replica-a` asked for no write later than `replica-b` for its first, and stands by once it can.
    async fn assert_replaced(&self, struck: Timestamp) {
        let ledger = self.ledger();
        let last = ledger.of("replica-a").such(AuditEvent::is_write).last().unwrap().received;
        assert!(last.duration_since(struck) <= RENEW_DEADLINE, "it went on for {:?}", last.duration_since(struck));
        let first = ledger.of("replica-b").writes().first().unwrap().received;
        assert!(last < first, "two at work: {last} and {first}");
        self.faults("replica-a").mend();
        tokio::time::sleep(A_MINUTE).await;
        self.reconciled_by("replica-b", "book-0").await;
    }

    /// The other one gone, the replica that was away leads, and knows what came meanwhile.
    pub(super) async fn assert_leads_again(&self, other: RunningOperator, names: &[String]) {
        other.stop().await.unwrap();
        self.reconciled_by("replica-a", "book-0").await;
        self.all_settled(names).await;
        self.ledger().assert_only_holders_write();
    }
}

#[tokio::test(start_paused = true)]
async fn a_minute_of_refusals_is_lived_through() {
    for code in [429, 503] {
        let scene = Scene::start().await;
        let (_replicas, names, traffic) = scene.busy().await;
        let begun = scene.cluster.now();
        scene.a_minute_of(&Fault::Refuse { code, retry_after: Some(1) }).await;
        let asked = scene.ledger().since(begun).such(|event| event.user.starts_with("replica-")).len();
        assert!(asked < 600, "{asked} requests in a minute of {code}");
        drop(traffic);
        scene.all_settled(&names).await;
        scene.ledger().assert_only_holders_write();
    }
}

#[tokio::test(start_paused = true)]
async fn a_minute_in_which_every_answer_is_lost_or_no_server_is_there_is_lived_through() {
    for fault in [Fault::LoseAnswer, Fault::LoseRequest, Fault::Latency(Duration::from_secs(3))] {
        let scene = Scene::start().await;
        let (_replicas, names, traffic) = scene.busy().await;
        scene.a_minute_of(&fault).await;
        drop(traffic);
        scene.all_settled(&names).await;
        scene.create("after").await;
        scene.settled("after").await;
        scene.ledger().assert_only_holders_write();
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_the_server_changes_nothing() {
    let scene = Scene::start().await;
    let (_replicas, names, traffic) = scene.busy().await;
    let before = scene.lock(held_by("replica-a")).await.spec.unwrap().lease_transitions;
    for _ in 0..5 {
        scene.cluster.restart();
        tokio::time::sleep(Duration::from_secs(7)).await;
    }
    drop(traffic);
    scene.all_settled(&names).await;
    assert_eq!(scene.lock(held_by("replica-a")).await.spec.unwrap().lease_transitions, before);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_cut_off_stops_in_time_and_comes_back_as_standby() {
    let scene = Scene::start().await;
    let ((_cut_off, other), names, _traffic) = scene.busy().await;
    let struck = scene.cluster.now();
    // Its watches go on: there is work that it would like to do.
    scene.faults("replica-a").always(Fault::LoseRequest);
    scene.reconciled_by("replica-b", "book-0").await;
    scene.assert_replaced(struck).await;
    scene.assert_leads_again(other, &names).await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_connections_hang_stops_in_time_and_comes_back_as_standby() {
    let scene = Scene::start().await;
    let ((_hung, other), names, _traffic) = scene.busy().await;
    let struck = scene.cluster.now();
    scene.faults("replica-a").hang();
    scene.reconciled_by("replica-b", "book-0").await;
    scene.assert_replaced(struck).await;
    scene.assert_leads_again(other, &names).await;
}
