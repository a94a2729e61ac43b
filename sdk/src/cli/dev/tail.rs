//! The lines of a log, as they are written.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

#[derive(Debug)]
pub(super) struct Tail {
    file: File,
    /// The beginning of a line whose end is not written yet.
    begun: Vec<u8>,
}

impl Tail {
    /// Of a new, empty log.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        File::create(path)?;
        Ok(Self { file: File::open(path)?, begun: Vec::new() })
    }

    /// The lines that were finished since the last call.
    pub(super) fn lines(&mut self) -> io::Result<Vec<String>> {
        self.file.read_to_end(&mut self.begun)?;
        let finished = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.begun.drain(..finished).collect();
        Ok(String::from_utf8_lossy(&lines).lines().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_line_is_given_once_and_only_when_it_is_finished() {
        let path = std::env::temp_dir().join(format!("kubeops-dev-tail-{}", std::process::id()));
        let mut tail = Tail::create(&path).unwrap();
        let mut log = File::options().append(true).open(&path).unwrap();
        log.write_all(b"one\ntw").unwrap();
        assert_eq!(tail.lines().unwrap(), ["one"]);
        assert!(tail.lines().unwrap().is_empty());
        log.write_all(b"o\n\xff\n").unwrap();
        assert_eq!(tail.lines().unwrap(), ["two", "\u{fffd}"]);
        std::fs::remove_file(&path).unwrap();
    }
}
