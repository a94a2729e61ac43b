//! `cargo xtask features`: the sdk compiles without a warning with each of its features alone, and without any. With all of them it
//! does in every other check.

use crate::error::Error;
use crate::workspace;

/// What users choose from; none, the first, is leadership too.
const ALONE: [&str; 5] = ["", "leader-election", "operator", "testing", "dev"];
/// One that the dependencies in that folder are built with already.
const KUBERNETES: &str = "1.37";

pub(crate) fn run() -> Result<(), Error> {
    let target = workspace::target().join("k8s-versions");
    for features in ALONE {
        eprintln!("kubeops with {}", if features.is_empty() { "no feature" } else { features });
        let mut clippy = workspace::cargo();
        clippy.env("K8S_OPENAPI_ENABLED_VERSION", KUBERNETES).env("CARGO_TARGET_DIR", &target);
        clippy.args(["clippy", "--package", "kubeops", "--lib", "--locked", "--quiet", "--no-default-features"]);
        workspace::run(clippy.args(["--features", features, "--", "-D", "warnings"]))?;
    }
    println!("kubeops compiles with each feature alone, and with none");
    Ok(())
}
