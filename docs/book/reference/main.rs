//! Writes the pages of the reference into a folder: `cargo run -p kubeops-book --bin reference -- FOLDER`.
//! `cargo xtask book` calls it.

mod command_line;
mod markdown;
mod metrics;
mod settings;

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| io::Error::other("usage: reference FOLDER"))?;
    let pages =
        [("settings.md", settings::page()), ("metrics.md", metrics::page()), ("command-line.md", command_line::page())];
    fs::create_dir_all(&folder)?;
    for (name, text) in pages {
        fs::write(folder.join(name), format!("{}{text}", markdown::WRITTEN_BY))?;
    }
    Ok(())
}
