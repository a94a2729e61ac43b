//! What is typed.

use std::io::{self, BufRead as _, Read as _};
use std::thread;

use tokio::sync::mpsc;

use super::terminal::Input;

pub(super) const HELP: &str = "k kill -9 the leader · s stop it cleanly · q quit";

const ESCAPE: u8 = 0x1b;
/// Ctrl-D: the end of what is typed.
const END_OF_INPUT: u8 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Kill,
    Stop,
    Quit,
    /// None of these.
    Unknown,
}

#[derive(Debug)]
pub(super) struct Keys(mpsc::UnboundedReceiver<Key>);

impl Keys {
    /// Reads on a thread that nobody waits for: reading cannot be called off. At a terminal each key counts, else each line.
    pub(super) fn listen(input: Input) -> io::Result<Self> {
        let (tell, keys) = mpsc::unbounded_channel();
        let read = move || {
            // They end with the input, or when nobody listens any more.
            let _nobody_listens = match input {
                Input::Terminal => typed().try_for_each(|key| tell.send(key)),
                Input::Lines => lines().try_for_each(|key| tell.send(key)),
                Input::Background => Ok(()),
            };
        };
        thread::Builder::new().name("keys".to_owned()).spawn(read)?;
        Ok(Self(keys))
    }

    /// The next one; `None` when there will be no more.
    pub(super) async fn next(&mut self) -> Option<Key> {
        self.0.recv().await
    }
}

/// Keys as lines of their own.
fn lines() -> impl Iterator<Item = Key> {
    io::stdin().lock().lines().map_while(Result::ok).filter_map(|line| Key::of_line(&line))
}

/// Keys as they are typed at the terminal.
fn typed() -> impl Iterator<Item = Key> {
    let read = || {
        let mut bytes = [0; 64];
        let length = io::stdin().lock().read(&mut bytes).ok().filter(|length| *length > 0)?;
        Some(Key::of_bytes(&bytes[..length]))
    };
    std::iter::from_fn(read).flatten()
}

impl Key {
    /// What came at once: keys, or one that is told by several bytes, such as an arrow.
    fn of_bytes(bytes: &[u8]) -> Vec<Self> {
        match bytes {
            [ESCAPE, ..] => vec![Self::Unknown],
            _ => bytes.iter().filter_map(|byte| Self::of_byte(*byte)).collect(),
        }
    }

    /// None for white space: people press Enter to make room.
    fn of_byte(byte: u8) -> Option<Self> {
        match byte {
            b'k' | b'K' => Some(Self::Kill),
            b's' | b'S' => Some(Self::Stop),
            b'q' | b'Q' | END_OF_INPUT => Some(Self::Quit),
            byte if byte.is_ascii_whitespace() => None,
            _ => Some(Self::Unknown),
        }
    }

    fn of_line(line: &str) -> Option<Self> {
        match line.trim().as_bytes() {
            [] => None,
            [byte] => Self::of_byte(*byte),
            _ => Some(Self::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_counts_and_enter_is_none() {
        assert_eq!(Key::of_bytes(b"k\r\nSq"), [Key::Kill, Key::Stop, Key::Quit]);
        assert_eq!(Key::of_bytes(b"?"), [Key::Unknown]);
        assert_eq!(Key::of_bytes(b"\x04"), [Key::Quit]);
        assert!(Key::of_bytes(b" \n").is_empty());
    }

    #[test]
    fn an_arrow_is_one_key_that_means_nothing() {
        assert_eq!(Key::of_bytes(b"\x1b[A"), [Key::Unknown]);
    }

    #[test]
    fn a_line_is_a_key_or_none() {
        let keys = ["k", " s ", "", "quit"].map(Key::of_line);
        assert_eq!(keys, [Some(Key::Kill), Some(Key::Stop), None, Some(Key::Unknown)]);
    }
}
