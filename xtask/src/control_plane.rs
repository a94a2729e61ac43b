//! `cargo xtask control-plane`: the programs of a real control plane, for tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::error::Error;
use crate::workspace;

const KUBERNETES: &str = "k8s.io/kubernetes";
const ETCD: &str = "go.etcd.io/etcd/server/v3";

/// Without these there is no control plane.
const NEEDED: [&str; 3] = ["etcd", "kube-apiserver", "kubectl"];

/// Needed by the tests of garbage collection only; setup-envtest does not bring it.
const CONTROLLER_MANAGER: &str = "kube-controller-manager";

/// Gives the folder with the programs: `KUBEBUILDER_ASSETS` if set, else one in the user's cache, built there the first time.
pub(crate) fn provide() -> Result<PathBuf, Error> {
    match env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty()) {
        Some(assets) => from_assets(assets.into()),
        None => from_cache(),
    }
}

fn from_assets(folder: PathBuf) -> Result<PathBuf, Error> {
    let missing = missing(&folder, &NEEDED);
    if !missing.is_empty() {
        return Err(Error::AssetsLack { folder, missing: missing.join(", no ") });
    }
    if !folder.join(CONTROLLER_MANAGER).is_file() {
        eprintln!(
            "note: KUBEBUILDER_ASSETS has no {CONTROLLER_MANAGER}; tests of garbage collection will fail without it"
        );
    }
    Ok(folder)
}

fn from_cache() -> Result<PathBuf, Error> {
    let module = workspace::root().join("xtask").join("control-plane");
    let versions = Versions::of(&module)?;
    let cache = workspace::cache()?.join("control-plane");
    let folder = cache.join(format!("k8s-{}-etcd-{}", versions.kubernetes, versions.etcd));
    workspace::make_once(&folder, |unfinished| build(&module, &versions, unfinished))?;
    Ok(folder)
}

fn build(module: &Path, versions: &Versions, unfinished: &Path) -> Result<(), Error> {
    Command::new("go").arg("version").output().map_err(|source| Error::NoGo { source })?;
    eprintln!(
        "building Kubernetes {} and etcd {} for tests, once: five to ten minutes on two cores",
        versions.kubernetes, versions.etcd,
    );
    let flags = versions.linker_flags();
    let commands =
        ["kube-apiserver", CONTROLLER_MANAGER, "kubectl"].map(|name| (name, format!("{KUBERNETES}/cmd/{name}")));
    for (name, package) in commands.into_iter().chain([("etcd", ETCD.to_owned())]) {
        eprintln!("  {name}");
        workspace::go_build(module, &flags, &unfinished.join(name), &package)?;
    }
    Ok(())
}

fn missing(folder: &Path, programs: &[&'static str]) -> Vec<&'static str> {
    programs.iter().copied().filter(|program| !folder.join(program).is_file()).collect()
}

/// What go.mod requires, without the `v`.
#[derive(Debug, PartialEq, Eq)]
struct Versions {
    kubernetes: String,
    etcd: String,
}

impl Versions {
    fn of(module: &Path) -> Result<Self, Error> {
        let path = module.join("go.mod");
        Self::in_text(&fs::read_to_string(&path).map_err(Error::io(format!("read {}", path.display())))?)
    }

    fn in_text(go_mod: &str) -> Result<Self, Error> {
        Ok(Self { kubernetes: required(go_mod, KUBERNETES)?, etcd: required(go_mod, ETCD)? })
    }

    /// The server tells its version by what the linker was told; without, it calls itself v0.0.0 and clients refuse it.
    fn linker_flags(&self) -> String {
        let mut parts = self.kubernetes.split('.');
        let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let package = "k8s.io/component-base/version";
        let version = &self.kubernetes;
        format!("-s -w -X {package}.gitVersion=v{version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}")
    }
}

/// The version of `module` that a go.mod requires, without the `v`.
pub(crate) fn required(go_mod: &str, module: &'static str) -> Result<String, Error> {
    let requirements = go_mod.lines().map(|line| line.trim().trim_start_matches("require "));
    let mut versions = requirements.filter_map(|line| {
        let (name, version) = line.split_once(' ')?;
        (name == module).then_some(version.split_whitespace().next()?)
    });
    let version = versions.find_map(|version| version.strip_prefix('v'));
    version.map(str::to_owned).ok_or(Error::NoVersion { module })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO_MOD: &str = "\
        module kubeops.rs/control-plane\n\
        tool (\n\tgo.etcd.io/etcd/server/v3\n\tk8s.io/kubernetes/cmd/kubectl\n)\n\
        require (\n\tgo.etcd.io/etcd/server/v3 v3.6.8\n\tk8s.io/kubernetes v1.36.3 // indirect\n)\n\
        replace k8s.io/api => k8s.io/api v0.36.3\n";

    #[test]
    fn versions_are_those_that_go_mod_requires() {
        let versions = Versions::in_text(GO_MOD).unwrap();
        assert_eq!(versions, Versions { kubernetes: "1.36.3".to_owned(), etcd: "3.6.8".to_owned() });
        assert!(versions.linker_flags().ends_with(".gitVersion=v1.36.3 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"));
    }

    #[test]
    fn a_requirement_on_a_line_of_its_own_is_read_too() {
        let text = "require k8s.io/kubernetes v1.37.0\nrequire go.etcd.io/etcd/server/v3 v3.7.0\n";
        assert_eq!(Versions::in_text(text).unwrap().kubernetes, "1.37.0");
    }

    #[test]
    fn a_go_mod_without_kubernetes_is_an_error_that_names_it() {
        let error = Versions::in_text("require go.etcd.io/etcd/server/v3 v3.7.0\n").unwrap_err();
        assert_eq!(error.to_string(), "go.mod requires no k8s.io/kubernetes");
    }
}
