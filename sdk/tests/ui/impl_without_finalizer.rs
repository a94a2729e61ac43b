use k8s_openapi::api::core::v1::ConfigMap;
use kubeops::prelude::*;

#[derive(Controller)]
#[controller(entity = ConfigMap)]
struct ConfigMapController;

impl Reconcile for ConfigMapController {
    async fn reconcile(&self, _: &ConfigMap, _: &Context<ConfigMap>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

impl Finalize for ConfigMapController {
    async fn finalize(&self, _: &ConfigMap, _: &Context<ConfigMap>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

fn main() {}
