//! An operator that keeps a page, a Deployment that serves it and a Service for each Guestbook.

mod archive;
mod children;
mod controller;
mod guestbook;
mod page;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use kubeops::Operator;
use kubeops::prelude::*;

use crate::controller::GuestbookController;
use crate::page::PageSettings;

#[tokio::main]
async fn main() -> ExitCode {
    operator().run().await
}

/// What `main` runs, and tests too.
fn operator() -> Operator<AppState> {
    kubeops::operator!()
        .with_state(AppState::from_settings)
        .add_controller::<GuestbookController>()
        .show_setting("Guestbook:Theme")
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
