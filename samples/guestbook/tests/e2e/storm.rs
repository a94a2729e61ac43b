//! Requests of one service account are one flow of the API server's priority and fairness: with the FlowSchema of the manifests the
//! elector's are another, and do not wait behind the reconciles'.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::flowcontrol::v1::FlowSchema;
use kube::api::DeleteParams;
use kube::{Api, Client};
use tokio::task::JoinSet;

use crate::fence::apply_strictly;
use crate::harness::{Cluster, LOCK, Ledger, PATIENCE, SYSTEM, say, service_account};

/// Few requests at once, so that a storm need not be large.
const FLAGS: [&str; 2] = ["--max-requests-inflight=10", "--max-mutating-requests-inflight=5"];
/// The server waits three seconds for such a version, and the request keeps its seat meanwhile, without any work.
const SLOW: &str = "/api/v1/configmaps?resourceVersion=999999999999&resourceVersionMatch=NotOlderThan";
/// At once: many more than there are seats.
const REQUESTS: usize = 150;
const GUESTBOOKS: usize = 30;
const COUNTED: Duration = Duration::from_secs(8);
/// Of the replica's lease: what the leader must have renewed within, and when it begins to.
const DEADLINE: Duration = Duration::from_secs(2);
const EVERY: Duration = Duration::from_millis(667);

/// Requests of the operator's own account, until it is dropped.
fn storm(client: &Client) -> JoinSet<()> {
    let mut requests = JoinSet::new();
    for _ in 0..REQUESTS {
        let client = client.clone();
        requests.spawn(async move {
            loop {
                let request = http::Request::get(SLOW).body(Vec::new()).expect("a request");
                if client.request_text(request).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        });
    }
    requests
}

/// Renewals that were answered, and the longest that one was waited for.
fn renewals(ledger: &Ledger) -> (usize, Duration) {
    let lock = ledger.of(&service_account()).such(|event| event.resource == "leases" && event.is_write());
    let now = Timestamp::now();
    let waits = lock.events().iter().map(|event| event.completed.unwrap_or(now).duration_since(event.received));
    let longest = waits.max().and_then(|wait| wait.try_into().ok()).unwrap_or_default();
    (lock.such(|event| event.code == Some(200)).len(), longest)
}

/// How long a request of the account that is not for the lock waits; no longer than is looked.
async fn wait_of_others(client: &Client) -> Duration {
    let start = Instant::now();
    let request = http::Request::get("/api/v1/configmaps?limit=1").body(Vec::new()).expect("a request");
    let _answer = tokio::time::timeout(COUNTED, client.request_text(request)).await;
    start.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn renewals_are_on_time_in_a_storm_with_the_flow_schema_and_not_without() {
    let cluster = Cluster::start_with_flags(&FLAGS).await;
    apply_strictly(&cluster, &cluster.generate("manifests", &[]).await.join("base")).await;
    let client = cluster.operators_client().await;
    let recipe = cluster.pod("pod-a").await.lease("00:00:03", "00:00:02", "00:00:00.5");
    let mut leader = recipe.start();
    leader.wait_ready().await;
    cluster.wait_holder(SYSTEM, LOCK, "pod-a").await;

    let storm = storm(&client);
    cluster.guestbooks.create_many("book", GUESTBOOKS).await;
    let begun = Timestamp::now();
    let (others, ()) = tokio::join!(wait_of_others(&client), tokio::time::sleep(COUNTED));
    let (renewed, longest) = renewals(&cluster.ledger().since(begun));
    say(format!(
        "in a storm of {REQUESTS} requests at once, with the FlowSchema: {renewed} renewals in {COUNTED:?}, none waited longer than \
         {longest:?}; another request of the account waited {others:?}"
    ));
    assert!(others > DEADLINE, "it is no storm: {others:?}");
    assert!(longest < EVERY, "a renewal was late: {longest:?}");
    assert!(renewed >= (COUNTED.as_millis() / EVERY.as_millis()) as usize / 2, "renewals are missing: {renewed}");
    assert!(leader.log_lines(&["stopped leading"]).is_empty(), "{}", leader.log());

    let schemas: Api<FlowSchema> = Api::all(cluster.client.clone());
    let schema = format!("guestbook-operator.{SYSTEM}");
    schemas.delete(&schema, &DeleteParams::default()).await.expect("delete the FlowSchema");
    let begun = Timestamp::now();
    leader.wait_says_it_leads(false, PATIENCE).await;
    let (renewed, longest) = renewals(&cluster.ledger().since(begun));
    say(format!("without it: {renewed} renewals, one waited {longest:?} or longer, and the term is over"));
    leader.assert_running();
    drop(storm);
}
