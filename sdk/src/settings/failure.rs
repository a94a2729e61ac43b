//! Why a value could not be read as what it was asked for, and where.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use super::node::Node;
use super::problems::Origin;

/// Why a node could not be read, and where.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    /// The field that is missing in the section at `path`.
    pub(super) missing: Option<&'static str>,
    pub(super) path: Option<String>,
    /// The value at `path`, unless it is a section, and where it came from.
    pub(super) found: Option<(Option<String>, Origin)>,
}

/// A path as it is compared.
pub(super) fn folded(path: &str) -> String {
    path.to_lowercase().replace('_', "")
}

impl Failure {
    /// Says where it happened, unless that is known already.
    pub(super) fn at(mut self, path: &str, node: &Node) -> Self {
        if self.path.is_none() {
            self.path = Some(path.to_owned());
            self.found = Some((node.scalar(), node.origin.clone()));
        }
        self
    }
}

impl Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), missing: None, path: None, found: None }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(match found {
            Unexpected::Map => format!("expected {expected}, found a section"),
            Unexpected::Seq => format!("expected {expected}, found a list"),
            Unexpected::Unit => format!("expected {expected}, found nothing"),
            _ => format!("expected {expected}"),
        })
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format!("expected {expected}"))
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        Self::custom(format!("expected {expected}, found {found}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format!("expected one of {}", expected.join(", ")))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let distance = |known: &&&str| strsim::damerau_levenshtein(&folded(known), &folded(field));
        Self::custom(match expected.iter().min_by_key(distance) {
            Some(nearest) => format!("unknown key; did you mean {nearest}?"),
            None => "unknown key; none was expected here".to_owned(),
        })
    }

    fn missing_field(field: &'static str) -> Self {
        Self { missing: Some(field), ..Self::custom("is missing") }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
