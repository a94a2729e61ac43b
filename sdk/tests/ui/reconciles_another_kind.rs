use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::core::v1::Secret;
use kubeops::prelude::*;

#[derive(Controller)]
#[controller(entity = ConfigMap)]
struct ConfigMapController;

impl Reconcile for ConfigMapController {
    async fn reconcile(&self, _: &Secret, _: &Context<Secret>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

fn main() {}
