//! What becomes of a name when `deleted` fails for good.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by a panic, in its fixtures too"
)]

#[allow(dead_code, reason = "shared with the tests of controllers, which use all of it")]
#[path = "controllers/server.rs"]
mod server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kubeops::cache::Caches;
use kubeops::controller::{
    Action, Context, Controller, ControllerOptions, Error, Reconcile, ReconcileStrategy, Registration, Result,
    Services, State,
};
use kubeops::leadership::clock::Clock;
use kubeops::leadership::{Term, TermControl};
use kubeops::metrics::Metrics;
use kubeops::workqueue::Backoff;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use self::server::{Server, settle};

#[derive(Clone, Default, State)]
struct AppState {
    log: Arc<Mutex<Vec<String>>>,
}

#[derive(Controller)]
#[controller(entity = ConfigMap, state = AppState)]
struct Unforgiving {
    log: Arc<Mutex<Vec<String>>>,
}

impl Unforgiving {
    fn note(&self, what: &str, map: &ConfigMap) {
        let version = map.data.as_ref().and_then(|data| data.get("v")).cloned().unwrap_or_default();
        self.log.lock().unwrap().push(format!("{what} {version}"));
    }
}

impl Reconcile for Unforgiving {
    async fn reconcile(&self, map: &ConfigMap, _: &Context<ConfigMap>) -> Result<Action> {
        self.note("reconcile", map);
        Ok(Action::await_change())
    }

    async fn deleted(&self, map: &ConfigMap, _: &Context<ConfigMap>) -> Result<()> {
        self.note("deleted", map);
        Err(Error::permanent("it can't be taken back"))
    }
}

fn options() -> ControllerOptions {
    ControllerOptions {
        concurrency: 1,
        strategy: ReconcileStrategy::ByResourceVersion,
        resync: None,
        backoff: Backoff { base: Duration::from_secs(1), max: Duration::from_secs(60) },
        timeout: None,
        auto_attach_finalizers: true,
        auto_detach_finalizers: true,
        clock: Clock::tokio(),
    }
}

/// Leads until the end of the test.
async fn lead(server: &Server) -> (TermControl, AppState) {
    let (metrics, state) = (Metrics::new(), AppState::default());
    let caches = Caches::new(server.client(), Vec::new(), metrics.clone());
    let controller = Registration::<AppState>::of::<Unforgiving>().attach(&caches, &options(), &metrics);
    let (control, term) = Term::unending("replica-a");
    let (services, _events) = Services::new(server.client(), term, state.clone(), caches.clone(), metrics, "maps");
    tokio::spawn(async move { caches.run(CancellationToken::new()).await });
    tokio::spawn(controller.lead(services));
    settle().await;
    (control, state)
}

#[tokio::test(start_paused = true)]
async fn a_failure_for_good_is_told_once_and_does_not_keep_a_new_object_of_that_name_from_its_reconcile() {
    let server = Server::start().await;
    server.config_maps().put("a", json!({ "data": { "v": "1" } })).await;
    let (_control, state) = lead(&server).await;
    server.faults().silence_watches();
    server.config_maps().delete("a").await;
    server.config_maps().put("a", json!({ "data": { "v": "2" } })).await;
    server.faults().mend();
    tokio::time::sleep(Duration::from_secs(60)).await;
    server.config_maps().put("a", json!({ "data": { "v": "3" } })).await;
    settle().await;
    let told = std::mem::take(&mut *state.log.lock().unwrap());
    assert_eq!(told, ["reconcile 1", "deleted 1", "reconcile 2", "reconcile 3"]);
}
