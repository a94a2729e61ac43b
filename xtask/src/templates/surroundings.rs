//! Where the scripts run, and the programs that they find there.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

use crate::error::Error;
use crate::{control_plane, helm, tools, workspace};

/// The program that keeps a control plane up, of the test kit.
const CONTROL_PLANE: &str = "kubeops-control-plane";

/// A folder outside of the checkout, and programs. Removed with all that was generated when this is dropped.
#[derive(Debug)]
pub(super) struct Surroundings {
    folder: PathBuf,
    control_plane: PathBuf,
    _lock: File,
}

impl Surroundings {
    /// Provides both. Who comes second waits until the first one has ended.
    pub(super) fn provide() -> Result<Self, Error> {
        let control_plane = control_plane::provide()?;
        let programs = [
            ("cargo-generate", tools::CARGO_GENERATE.provide()?),
            ("helm", helm::provide()?),
            ("kubectl", control_plane.join("kubectl")),
            (CONTROL_PLANE, build_control_plane()?),
        ];
        // The same each time: cargo keeps what it has built for each path.
        let folder = workspace::cache()?.join("templates");
        let lock = lock(&folder.with_extension("lock"))?;
        remove(&folder).map_err(Error::io(format!("remove {}", folder.display())))?;
        let surroundings = Self { folder, control_plane, _lock: lock };
        create(&surroundings.programs())?;
        for (name, program) in programs {
            symlink(program, surroundings.programs().join(name)).map_err(Error::io(format!("link {name}")))?;
        }
        surroundings.write_cargo_config()?;
        Ok(surroundings)
    }

    /// Gives a script all of it, and an empty folder of its own.
    pub(super) fn apply_to<'a>(&self, script: &'a mut Command, name: &str) -> Result<&'a mut Command, Error> {
        let folder = self.folder.join(name);
        create(&folder)?;
        workspace::forget_cargo(script);
        let mut path = self.programs().into_os_string();
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        script.current_dir(folder).env("PATH", path).env("KUBEOPS", workspace::root());
        script.env("KUBEOPS_CONTROL_PLANE", &self.control_plane).env("CARGO_TARGET_DIR", workspace::target());
        Ok(script)
    }

    /// The folder that has the programs, each by its usual name.
    fn programs(&self) -> PathBuf {
        self.folder.join("bin")
    }

    /// The generated projects are built as the workspace is, so that both share what they depend on.
    fn write_cargo_config(&self) -> Result<(), Error> {
        const CONFIG: &str = ".cargo/config.toml";
        let config = read(&workspace::root().join(CONFIG))?;
        let manifest = read(&workspace::root().join("Cargo.toml"))?;
        // They are the last tables there.
        let profiles = manifest.find("[profile.").map_or("", |at| &manifest[at..]);
        let path = self.folder.join(CONFIG);
        create(path.parent().unwrap_or(&self.folder))?;
        fs::write(&path, format!("{config}\n{profiles}")).map_err(Error::io(format!("write {}", path.display())))
    }
}

impl Drop for Surroundings {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.folder) {
            eprintln!("note: {} stays: {error}", self.folder.display());
        }
    }
}

/// The system unlocks it when the file is closed, however this process ends.
fn lock(path: &Path) -> Result<File, Error> {
    let file = File::create(path).map_err(Error::io(format!("create {}", path.display())))?;
    file.lock().map_err(Error::io(format!("lock {}", path.display())))?;
    Ok(file)
}

fn remove(folder: &Path) -> io::Result<()> {
    fs::remove_dir_all(folder).or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn create(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::io(format!("create {}", folder.display())))
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::io(format!("read {}", path.display())))
}

/// With the features that the whole workspace gives its dependencies, which projects from templates give them too.
fn build_control_plane() -> Result<PathBuf, Error> {
    workspace::run(workspace::cargo().args(["build", "--workspace", "--quiet", "--bin", CONTROL_PLANE]))?;
    Ok(workspace::target().join("debug").join(CONTROL_PLANE))
}
