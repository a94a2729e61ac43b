//! Why there are no manifests.

use std::io;
use std::path::{Path, PathBuf};

use crate::BoxError;
use crate::crds::definitions::Conflicting;

/// What was to be generated was not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// Two controllers bring different definitions of the same kind.
    #[error(transparent)]
    Definitions(#[from] Conflicting),
    /// An object could not be written as text.
    #[error("{name} cannot be written as text")]
    Serialize {
        /// Its name.
        name: String,
        /// Why.
        source: BoxError,
    },
    /// Something could not be read, written or removed.
    #[error("cannot {action} {path}")]
    File {
        /// What was to be done.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Where a file is to be written there is one that somebody else wrote.
    #[error(
        "{path} was not written by this command, which wants to write a file of that name: move it away, or choose \
         another folder"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// What is on disk is not what would be written.
    #[error("{0} files are not as they would be generated")]
    Different(usize),
    /// The output could not be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

impl GenerateError {
    pub(crate) fn serialize(name: &str) -> impl FnOnce(BoxError) -> Self {
        move |source| Self::Serialize { name: name.to_owned(), source }
    }

    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { action, path: path.to_owned(), source }
    }
}
