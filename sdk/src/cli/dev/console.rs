//! Who asks for something: somebody who types, and signals, which ask for the end.

use futures::StreamExt as _;
use futures::stream::BoxStream;

use super::DevError;
use super::keys::{Key, Keys};
use super::terminal::{Input, KeyMode, Original};
use crate::host::{Signal, signals};

/// While this lives, keys count without Enter, if there is a terminal, and signals do not end the process.
pub(super) struct Console {
    keys: Keys,
    signals: BoxStream<'static, Signal>,
    _mode: Option<KeyMode>,
}

impl Console {
    pub(super) fn open() -> Result<Self, DevError> {
        let input = Input::of_process();
        let mode = match input {
            Input::Terminal => Some(KeyMode::enter().map_err(DevError::io("set the terminal's mode"))?),
            Input::Background | Input::Lines => None,
        };
        let terminal = mode.as_ref().map(KeyMode::original);
        let last_resort = move |second: Signal| {
            terminal.iter().for_each(Original::restore);
            std::process::exit(second.exit_code().into())
        };
        let signals = signals(last_resort).map_err(DevError::io("receive signals"))?.boxed();
        let keys = Keys::listen(input).map_err(DevError::io("start a thread"))?;
        Ok(Self { keys, signals, _mode: mode })
    }

    /// What is asked for next. Nothing is lost if this is dropped.
    pub(super) async fn next(&mut self) -> Key {
        tokio::select! {
            // When there are no more keys, there are signals still.
            Some(key) = self.keys.next() => key,
            _ = self.signals.next() => Key::Quit,
        }
    }
}
