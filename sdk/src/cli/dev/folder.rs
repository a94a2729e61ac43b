//! Where kubeconfigs and logs are: a folder of this process' own, below cargo's target folder, that is gone with the process.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use kubeops_testkit::Janitor;

use super::DevError;

/// In the target folder.
const FOLDER: &str = "kubeops-dev";
/// What cargo writes into a target folder that it makes, and into one that it uses.
const MARKS: [&str; 2] = ["CACHEDIR.TAG", ".rustc_info.json"];

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _janitor: Janitor,
}

impl Folder {
    /// `<target>/kubeops-dev/<id>`, or one among the system's temporary files if `executable` was not built by cargo. `id` is
    /// that of no other process.
    pub(super) fn create(executable: &Path, id: &str) -> Result<Self, DevError> {
        let path = match target_of(executable) {
            Some(target) => target.join(FOLDER).join(id),
            None => std::env::temp_dir().join(format!("{FOLDER}-{id}")),
        };
        let failed = || DevError::io(format!("make the folder {}", path.display()));
        // Left by a process that had the same id, and was killed together with its janitor.
        if path.exists() {
            fs::remove_dir_all(&path).map_err(failed())?;
        }
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed())?;
        DirBuilder::new().mode(0o700).create(&path).map_err(failed())?;
        Ok(Self { _janitor: Janitor::watch(&path)?, path })
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A file that only its owner reads.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, DevError> {
        let path = self.file(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(DevError::io(format!("write {}", path.display())))?;
        Ok(path)
    }
}

/// Cargo's target folder that `executable` is in: `<target>/debug/guestbook`, with `--target` one level deeper.
fn target_of(executable: &Path) -> Option<&Path> {
    executable.ancestors().skip(1).find(|folder| MARKS.iter().any(|mark| folder.join(mark).is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_folder_is_where_cargo_says_whatever_the_profile_and_platform() {
        let test = std::env::current_exe().unwrap();
        let target = target_of(&test).unwrap();
        assert!(test.starts_with(target) && target != test.parent().unwrap());
        assert_eq!(target_of(&target.join("x86_64-unknown-linux-gnu/release/guestbook")), Some(target));
        assert_eq!(target_of(Path::new("/")), None);
    }

    #[test]
    fn the_folder_is_its_owners_and_goes_with_the_value() {
        let folder = Folder::create(&std::env::current_exe().unwrap(), "folder-test").unwrap();
        let file = folder.write("kubeconfig", "secret").unwrap();
        let mode = |path: &Path| std::os::unix::fs::MetadataExt::mode(&fs::metadata(path).unwrap()) & 0o777;
        assert_eq!((mode(&file), mode(&folder.path)), (0o600, 0o700));
        drop(folder);
        assert!(!file.exists());
    }
}
