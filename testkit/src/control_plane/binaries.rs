//! Where the programs are.

use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, fs};

use crate::Error;

/// The programs without which there is no control plane.
const NEEDED: [&str; 3] = ["etcd", "kube-apiserver", "kubectl"];

/// A folder with etcd, kube-apiserver and kubectl, and, for
/// [`start_controller_manager`](super::ControlPlane::start_controller_manager), kube-controller-manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Looks in this order:
    ///
    /// 1. `KUBEOPS_CONTROL_PLANE`, which `cargo xtask test` sets;
    /// 2. `KUBEBUILDER_ASSETS`, the folder that Go's `setup-envtest` makes;
    /// 3. what `cargo xtask control-plane` built last into `${XDG_CACHE_HOME:-~/.cache}/kubeops/control-plane/`.
    ///
    /// # Errors
    ///
    /// If a variable is set and its folder lacks a program, or none of the three is there.
    pub fn find() -> Result<Self, Error> {
        for variable in ["KUBEOPS_CONTROL_PLANE", "KUBEBUILDER_ASSETS"] {
            if let Some(folder) = env::var_os(variable).filter(|value| !value.is_empty()) {
                return Self::in_folder(folder, variable);
            }
        }
        let cache =
            cache_folder().ok_or_else(|| Error::NoBinaries { reason: "there is no home directory".to_owned() })?;
        let newest = newest_complete(&cache);
        newest.ok_or_else(|| Error::NoBinaries { reason: format!("none is built in {}", cache.display()) })
    }

    /// Takes the programs of one folder.
    ///
    /// # Errors
    ///
    /// If one is missing.
    pub fn at(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::in_folder(folder, "the given folder")
    }

    /// The path of one program.
    ///
    /// # Errors
    ///
    /// If it is missing.
    pub fn path(&self, program: &str) -> Result<PathBuf, Error> {
        let path = self.folder.join(program);
        if path.is_file() {
            return Ok(path);
        }
        Err(Error::NoBinaries { reason: format!("{} has no {program}", self.folder.display()) })
    }

    fn in_folder(folder: impl Into<PathBuf>, origin: &str) -> Result<Self, Error> {
        let folder = folder.into();
        let missing: Vec<&str> = NEEDED.into_iter().filter(|program| !folder.join(program).is_file()).collect();
        if missing.is_empty() {
            return Ok(Self { folder });
        }
        let reason = format!("{} ({origin}) has no {}", folder.display(), missing.join(", no "));
        Err(Error::NoBinaries { reason })
    }
}

fn cache_folder() -> Option<PathBuf> {
    let given = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = given.or_else(|| env::home_dir().map(|home| home.join(".cache")))?;
    Some(cache.join("kubeops").join("control-plane"))
}

/// The newest, because who builds a second version wants that one.
fn newest_complete(cache: &Path) -> Option<Binaries> {
    let entries = fs::read_dir(cache).ok()?.filter_map(Result::ok);
    // Any other name is that of one that is being built.
    let folders =
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("k8s-")).map(|entry| entry.path());
    let complete = folders.filter_map(|folder| Binaries::in_folder(folder, "cache").ok());
    complete.max_by_key(|binaries| {
        let changed = fs::metadata(&binaries.folder).and_then(|data| data.modified());
        changed.unwrap_or(SystemTime::UNIX_EPOCH)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(programs: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for program in programs {
            fs::write(folder.path().join(program), "").unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_without_a_program_is_refused_with_its_name_and_the_way_out() {
        let folder = folder_with(&["etcd", "kubectl"]);
        let error = Binaries::at(folder.path()).unwrap_err().to_string();
        assert!(error.contains("has no kube-apiserver;"), "{error}");
        assert!(error.contains("cargo xtask control-plane"), "{error}");
    }

    #[test]
    fn a_controller_manager_is_missed_only_when_it_is_asked_for() {
        let folder = folder_with(&NEEDED);
        let binaries = Binaries::at(folder.path()).unwrap();
        assert_eq!(binaries.path("etcd").unwrap(), folder.path().join("etcd"));
        let error = binaries.path("kube-controller-manager").unwrap_err().to_string();
        assert!(error.contains("has no kube-controller-manager"), "{error}");
    }

    #[test]
    fn what_is_being_built_is_passed_over() {
        let cache = tempfile::tempdir().unwrap();
        let fill = |name: &str, programs: &[&str]| {
            let folder = cache.path().join(name);
            fs::create_dir(&folder).unwrap();
            for program in programs {
                fs::write(folder.join(program), "").unwrap();
            }
            folder
        };
        fill("unfinished", &NEEDED);
        fill("k8s-1.35.0-etcd-3.6.0", &["etcd"]);
        assert_eq!(newest_complete(cache.path()), None);
        let whole = fill("k8s-1.36.3-etcd-3.6.8", &NEEDED);
        assert_eq!(newest_complete(cache.path()), Some(Binaries { folder: whole }));
    }
}
