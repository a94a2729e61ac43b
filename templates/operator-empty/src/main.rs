//! An operator that has nothing to do yet.

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use kubeops::Operator;

#[tokio::main]
async fn main() -> ExitCode {
    operator().run().await
}

/// What `main` runs, and tests too.
fn operator() -> Operator<()> {
    // Here belong controllers: `.add_controller::<WebsiteController>()`. What they need besides the SDK's own services
    // comes from `.with_state(…)`.
    kubeops::operator!()
}
