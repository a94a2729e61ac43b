//! An error and its causes, on one line.

use std::error::Error;
use std::iter::successors;

/// An error, what caused it, what caused that, separated by colons. Many errors repeat their cause in their own text: that is
/// told once.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    joined(causes(error).map(ToString::to_string))
}

/// The error itself, what caused it, what caused that.
pub(crate) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// The texts of a chain, separated by colons, but for those that an earlier one tells already.
pub(crate) fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.fold(String::new(), |told, text| match told {
        told if told.is_empty() => text,
        told if told.contains(&text) => told,
        told => format!("{told}: {text}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Layer {
        #[error("no mail")]
        Silent(#[source] std::io::Error),
        #[error("no mail: {0}")]
        Repeating(#[source] std::io::Error),
    }

    #[test]
    fn each_cause_is_told_once() {
        assert_eq!(chain(&Layer::Silent(std::io::Error::other("disk full"))), "no mail: disk full");
        assert_eq!(chain(&Layer::Repeating(std::io::Error::other("disk full"))), "no mail: disk full");
    }
}
