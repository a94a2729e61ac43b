//! Where things are, and how other programs are started.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

use crate::error::Error;

/// The folder of the workspace's Cargo.toml.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Where this project keeps what takes long to make, for each user.
pub(crate) fn cache() -> Result<PathBuf, Error> {
    // Only an absolute path counts: https://specifications.freedesktop.org/basedir-spec/latest/
    let given = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = given.or_else(|| env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(".cache")));
    Ok(cache.ok_or(Error::NoCache)?.join("kubeops"))
}

/// Makes what is to be at `path`, which lies in the cache, unless it is there: `make` is given another path to make it at, and
/// it is moved when it is whole. Who comes second waits, and finds it made.
pub(crate) fn make_once(path: &Path, make: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    // What has this name is whole, because it got its name last.
    if path.exists() {
        return Ok(());
    }
    let cache = path.parent().unwrap_or(path);
    fs::create_dir_all(cache).map_err(Error::io(format!("create {}", cache.display())))?;
    // The system unlocks when the holder ends, however it does.
    let lock_path = cache.join("lock");
    let lock = File::create(&lock_path).map_err(Error::io(format!("create {}", lock_path.display())))?;
    lock.lock().map_err(Error::io(format!("lock {}", lock_path.display())))?;
    if path.exists() {
        return Ok(());
    }
    let unfinished = cache.join("unfinished");
    match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io(format!("remove {}", unfinished.display()))(error));
        }
        _ => fs::create_dir_all(&unfinished).map_err(Error::io(format!("create {}", unfinished.display())))?,
    }
    make(&unfinished)?;
    fs::rename(&unfinished, path).map_err(Error::io(format!("rename {}", unfinished.display())))
}

/// Builds a program of a Go module.
pub(crate) fn go_build(module: &Path, linker_flags: &str, program: &Path, package: &str) -> Result<(), Error> {
    let mut go = Command::new("go");
    go.current_dir(module).env("CGO_ENABLED", "0").env("GOWORK", "off");
    go.args(["build", "-trimpath", "-ldflags", linker_flags, "-o"]).arg(program).arg(package);
    run(&mut go)
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |given| root().join(given))
}

/// A cargo in the workspace, as if started by hand.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    forget_cargo(cargo.current_dir(root()));
    cargo
}

/// Does not tell `command` what the `cargo run` around this program told it about itself: build scripts that look at such variables
/// (ring's does) would run again at each change between `cargo` and `cargo xtask`, and half of the dependencies with them.
pub(crate) fn forget_cargo(command: &mut Command) {
    const ABOUT_A_PACKAGE: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| ABOUT_A_PACKAGE.iter().any(|told| name.starts_with(told))) {
            command.env_remove(name);
        }
    }
}

/// Runs it to its end.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let line = line(command);
    let status = command.status().map_err(Error::io(format!("start `{line}`")))?;
    if status.success() { Ok(()) } else { Err(Error::Command { command: line, status }) }
}

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
