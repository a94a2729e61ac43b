//! `cargo xtask versions`: the sdk chooses no Kubernetes version, so it must compile with each that k8s-openapi knows.

use crate::error::Error;
use crate::workspace;

/// What holds for the oldest and the newest is taken to hold for those between.
const OLDEST_AND_NEWEST: [&str; 2] = ["1.33", "1.37"];

pub(crate) fn run() -> Result<(), Error> {
    // Both in one folder beside the usual one: only k8s-openapi and kube are checked anew at each change, a few seconds,
    // and what is built for tests stays.
    let target = workspace::target().join("k8s-versions");
    for version in OLDEST_AND_NEWEST {
        eprintln!("kubeops with Kubernetes {version}");
        let mut check = workspace::cargo();
        check.env("K8S_OPENAPI_ENABLED_VERSION", version).env("CARGO_TARGET_DIR", &target);
        // Only the library: its tests select a version by a feature, and there can be but one.
        workspace::run(check.args(["check", "--package", "kubeops", "--lib"]))?;
    }
    println!("kubeops compiles with Kubernetes {}", OLDEST_AND_NEWEST.join(" and "));
    Ok(())
}
