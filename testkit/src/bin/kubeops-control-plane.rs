//! Keeps a control plane up until it is interrupted or terminated, to try things on by hand.

#![allow(clippy::print_stdout, reason = "says where its kubeconfig is")]

use kubeops_testkit::ControlPlane;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let run = async {
        let plane = ControlPlane::start().await?;
        println!("export KUBECONFIG={}", plane.kubeconfig_for("admin")?.display());
        std::future::pending::<Result<(), Box<dyn std::error::Error>>>().await
    };
    tokio::select! {
        ended = run => ended,
        _ = terminated.recv() => Ok(()),
        _ = interrupted.recv() => Ok(()),
    }
}
