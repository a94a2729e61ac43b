use k8s_openapi::api::core::v1::ConfigMap;
use kubeops::prelude::*;

struct Page;

#[derive(Controller)]
#[controller(entity = Page)]
struct PageController;

impl Reconcile for PageController {
    async fn reconcile(&self, _: &Page, _: &Context<Page>) -> Result<Action> {
        Ok(Action::await_change())
    }
}

fn main() {}
