//! `cargo xtask contender`: a program on client-go, for tests in which it and ours stand for one Lease.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::PathBuf;

use crate::control_plane::required;
use crate::error::Error;
use crate::{tools, workspace};

const CLIENT_GO: &str = "k8s.io/client-go";

/// Gives the program: `KUBEOPS_CONTENDER` if set, else one in the user's cache, built there when its source is new.
pub(crate) fn provide() -> Result<PathBuf, Error> {
    if let Some(given) = tools::given("KUBEOPS_CONTENDER") {
        return Ok(given);
    }
    let (go_mod, source) = (read("go.mod")?, read("main.go")?);
    let version = required(&go_mod, CLIENT_GO)?;
    let mut hasher = DefaultHasher::new();
    (go_mod, source).hash(&mut hasher);
    let folder = workspace::cache()?.join("contender").join(format!("client-go-{version}-{:016x}", hasher.finish()));
    workspace::make_once(&folder, |unfinished| {
        eprintln!("building a program on client-go {version} for tests, once: about two minutes on two cores");
        workspace::go_build(&module(), "-s -w", &unfinished.join("contender"), ".")
    })?;
    Ok(folder.join("contender"))
}

/// The version of client-go that it is built with.
pub(crate) fn client_go() -> Result<String, Error> {
    required(&read("go.mod")?, CLIENT_GO)
}

fn module() -> PathBuf {
    workspace::root().join("samples/guestbook/tests/contender")
}

fn read(name: &str) -> Result<String, Error> {
    let path = module().join(name);
    fs::read_to_string(&path).map_err(Error::io(format!("read {}", path.display())))
}

/// For a run of all tests, of which one needs it: without Go that fails, and says so.
pub(crate) fn provide_if_possible() -> Option<PathBuf> {
    provide().inspect_err(|error| eprintln!("note: tests beside client-go will fail: {error}")).ok()
}
