//! The folder that manifests are kept in: writing it, and telling what is not as it would be written.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::GenerateError;
use super::files::{File, Files, is_ours};

/// A folder of generated files. What somebody else put there is left alone.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

/// A file that is not as it would be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// It is not there.
    Missing(PathBuf),
    /// It has another text.
    Changed(PathBuf),
    /// It was generated once, and is not any more.
    LeftOver(PathBuf),
}

impl Folder {
    /// The folder of this path, which need not be there.
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Writes what is not there or differs, and removes what is left over. The overlay is written only if there is no folder
    /// for overlays yet. Returns what there was to do.
    ///
    /// # Errors
    /// If a file cannot be written or removed, or is another's: that is found out before anything is written.
    pub(crate) fn write(&self, files: &Files) -> Result<Vec<Difference>, GenerateError> {
        let mut differences = self.compare(files)?;
        for difference in &differences {
            let Difference::Changed(path) = difference else { continue };
            if !self.read(path)?.is_some_and(|text| is_ours(&text, files.what)) {
                return Err(GenerateError::Foreign { path: path.clone() });
            }
        }
        let overlay = files.overlay.iter().filter(|_| !self.0.join("overlays").exists());
        let overlay: Vec<&File> = overlay.collect();
        differences.extend(overlay.iter().map(|file| Difference::Missing(self.0.join(&file.path))));
        for file in files.base.iter().chain(overlay) {
            let path = self.0.join(&file.path);
            if differences.iter().any(|difference| difference.path() == path) {
                write(&path, &file.text)?;
            }
        }
        for difference in &differences {
            if let Difference::LeftOver(path) = difference {
                fs::remove_file(path).map_err(GenerateError::file("remove", path))?;
            }
        }
        Ok(differences)
    }

    /// What is not as [`write`](Self::write) would leave it, in the order of paths. Overlays are the user's.
    ///
    /// # Errors
    /// If something cannot be read.
    pub(crate) fn compare(&self, files: &Files) -> Result<Vec<Difference>, GenerateError> {
        let mut differences = self.left_over(files)?;
        for file in &files.base {
            let path = self.0.join(&file.path);
            match self.read(&path)? {
                None => differences.push(Difference::Missing(path)),
                Some(text) if text != file.text => differences.push(Difference::Changed(path)),
                Some(_) => {}
            }
        }
        differences.sort_by(|one, other| one.path().cmp(other.path()));
        Ok(differences)
    }

    /// Files of ours, in the folders that `files` are in, that are not among them.
    fn left_over(&self, files: &Files) -> Result<Vec<Difference>, GenerateError> {
        let known: BTreeSet<PathBuf> = files.base.iter().map(|file| self.0.join(&file.path)).collect();
        let folders: BTreeSet<&Path> = known.iter().filter_map(|path| path.parent()).collect();
        let mut left_over = Vec::new();
        for folder in folders {
            let entries = match fs::read_dir(folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(GenerateError::file("read", folder))?,
            };
            for entry in entries {
                let path = entry.map_err(GenerateError::file("read", folder))?.path();
                if path.is_file()
                    && !known.contains(&path)
                    && self.read(&path)?.is_some_and(|text| is_ours(&text, files.what))
                {
                    left_over.push(Difference::LeftOver(path));
                }
            }
        }
        Ok(left_over)
    }

    /// The file's text, if there is such a file. What is no text is nobody's that we know.
    fn read(&self, path: &Path) -> Result<Option<String>, GenerateError> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(String::from_utf8(bytes).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(GenerateError::file("read", path)(error)),
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), GenerateError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(GenerateError::file("create", folder))?;
    }
    fs::write(path, text).map_err(GenerateError::file("write", path))
}

// === impl Difference ===

impl Difference {
    /// The file.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Missing(path) | Self::Changed(path) | Self::LeftOver(path) => path,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Missing(_) => "missing",
            Self::Changed(_) => "differs",
            Self::LeftOver(_) => "left over",
        };
        write!(f, "{what}: {}", self.path().display())
    }
}
