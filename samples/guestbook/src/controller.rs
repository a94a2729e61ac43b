//! What is done for each Guestbook.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kubeops::events::Event;
use kubeops::prelude::*;

use crate::guestbook::{Guestbook, Progress};
use crate::page::PageSettings;
use crate::{archive, children};

/// Keeps a page, a Deployment that serves it and a Service for each Guestbook.
#[derive(Controller)]
#[controller(
    entity = Guestbook,
    finalizer = "guestbook.example.com/cleanup",
    owns(ConfigMap, Deployment, Service)
)]
pub(crate) struct GuestbookController {
    /// Writes only while this term lasts.
    client: Client,
    pages: PageSettings,
}

impl Reconcile for GuestbookController {
    async fn reconcile(&self, guestbook: &Guestbook, cx: &Context<Guestbook>) -> Result<Action> {
        let applied = self.apply(guestbook, cx).await;
        let failure = applied.as_ref().err().map(|error| error.source().to_string());
        let progress = failure.as_deref().map_or(Progress::Applied, Progress::Failed);
        let status = guestbook.status_after(progress, cx.term().identity(), Timestamp::now());
        let told = cx.patch_status(status).await;
        // What went wrong first is what matters.
        applied?;
        told?;
        if !guestbook.is_applied() {
            cx.publish(Event::normal("Published", format!("the page `{}` is served", guestbook.spec.title)));
        }
        Ok(Action::await_change())
    }
}

impl Finalize for GuestbookController {
    async fn finalize(&self, guestbook: &Guestbook, cx: &Context<Guestbook>) -> Result<Action> {
        let namespace = guestbook.namespace().unwrap_or_default();
        archive::keep(&self.client, &namespace, &guestbook.name_any(), &guestbook.spec.title).await?;
        cx.publish(Event::normal("Archived", format!("the title `{}` is kept", guestbook.spec.title)));
        Ok(Action::await_change())
    }
}

impl GuestbookController {
    async fn apply(&self, guestbook: &Guestbook, cx: &Context<Guestbook>) -> Result<()> {
        if guestbook.name_any() == archive::NAME {
            // Its page would take the archive's place, and take it along when it goes.
            return Err(Error::permanent(format!(
                "a Guestbook can't be named `{}`: that is the archive",
                archive::NAME
            )));
        }
        cx.apply_owned(children::config_map(guestbook, &self.pages)).await?;
        cx.apply_owned(children::deployment(guestbook)).await?;
        cx.apply_owned(children::service(guestbook)).await?;
        Ok(())
    }
}
