//! A controller of shops that writes down what it is asked to do, and runs on the server in memory.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{CustomResource, ResourceExt};
use kubeops::cache::Caches;
use kubeops::controller::{
    Action, Attached, Context, Controller, ControllerOptions, Finalize, FromServices, Reconcile, ReconcileStrategy,
    Registration, Result, Services, State,
};
use kubeops::events::Event;
use kubeops::leadership::clock::Clock;
use kubeops::leadership::{Term, TermControl};
use kubeops::metrics::Metrics;
use kubeops::workqueue::{Backoff, Trigger};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::server::{Server, settle};

#[derive(CustomResource, Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[kube(group = "example.com", version = "v1", kind = "Shop", namespaced, status = "ShopStatus")]
pub(crate) struct ShopSpec {
    #[serde(default)]
    pub(crate) wares: String,
    /// What the controller is to do. (Its true schema is not structural.)
    #[serde(default)]
    #[schemars(schema_with = "steps")]
    pub(crate) script: Vec<Script>,
}

fn steps(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "x-kubernetes-preserve-unknown-fields": true } })
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ShopStatus {
    #[serde(default)]
    pub(crate) says: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Script {
    Apply,
    Status(String),
    Publish(String),
    Fail,
    Hang,
}

/// What the controller was asked to do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

#[derive(Clone, Default, State)]
pub(crate) struct AppState {
    pub(crate) log: Log,
}

/// With a finalizer.
#[derive(Controller)]
#[controller(entity = Shop, name = "shop", finalizer = "example.com/ours", owns(ConfigMap))]
pub(crate) struct Finalizing {
    log: Log,
}

/// Without.
#[derive(Controller)]
#[controller(entity = Shop, name = "shop")]
pub(crate) struct Plain {
    log: Log,
}

impl Reconcile for Finalizing {
    async fn reconcile(&self, shop: &Shop, cx: &Context<Shop>) -> Result<Action> {
        let trigger = match cx.trigger() {
            Trigger::Owned { kind } => format!(" because of a {kind}"),
            _ => String::new(),
        };
        self.log.add(format!("reconcile {}{trigger}, finalizers {:?}", shop.name_any(), shop.finalizers()));
        shop.follow(cx).await
    }
}

impl Finalize for Finalizing {
    async fn finalize(&self, shop: &Shop, cx: &Context<Shop>) -> Result<Action> {
        self.log.add(format!("finalize {}", shop.name_any()));
        shop.follow(cx).await
    }
}

impl Reconcile for Plain {
    async fn reconcile(&self, shop: &Shop, cx: &Context<Shop>) -> Result<Action> {
        self.log.add(format!("reconcile {} with {:?}", shop.name_any(), shop.spec.wares));
        shop.follow(cx).await
    }

    async fn deleted(&self, shop: &Shop, cx: &Context<Shop>) -> Result<()> {
        self.log.add(format!("deleted {} with {:?}, try {}", shop.name_any(), shop.spec.wares, cx.attempt()));
        match shop.spec.script.contains(&Script::Fail) && cx.attempt() == 1 {
            true => Err("not now".into()),
            false => Ok(()),
        }
    }
}

impl Shop {
    async fn follow(&self, cx: &Context<Self>) -> Result<Action> {
        for step in &self.spec.script {
            match step {
                Script::Apply => drop(cx.apply_owned(self.page()).await?),
                Script::Status(says) => cx.patch_status(ShopStatus { says: Some(says.clone()) }).await?,
                Script::Publish(message) => cx.publish(Event::normal("Told", message)),
                Script::Fail => return Err("as the script says".into()),
                Script::Hang => pending().await,
            }
        }
        Ok(Action::await_change())
    }

    fn page(&self) -> ConfigMap {
        let mut page = ConfigMap::default();
        page.metadata.name = Some(self.name_any());
        page.data = Some([("wares".to_owned(), self.spec.wares.clone())].into());
        page
    }
}

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    /// What was added since it was asked last.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A process whose caches run, and that may lead.
pub(crate) struct Bench {
    pub(crate) server: Server,
    pub(crate) log: Log,
    caches: Caches,
    metrics: Metrics,
    controller: Attached<AppState>,
}

/// A term, and the controller working in it.
pub(crate) struct Leading {
    pub(crate) control: TermControl,
    pub(crate) working: JoinHandle<()>,
}

impl Bench {
    /// Stands by, with warm caches.
    pub(crate) async fn start<C: Reconcile + FromServices<AppState>>(server: &Server) -> Self {
        let metrics = Metrics::new();
        let caches = Caches::new(server.client(), Vec::new(), metrics.clone());
        let options = ControllerOptions {
            concurrency: 4,
            strategy: ReconcileStrategy::ByGeneration,
            resync: None,
            backoff: Backoff { base: Duration::from_secs(1), max: Duration::from_secs(60) },
            timeout: None,
            auto_attach_finalizers: true,
            auto_detach_finalizers: true,
            clock: Clock::tokio(),
        };
        let controller = Registration::of::<C>().attach(&caches, &options, &metrics);
        let its_caches = caches.clone();
        tokio::spawn(async move { its_caches.run(CancellationToken::new()).await });
        settle().await;
        Self { server: server.clone(), log: Log::default(), caches, metrics, controller }
    }

    pub(crate) async fn lead(&self) -> Leading {
        let (control, term) = Term::unending("replica-a");
        let state = AppState { log: self.log.clone() };
        let (caches, metrics) = (self.caches.clone(), self.metrics.clone());
        let (services, events) = Services::new(self.server.client(), term, state, caches, metrics, "shops");
        let lead = self.controller.lead(services);
        let working = tokio::spawn(async move {
            tokio::join!(lead, events.run());
        });
        settle().await;
        Leading { control, working }
    }
}
