//! Every Markdown file of the repository.

use std::fs;
use std::path::Path;

use super::page::Page;
use super::{SOURCES, SUMMARY};
use crate::error::Error;

/// Folders of other people's pages, of pages that are not yet pages, and of what was built.
const LEFT_OUT: [&str; 2] = ["target", "templates"];

#[derive(Debug, Default)]
pub(super) struct Pages(pub(super) Vec<Page>);

impl Pages {
    pub(super) fn read(root: &Path) -> Result<Self, Error> {
        let mut pages = Vec::new();
        add(root, "", &mut pages)?;
        pages.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self(pages))
    }

    pub(super) fn get(&self, path: &str) -> Option<&Page> {
        self.0.iter().find(|page| page.path == path)
    }

    /// Pages of the book, without its table of contents.
    pub(super) fn chapters(&self) -> impl Iterator<Item = &Page> {
        self.0.iter().filter(|page| is_in_book(&page.path) && page.path != SUMMARY)
    }
}

/// Whether the path is among the book's sources.
pub(super) fn is_in_book(path: &str) -> bool {
    path.strip_prefix(SOURCES).is_some_and(|rest| rest.starts_with('/'))
}

fn add(folder: &Path, path: &str, pages: &mut Vec<Page>) -> Result<(), Error> {
    let cannot_read = |path: &Path| Error::io(format!("read {}", path.display()));
    for entry in fs::read_dir(folder).map_err(cannot_read(folder))? {
        let entry = entry.map_err(cannot_read(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (below, file) = (format!("{path}{name}"), entry.path());
        let is_folder = entry.file_type().map_err(cannot_read(&file))?.is_dir();
        if is_folder && !name.starts_with('.') && !LEFT_OUT.contains(&name.as_str()) {
            add(&file, &format!("{below}/"), pages)?;
        } else if !is_folder && name.ends_with(".md") {
            pages.push(Page::parse(&below, fs::read_to_string(&file).map_err(cannot_read(&file))?));
        }
    }
    Ok(())
}
