use k8s_openapi::api::core::v1::ConfigMap;
use kubeops::prelude::*;

struct PageSettings;

#[derive(Clone, State)]
struct AppState {
    number: u32,
}

#[derive(Controller)]
#[controller(entity = ConfigMap, state = AppState)]
struct ConfigMapController {
    number: u32,
    pages: PageSettings,
}

impl Reconcile for ConfigMapController {
    async fn reconcile(&self, _: &ConfigMap, _: &Context<ConfigMap>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

fn main() {}
