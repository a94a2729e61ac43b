//! An operator that keeps a page, a Deployment that serves it and a Service for each Guestbook.

mod archive;
mod children;
mod controller;
mod guestbook;
mod page;

use std::process::ExitCode;

use kubeops::prelude::*;
use kubeops::settings::Settings;

use crate::controller::GuestbookController;
use crate::page::PageSettings;

#[tokio::main]
async fn main() -> ExitCode {
    kubeops::operator!().with_state(AppState::from_settings).add_controller::<GuestbookController>().run().await
}

/// What controllers need besides the SDK's own services.
#[derive(Clone, Debug, State)]
struct AppState {
    /// The section `Guestbook` of appsettings.json.
    pages: PageSettings,
}

impl AppState {
    async fn from_settings(settings: Settings) -> Result<Self> {
        Ok(Self { pages: settings.section("Guestbook")? })
    }
}
