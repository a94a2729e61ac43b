//! A foreign hand that stands for the lock by client-go's rules: it polls, it waits for a lease duration after the last change
//! that it saw, and it gives up a renew deadline after the beginning of the poll that has failed.

use std::time::Duration;

use fastrand::Rng;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tower::Service as _;

use super::Author;
use super::log::Belief;
use super::network::way;
use super::world::{LOCK, World};

const IDENTITY: &str = "contender_go";
const LEASE: Duration = Duration::from_secs(15);
const DEADLINE: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(2);
/// For so long it may believe to lead after its last renewal was answered, which may have been a call later than it was taken.
pub(super) const LONGEST_BELIEF: Duration = DEADLINE.saturating_add(RETRY).saturating_add(CALL);
/// As controller-runtime sets it.
const CALL: Duration = Duration::from_secs(5);

pub(super) struct Contender {
    world: World,
    /// The newest record that it saw, and since when.
    observed: Option<(Value, Duration)>,
}

impl Contender {
    pub(super) fn new(world: &World) -> Self {
        Self { world: world.clone(), observed: None }
    }

    /// Stands for so long; then it gives back what it holds, or is killed.
    pub(super) async fn run(mut self, length: Duration, releases: bool) {
        let _time_is_up = timeout(length, self.stand()).await;
        let leads = self.world.log().contender.take().is_some();
        if leads && releases {
            self.release().await;
        }
    }

    async fn stand(&mut self) {
        loop {
            while !self.acquire_or_renew().await {
                sleep(RETRY.mul_f64(1.0 + self.world.draw(Rng::f64) * 1.2)).await;
            }
            while timeout(DEADLINE, self.renew()).await.is_ok() {
                sleep(RETRY).await;
            }
            self.world.log().contender = None;
        }
    }

    async fn renew(&mut self) {
        while !self.acquire_or_renew().await {
            sleep(RETRY).await;
        }
    }

    async fn acquire_or_renew(&mut self) -> bool {
        let Some((code, lease)) = self.ask(Method::GET, None).await else { return false };
        let now = self.world.now();
        let lease = match code {
            StatusCode::NOT_FOUND => json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": { "name": "guestbook-leader" } }),
            StatusCode::OK => lease,
            _ => return false,
        };
        let spec = &lease["spec"];
        if self.observed.as_ref().is_none_or(|(observed, _)| observed != spec) {
            self.observed = Some((spec.clone(), now));
        }
        let since = self.observed.as_ref().map_or(now, |(_, since)| *since);
        let lasts = Duration::from_secs(spec["leaseDurationSeconds"].as_u64().unwrap_or_default());
        let holder = spec["holderIdentity"].as_str().unwrap_or_default();
        if !holder.is_empty() && holder != IDENTITY && now < since + lasts {
            return false;
        }
        self.write(lease.clone(), IDENTITY, LEASE).await
    }

    async fn write(&mut self, mut lease: Value, holder: &str, lasts: Duration) -> bool {
        let spec = &lease["spec"];
        let (was, transitions) =
            (spec["holderIdentity"] == holder, spec["leaseTransitions"].as_u64().unwrap_or_default());
        let now = self.wall();
        let acquired = if was { spec["acquireTime"].clone() } else { json!(now) };
        let transitions = if was { transitions } else { transitions + 1 };
        lease["spec"] = json!({ "holderIdentity": holder, "leaseDurationSeconds": lasts.as_secs(),
            "acquireTime": acquired, "renewTime": now, "leaseTransitions": transitions });
        let Some((StatusCode::OK | StatusCode::CREATED, written)) = self.ask(Method::PUT, Some(lease)).await else {
            return false;
        };
        let now = self.world.now();
        self.observed = Some((written["spec"].clone(), now));
        if holder == IDENTITY {
            let version = written["metadata"]["resourceVersion"].as_str().and_then(|version| version.parse().ok());
            let mut log = self.world.log();
            // Its next poll begins a retry period later, and lasts for as long as the deadline.
            let until = now + RETRY + DEADLINE;
            let belief = Belief { token: version.unwrap_or_default(), until };
            match &mut log.contender {
                // What was forced before this renewal was taken is of no account.
                Some(before) => *before = belief,
                None => log.contender_began(now, belief),
            }
        }
        true
    }

    /// Only what it holds: client-go itself would wipe another's.
    async fn release(&mut self) {
        if let Some((StatusCode::OK, lease)) = self.ask(Method::GET, None).await
            && lease["spec"]["holderIdentity"] == IDENTITY
        {
            self.write(lease, "", Duration::from_secs(1)).await;
        }
    }

    async fn ask(&self, method: Method, lease: Option<Value>) -> Option<(StatusCode, Value)> {
        let body = lease.map(|lease| lease.to_string().into_bytes()).unwrap_or_default();
        let request = Request::builder().method(method).uri(LOCK).header("content-type", "application/json");
        let mut service = way(&self.world, Author::Contender);
        let answer = timeout(CALL, service.call(request.body(Body::from(body)).unwrap())).await.ok()?.ok()?;
        let code = answer.status();
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        Some((code, serde_json::from_slice(&body).ok()?))
    }

    fn wall(&self) -> String {
        let micros = i64::try_from(self.world.time().wall().as_micros()).unwrap();
        Timestamp::from_microsecond(micros).unwrap().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
    }
}
