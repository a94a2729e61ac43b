//! Where the scripts run, and the programs that they find there.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

use crate::error::Error;
use crate::{control_plane, helm, tools, workspace};

/// The program that keeps a control plane up, of the test kit.
const CONTROL_PLANE: &str = "kubeops-control-plane";

/// The generated projects are built as the workspace is, so that both share what they depend on.
const CARGO_CONFIG: &str = "\
[env]
K8S_OPENAPI_ENABLED_VERSION = \"1.36\"

[profile.dev.package.serde_json]
opt-level = 3

[profile.dev.package.kubeops-testkit]
opt-level = 1
";

/// A folder outside of the checkout, and programs. Removed with all that was generated when this is dropped.
#[derive(Debug)]
pub(super) struct Surroundings {
    folder: PathBuf,
    control_plane: PathBuf,
}

impl Surroundings {
    /// Provides programs and a folder outside of the checkout.
    pub(super) fn provide() -> Result<Self, Error> {
        let control_plane = control_plane::provide()?;
        let programs = [
            ("cargo-generate", tools::CARGO_GENERATE.provide()?),
            ("helm", helm::provide()?),
            ("kubectl", control_plane.join("kubectl")),
            (CONTROL_PLANE, build_control_plane()?),
        ];
        let folder = env::temp_dir().join(format!("kubeops-templates-{}", process::id()));
        let surroundings = Self { folder, control_plane };
        create(&surroundings.programs())?;
        for (name, program) in programs {
            symlink(program, surroundings.programs().join(name)).map_err(Error::io(format!("link {name}")))?;
        }
        let cargo = surroundings.folder.join(".cargo");
        create(&cargo)?;
        let config = cargo.join("config.toml");
        fs::write(&config, CARGO_CONFIG).map_err(Error::io(format!("write {}", config.display())))?;
        Ok(surroundings)
    }

    /// Gives a script all of it, and an empty folder of its own.
    pub(super) fn apply_to<'a>(&self, script: &'a mut Command, name: &str) -> Result<&'a mut Command, Error> {
        let folder = self.folder.join(name);
        create(&folder)?;
        for variable in workspace::told_by_cargo() {
            script.env_remove(variable);
        }
        let script = script.current_dir(folder).env("KUBEOPS", workspace::root());
        let mut path = self.programs().into_os_string();
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        let script = script.env("KUBEOPS_CONTROL_PLANE", &self.control_plane).env("PATH", path);
        Ok(script.env("CARGO_TARGET_DIR", workspace::target()))
    }

    /// The folder that has the programs, each by its usual name.
    fn programs(&self) -> PathBuf {
        self.folder.join("bin")
    }
}

impl Drop for Surroundings {
    fn drop(&mut self) {
        // It is in the folder for things that may go at any time.
        let _left_to_the_system = fs::remove_dir_all(&self.folder);
    }
}

fn create(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::io(format!("create {}", folder.display())))
}

/// With the features that the whole workspace gives its dependencies, which projects from templates give them too.
fn build_control_plane() -> Result<PathBuf, Error> {
    workspace::run(workspace::cargo().args(["build", "--workspace", "--quiet", "--bin", CONTROL_PLANE]))?;
    Ok(workspace::target().join("debug").join(CONTROL_PLANE))
}
