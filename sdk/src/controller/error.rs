//! What a reconcile fails with.

use std::fmt;

use crate::BoxError;
use crate::workqueue::Outcome;

/// What a reconcile returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a reconcile failed. `?` makes it from any error, and from text.
///
/// It is retried with growing pauses, for ever, unless it is [permanent](Permanent::permanent).
/// It does not implement [`std::error::Error`] itself: that is what lets `?` take any.
pub struct Error {
    source: BoxError,
    permanent: bool,
}

/// Marks failures that a retry can't mend.
pub trait Permanent<T> {
    /// Not retried until the object changes.
    ///
    /// ```
    /// use kubeops::controller::{Permanent, Result};
    ///
    /// fn port(text: &str) -> Result<u16> {
    ///     Ok(text.parse::<u16>().permanent()?)
    /// }
    /// assert!(port("eighty").unwrap_err().is_permanent());
    /// ```
    ///
    /// # Errors
    /// The same, marked.
    fn permanent(self) -> Result<T>;
}

impl Error {
    /// An error that is not retried until the object changes.
    pub fn permanent(error: impl Into<BoxError>) -> Self {
        Self { source: error.into(), permanent: true }
    }

    /// The same, but retried.
    pub(super) fn passing(self) -> Self {
        Self { permanent: false, ..self }
    }

    /// Whether it is not retried until the object changes.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.permanent
    }

    /// What went wrong.
    #[must_use]
    pub fn source(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        &*self.source
    }

    /// What went wrong, to be downcast.
    #[must_use]
    pub fn into_source(self) -> BoxError {
        self.source
    }
}

impl<T, E: Into<Error>> Permanent<T> for std::result::Result<T, E> {
    fn permanent(self) -> Result<T> {
        self.map_err(|error| Error { permanent: true, ..error.into() })
    }
}

impl<E: Into<BoxError>> From<E> for Error {
    fn from(error: E) -> Self {
        Self { source: error.into(), permanent: false }
    }
}

impl From<Error> for Outcome {
    fn from(Error { source, permanent }: Error) -> Self {
        Self::Failed { error: source, permanent }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, permanent } = self;
        f.debug_struct("Error").field("source", source).field("permanent", permanent).finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Permanent, Result};

    fn number(text: &str) -> Result<u8> {
        Ok(text.parse::<u8>()?)
    }

    #[test]
    fn errors_are_retried_unless_they_are_marked() {
        assert!(number("x").is_err_and(|error| !error.is_permanent()));
        assert!(number("x").permanent().is_err_and(|error| error.is_permanent()));
        assert!(Error::permanent("no such plan").is_permanent());
    }

    #[test]
    fn text_is_an_error_too() {
        let failing = || -> Result<()> { Err("the moon is full")? };
        assert!(failing().is_err_and(|error| error.to_string() == "the moon is full"));
    }
}
