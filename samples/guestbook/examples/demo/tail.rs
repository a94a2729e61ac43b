//! The lines of a log, as they are written.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

#[derive(Debug)]
pub(crate) struct Tail {
    file: File,
    /// The beginning of a line whose end is not written yet.
    begun: Vec<u8>,
}

impl Tail {
    /// Of a new, empty log.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        File::create(path)?;
        Ok(Self { file: File::open(path)?, begun: Vec::new() })
    }

    /// The lines that were finished since the last call.
    pub(crate) fn lines(&mut self) -> io::Result<Vec<String>> {
        self.file.read_to_end(&mut self.begun)?;
        let finished = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.begun.drain(..finished).collect();
        Ok(String::from_utf8_lossy(&lines).lines().map(str::to_owned).collect())
    }
}
