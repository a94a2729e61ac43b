//! An error and its causes, on one line.

use std::error::Error;

/// An error, what caused it, what caused that, separated by colons. Many errors repeat their cause in their own text: that is
/// told once.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
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
