//! An error with all its causes, on one line.

use std::error::Error;
use std::fmt::Write;

/// The error's text and those of its sources, save what the text before tells already: many crates repeat their source, and
/// as many (kube's "client error (Connect)") leave out the one thing that one wants to know.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            // Writing into a `String` does not fail.
            let _written = write!(text, ": {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Option<Box<Self>>);

    #[test]
    fn each_cause_is_told_once() {
        let refused = Layer("connection refused", None);
        let connect = Layer("can't connect: connection refused", Some(refused.into()));
        let list = Layer("can't list", Some(connect.into()));
        assert_eq!(with_causes(&list), "can't list: can't connect: connection refused");
    }
}
