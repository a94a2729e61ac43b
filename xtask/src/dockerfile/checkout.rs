//! What a clone of this repository holds, in a folder that is kept: what did not change is not built again.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::workspace;

/// The context of a build, as the builder gets it.
pub(super) struct Checkout {
    folder: PathBuf,
    git: PathBuf,
    /// Held until the end: another run would change the files below this one.
    _lock: File,
}

impl Checkout {
    /// All that is committed, and nothing else but what was built of it.
    pub(super) fn of_head(folder: &Path) -> Result<Self, Error> {
        let context = folder.join("context");
        let target = folder.join("target");
        for folder in [&context, &target] {
            fs::create_dir_all(folder).map_err(Error::io(format!("create {}", folder.display())))?;
        }
        let path = folder.join("lock");
        let lock = File::create(&path).map_err(Error::io(format!("create {}", path.display())))?;
        lock.lock().map_err(Error::io(format!("lock {}", path.display())))?;

        let checkout = Self { folder: folder.to_owned(), git: git_folder()?, _lock: lock };
        // Only files that are other ones now are written, and only they are new to cargo.
        workspace::run(checkout.git().args(["read-tree", "--reset", "-u", "HEAD"]))?;
        workspace::run(checkout.git().args(["clean", "-d", "-x", "--force", "--force", "--quiet"]))?;
        // In place of the cache that a builder mounts there.
        symlink(&target, context.join("target")).map_err(Error::io(format!("link {}", target.display())))?;
        Ok(checkout)
    }

    /// The folder of Cargo.lock.
    pub(super) fn context(&self) -> PathBuf {
        self.folder.join("context")
    }

    /// An empty folder in place of an image's root.
    pub(super) fn new_root(&self) -> Result<PathBuf, Error> {
        let root = self.folder.join("root");
        match fs::remove_dir_all(&root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(format!("remove {}", root.display()))(error));
            }
            _ => {}
        }
        let bin = root.join("usr/local/bin");
        fs::create_dir_all(&bin).map_err(Error::io(format!("create {}", bin.display())))?;
        Ok(root)
    }

    /// Nothing that is committed is kept from the builder. These are the patterns that Dockerfiles come with.
    pub(super) fn check_ignored<'a>(&self, patterns: impl Iterator<Item = &'a str>) -> Result<(), Error> {
        let patterns: Vec<&str> = patterns.collect();
        if patterns != ["**/target", ".git"] {
            let problem = format!("this chore does not know what {patterns:?} leave out");
            return Err(Error::Dockerfile { problem });
        }
        let output = self.git().args(["ls-files"]).output().map_err(Error::io("start `git ls-files`"))?;
        let files = String::from_utf8_lossy(&output.stdout).into_owned();
        match files.lines().find(|file| file.split('/').any(|part| part == "target")) {
            None => Ok(()),
            Some(file) => Err(Error::Dockerfile { problem: format!("the builder does not get {file}") }),
        }
    }

    /// git, with the context for its work tree and an index of its own: the checkout that this runs in is not touched.
    fn git(&self) -> Command {
        let mut git = Command::new("git");
        git.current_dir(self.context()).env("GIT_DIR", &self.git).env("GIT_WORK_TREE", self.context());
        git.env("GIT_INDEX_FILE", self.folder.join("index"));
        git
    }
}

/// Where the repository of this workspace is kept.
fn git_folder() -> Result<PathBuf, Error> {
    let mut git = Command::new("git");
    git.current_dir(workspace::root()).args(["rev-parse", "--absolute-git-dir"]);
    let output = git.output().map_err(Error::io("start git"))?;
    if !output.status.success() {
        return Err(Error::Command { command: workspace::line(&git), status: output.status });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().into())
}
