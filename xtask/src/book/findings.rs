//! What is wrong with pages: all of it is told, then the chore fails.

use crate::error::Error;

#[derive(Debug, Default)]
pub(super) struct Findings(Vec<String>);

impl Findings {
    pub(super) fn add(&mut self, path: &str, line: usize, what: impl AsRef<str>) {
        self.0.push(format!("{path}:{line}: {}", what.as_ref()));
    }

    pub(super) fn conclude(self) -> Result<(), Error> {
        for finding in &self.0 {
            println!("{finding}");
        }
        if self.0.is_empty() { Ok(()) } else { Err(Error::Book { problems: self.0.len() }) }
    }

    #[cfg(test)]
    pub(super) fn told(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}
