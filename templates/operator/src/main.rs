//! An operator that keeps a ConfigMap for each {{ kind }}.

mod controller;
mod settings;
#[cfg(test)]
mod tests;

mod {{ kind | snake_case }};

use std::process::ExitCode;

use kubeops::Operator;
use kubeops::prelude::*;

use crate::controller::{{ kind }}Controller;
use crate::settings::PageSettings;

#[tokio::main]
async fn main() -> ExitCode {
    operator().run().await
}

/// What `main` runs, and tests too.
fn operator() -> Operator<AppState> {
    kubeops::operator!()
        .with_state(AppState::from_settings)
        .add_controller::<{{ kind }}Controller>()
}

/// What controllers need besides the SDK's own services.
#[derive(Clone, State)]
struct AppState {
    pages: PageSettings,
}

impl AppState {
    async fn from_settings(settings: Settings) -> Result<Self> {
        Ok(Self {
            pages: settings.section("Pages")?,
        })
    }
}
