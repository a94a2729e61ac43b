//! `cargo xtask helm`: Helm, for tests of the generated charts.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::control_plane::required;
use crate::error::Error;
use crate::{tools, workspace};

const HELM: &str = "helm.sh/helm/v4";

/// Gives the program: `KUBEOPS_HELM` if set, else one in the user's cache, built there the first time.
pub(crate) fn provide() -> Result<PathBuf, Error> {
    if let Some(given) = tools::given("KUBEOPS_HELM") {
        return Ok(given);
    }
    let module = workspace::root().join("xtask").join("helm");
    let path = module.join("go.mod");
    let go_mod = fs::read_to_string(&path).map_err(Error::io(format!("read {}", path.display())))?;
    let version = required(&go_mod, HELM)?;
    let folder = workspace::cache()?.join("helm").join(format!("helm-{version}"));
    workspace::make_once(&folder, |unfinished| {
        Command::new("go").arg("version").output().map_err(|source| Error::NoGoForHelm { source })?;
        eprintln!("building Helm {version} for tests, once: two to four minutes on two cores");
        workspace::go_build(&module, "-s -w", &unfinished.join("helm"), &format!("{HELM}/cmd/helm"))
    })?;
    Ok(folder.join("helm"))
}

/// For a run of all tests, of which few need Helm: without Go those fail, and say so.
pub(crate) fn provide_if_possible() -> Option<PathBuf> {
    provide().inspect_err(|error| eprintln!("note: tests of the Helm chart will fail: {error}")).ok()
}
