//! The pages that are made of the code.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::SOURCES;
use super::findings::Findings;
use crate::error::Error;
use crate::workspace;

/// The program that writes them, and its folder's name in the book.
const PROGRAM: &str = "reference";

/// Writes them, or tells which are not as they would be written.
pub(super) fn check_or_write(write: bool, findings: &mut Findings) -> Result<(), Error> {
    let folder = workspace::root().join(SOURCES).join(PROGRAM);
    if write {
        return generate(&folder);
    }
    let fresh = workspace::target().join("book-reference");
    generate(&fresh)?;
    for entry in fs::read_dir(&fresh).map_err(Error::io(format!("read {}", fresh.display())))? {
        let made = entry.map_err(Error::io(format!("read {}", fresh.display())))?.path();
        let name = made.file_name().unwrap_or_default();
        let text = fs::read_to_string(&made).map_err(Error::io(format!("read {}", made.display())))?;
        // What is not there is different.
        if fs::read_to_string(folder.join(name)).ok().as_ref() != Some(&text) {
            let path = format!("{SOURCES}/{PROGRAM}/{}", name.to_string_lossy());
            findings.add(&path, 1, "is not what the code says now: run `cargo xtask book --write`");
        }
    }
    Ok(())
}

/// Built with the whole workspace's features, as tests are: what is built for one is used by the other.
fn generate(folder: &Path) -> Result<(), Error> {
    workspace::run(workspace::cargo().args(["build", "--quiet", "--workspace", "--bin", PROGRAM]))?;
    workspace::run(Command::new(workspace::target().join("debug").join(PROGRAM)).arg(folder))
}
