//! What is typed. By lines and not by keys: a terminal whose mode nobody changed needs nobody to change it back.

use std::io::{self, BufRead};
use std::thread;

use tokio::sync::mpsc;

pub(crate) const HELP: &str = "k kill -9 the leader · s stop it cleanly · r start what is down · q quit (and Enter)";

#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    Kill,
    Stop,
    Restart,
    Quit,
    /// None of these.
    Unknown,
}

#[derive(Debug)]
pub(crate) struct Keys(mpsc::UnboundedReceiver<Key>);

impl Keys {
    /// Reads on a thread that nobody waits for: reading from a terminal cannot be called off.
    pub(crate) fn listen() -> io::Result<Self> {
        let (tell, keys) = mpsc::unbounded_channel();
        let read = move || {
            let lines = io::stdin().lock().lines().map_while(Result::ok);
            // Ends with the input, or when nobody listens any more.
            let _nobody_listens = lines.filter_map(|line| Key::of(line.trim())).try_for_each(|key| tell.send(key));
        };
        thread::Builder::new().name("keys".to_owned()).spawn(read)?;
        Ok(Self(keys))
    }

    /// The next one; `None` when there will be no more.
    pub(crate) async fn next(&mut self) -> Option<Key> {
        self.0.recv().await
    }
}

impl Key {
    /// An empty line is none: people press Enter to make room.
    fn of(line: &str) -> Option<Self> {
        match line {
            "" => None,
            "k" => Some(Self::Kill),
            "s" => Some(Self::Stop),
            "r" => Some(Self::Restart),
            "q" => Some(Self::Quit),
            _ => Some(Self::Unknown),
        }
    }
}
