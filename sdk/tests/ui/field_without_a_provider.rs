use k8s_openapi::api::core::v1::ConfigMap;
use kubeops::prelude::*;

struct PageSettings;

#[derive(Controller)]
#[controller(entity = ConfigMap)]
struct ConfigMapController {
    client: Client,
    pages: PageSettings,
}

impl Reconcile for ConfigMapController {
    async fn reconcile(&self, _: &ConfigMap, _: &Context<ConfigMap>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

fn main() {
    kubeops::operator!().add_controller::<ConfigMapController>();
}
