//! `cargo xtask book`: builds the book, after its reference was made anew of the code and all that can be wrong in the repository's
//! pages was looked for.

mod blocks;
mod findings;
mod links;
mod names;
mod page;
mod pages;
mod reference;

use std::fs;
use std::process::Command;

use findings::Findings;
use pages::Pages;

use crate::error::Error;
use crate::{tools, workspace};

/// The book's sources, from the root of the repository.
const SOURCES: &str = "docs/src";
/// Its table of contents.
const SUMMARY: &str = "docs/src/SUMMARY.md";

/// Checks and builds. With `write` the reference is written, and without it must be as it would be written.
pub(crate) fn run(write: bool) -> Result<(), Error> {
    let mut findings = Findings::default();
    reference::check_or_write(write, &mut findings)?;
    let pages = Pages::read(workspace::root())?;
    check(&pages, &mut findings);
    let examples = workspace::root().join(blocks::EXAMPLES);
    let examples = fs::read_to_string(examples).map_err(Error::io(format!("read {}", blocks::EXAMPLES)))?;
    blocks::check_examples(&pages, &examples, &mut findings);
    findings.conclude()?;
    build()
}

fn check(pages: &Pages, findings: &mut Findings) {
    links::check(pages, workspace::root(), findings);
    names::check(pages, findings);
    blocks::check(pages, findings);
}

/// Whatever mdBook warns of is an error: it builds a book without what it misses.
fn build() -> Result<(), Error> {
    let book = workspace::target().join("book");
    let mut mdbook = Command::new(tools::MDBOOK.provide()?);
    mdbook.env("MDBOOK_LOG", "warn").arg("build").arg("--dest-dir").arg(&book).arg(workspace::root().join("docs"));
    let line = workspace::line(&mdbook);
    let output = mdbook.output().map_err(Error::io(format!("start `{line}`")))?;
    let told = String::from_utf8_lossy(&output.stderr);
    eprint!("{told}");
    if !output.status.success() {
        return Err(Error::Command { command: line, status: output.status });
    }
    if !told.trim().is_empty() {
        return Err(Error::BookWarning);
    }
    println!("the book: {}", book.join("index.html").display());
    Ok(())
}
