//! What the derives make of a struct, and what they say of a wrong one.

use k8s_openapi::api::core::v1::{ConfigMap, Node, Secret};
use kube::CustomResource;
use kubeops::controller::{Action, Context, Controller, Finalize, RbacRule, Reconcile, Registration, Result, State};
use kubeops::events::EventPublisher;
use kubeops::prelude::{Client, Store, Term};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(CustomResource, Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[kube(group = "example.com", version = "v1", kind = "Shop", namespaced)]
struct ShopSpec {}

#[derive(Clone, State)]
struct AppState {
    greeting: String,
    #[state(skip)]
    #[allow(dead_code, reason = "the state's own")]
    farewell: String,
}

#[derive(Controller)]
#[controller(
    entity = Shop,
    finalizer = "example.com/cleanup",
    owns(ConfigMap, Node),
    rbac(resources = "pods", verbs = "get"),
    rbac(groups = "apps", resources = ["deployments", "deployments/scale"], verbs = ["get", "update"], names = "shop"),
    rbac(groups = ["", "storage.k8s.io"], resources = "*", verbs = "*", cluster),
    concurrency = 3
)]
#[allow(dead_code, reason = "read by nobody here")]
struct ShopController {
    client: Client,
    events: EventPublisher,
    term: Term,
    secrets: Store<Secret>,
    greeting: String,
    state: AppState,
}

impl Reconcile for ShopController {
    async fn reconcile(&self, _: &Shop, _: &Context<Shop>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

impl Finalize for ShopController {
    async fn finalize(&self, _: &Shop, _: &Context<Shop>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

#[derive(Controller)]
#[controller(entity = Node, name = "nodes", crate = ::kubeops)]
#[allow(dead_code, reason = "read by nobody here")]
struct NodeController(Client);

impl Reconcile for NodeController {
    async fn reconcile(&self, _: &Node, _: &Context<Node>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

#[derive(Controller)]
#[controller(entity = Shop, state = AppState)]
#[allow(dead_code, reason = "read by nobody here")]
struct Greeter {
    greeting: String,
}

impl Reconcile for Greeter {
    async fn reconcile(&self, _: &Shop, _: &Context<Shop>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

#[test]
fn a_controller_says_what_its_attributes_say() {
    let registration = Registration::<AppState>::of::<ShopController>();
    assert_eq!(registration.name, "shop");
    assert_eq!(registration.finalizer, Some("example.com/cleanup"));
    assert_eq!(registration.concurrency, Some(3));
    assert_eq!((registration.entity.resource.kind.as_str(), registration.entity.namespaced), ("Shop", true));
    assert!(registration.crd.is_some_and(|crd| crd.spec.names.kind == "Shop"));
    let owned: Vec<_> = registration.owns.iter().map(|kind| (kind.resource.kind.as_str(), kind.namespaced)).collect();
    assert_eq!(owned, [("ConfigMap", true), ("Node", false)]);
    let reads: Vec<_> = registration.reads.iter().map(|kind| kind.resource.kind.as_str()).collect();
    assert_eq!(reads, ["Secret"]);
}

#[test]
fn a_controller_says_which_rights_its_own_code_needs() {
    let rules = Registration::<AppState>::of::<ShopController>().rbac;
    let pods = RbacRule { groups: &[""], resources: &["pods"], verbs: &["get"], names: &[], cluster: false };
    let scale = RbacRule {
        groups: &["apps"],
        resources: &["deployments", "deployments/scale"],
        verbs: &["get", "update"],
        names: &["shop"],
        cluster: false,
    };
    let all = RbacRule { groups: &["", "storage.k8s.io"], resources: &["*"], verbs: &["*"], names: &[], cluster: true };
    assert_eq!(rules, [pods, scale, all]);
    assert_eq!(Registration::<()>::of::<NodeController>().rbac, []);
}

#[test]
fn a_built_in_kind_has_no_crd_and_a_controller_without_attributes_has_defaults() {
    let registration = Registration::<()>::of::<NodeController>();
    assert_eq!(registration.name, "nodes");
    assert_eq!(registration.entity.resource.plural, "nodes");
    assert!(!registration.entity.namespaced);
    assert!(registration.crd.is_none() && registration.finalizer.is_none() && registration.owns.is_empty());
    assert_eq!(registration.concurrency, None);
}

#[test]
fn a_controller_that_names_its_state_is_registered_with_it() {
    assert_eq!(Registration::<AppState>::of::<Greeter>().name, "greeter");
}

#[test]
fn mistakes_are_told_where_they_are() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
