//! What is done for each {{ kind }}.

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::jiff::Timestamp;
use kubeops::events::Event;
use kubeops::prelude::*;

use crate::settings::PageSettings;

use crate::{{ kind | snake_case }}::{{ kind }};

/// The page's key in its ConfigMap.
pub(crate) const PAGE: &str = "page.txt";

/// Keeps a ConfigMap with a page for each {{ kind }}.
#[derive(Controller)]
#[controller(
    entity = {{ kind }},
    // A page that somebody changes or deletes is written again.
    owns(ConfigMap)
)]
pub(crate) struct {{ kind }}Controller {
    pages: PageSettings,
}

impl Reconcile for {{ kind }}Controller {
    /// Runs on the replica that leads, and only there: at its start for each object, then at each change.
    async fn reconcile(
        &self,
        // As it was when this began.
        {{ kind | snake_case }}: &{{ kind }},
        cx: &Context<{{ kind }}>,
    ) -> Result<Action> {
        // Server-side apply, with an owner reference: the page goes when its owner goes.
        let page = self.page({{ kind | snake_case }});
        cx.apply_owned(page).await?;
        let now = Timestamp::now();
        let status = {{ kind | snake_case }}.ready_status(now);
        cx.patch_status(status).await?;
        if !{{ kind | snake_case }}.is_ready() {
            cx.publish(Event::normal("Applied", "the page is written"));
        }
        Ok(Action::await_change())
    }
}

impl {{ kind }}Controller {
    fn page(&self, owner: &{{ kind }}) -> ConfigMap {
        let page = format!("{}\n{}\n", owner.spec.message, self.pages.footer);
        let mut map = ConfigMap::default();
        map.metadata.name = Some(owner.name_any());
        map.data = Some([(PAGE.to_owned(), page)].into());
        map
    }
}
