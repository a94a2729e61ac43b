//! What fails now. Pure, time is passed in.

use std::collections::VecDeque;

use super::Key;
use crate::leadership::clock::Moment;

/// So many objects are remembered: those that failed last.
const REMEMBERED: usize = 10;
/// Longer errors are cut: an API server may answer with a whole page.
const LONGEST_ERROR: usize = 2_000;

/// An object whose last reconcile failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Which one.
    pub key: Key,
    /// What went wrong, with its causes.
    pub error: String,
    /// The RBAC rule that would have granted what was forbidden.
    pub missing_rule: Option<String>,
    /// How often it failed in a row.
    pub tries: u32,
    /// When it failed last.
    pub at: Moment,
    /// When it is tried again; `None`: at the next change of the object.
    pub next_try: Option<Moment>,
}

/// What is told of a failure.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) error: String,
    pub(super) missing_rule: Option<String>,
}

/// The failures of a queue, the newest last, each object once.
#[derive(Debug, Default)]
pub(super) struct Failures(VecDeque<Failure>);

impl Failures {
    pub(super) fn failed(&mut self, mut failure: Failure) {
        self.mended(&failure.key);
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        if let Some((end, _)) = failure.error.char_indices().nth(LONGEST_ERROR) {
            failure.error.truncate(end);
            failure.error.push('…');
        }
        self.0.push_back(failure);
    }

    /// It succeeded, or is no more.
    pub(super) fn mended(&mut self, key: &Key) {
        self.0.retain(|failure| failure.key != *key);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The newest first.
    pub(super) fn newest_first(&self) -> Vec<Failure> {
        self.0.iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(name: &str, tries: u32) -> Failure {
        let key = Key { namespace: None, name: name.into() };
        Failure { key, error: "no ink".to_owned(), missing_rule: None, tries, at: Moment::default(), next_try: None }
    }

    fn names(failures: &Failures) -> Vec<String> {
        failures.newest_first().iter().map(|failure| format!("{} {}", failure.key, failure.tries)).collect()
    }

    #[test]
    fn an_object_is_there_once_as_it_failed_last_until_it_succeeds() {
        let mut failures = Failures::default();
        for (name, tries) in [("a", 1), ("b", 1), ("a", 2)] {
            failures.failed(failure(name, tries));
        }
        assert_eq!(names(&failures), ["a 2", "b 1"]);
        failures.mended(&failure("a", 0).key);
        assert_eq!(names(&failures), ["b 1"]);
    }

    #[test]
    fn neither_many_objects_nor_long_errors_fill_the_memory() {
        let mut failures = Failures::default();
        for number in 0..100 {
            failures.failed(Failure { error: "ö".repeat(100_000), ..failure(&number.to_string(), 1) });
        }
        let newest = failures.newest_first();
        assert_eq!((newest.len(), &*newest[0].key.name), (REMEMBERED, "99"));
        assert_eq!(newest[0].error.chars().count(), LONGEST_ERROR + 1);
    }
}
