//! The terminal's mode: keys without Enter, and without an echo that would spoil the picture.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr};

/// Keys come one by one while this lives; then the terminal is as it was before. Signals stay: Ctrl-C interrupts.
#[derive(Debug)]
pub(super) struct KeyMode(Original);

/// How the terminal was.
#[derive(Clone, Debug)]
pub(super) struct Original(Arc<Termios>);

impl KeyMode {
    /// If stdin is a terminal.
    pub(super) fn enter() -> io::Result<Self> {
        let stdin = io::stdin();
        let original = tcgetattr(&stdin)?;
        let mut mode = original.clone();
        mode.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        // A read gives what there is, as soon as there is something.
        mode.special_codes[SpecialCodeIndex::VMIN] = 1;
        mode.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&stdin, OptionalActions::Now, &mode)?;
        Ok(Self(Original(Arc::new(original))))
    }

    pub(super) fn original(&self) -> Original {
        self.0.clone()
    }
}

impl Original {
    pub(super) fn restore(&self) {
        // It fails only if the terminal is gone.
        let _gone = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

impl Drop for KeyMode {
    fn drop(&mut self) {
        self.0.restore();
    }
}

/// Who types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// Somebody at a terminal.
    Terminal,
    /// A terminal that is somebody else's at the moment: who reads from it in the background is stopped.
    Background,
    /// A pipe or a file.
    Lines,
}

impl Input {
    pub(super) fn of_process() -> Self {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Self::Lines;
        }
        match tcgetpgrp(&stdin) {
            Ok(foreground) if foreground != getpgrp() => Self::Background,
            // An error says that it does not control this process, which is not stopped then.
            Ok(_) | Err(_) => Self::Terminal,
        }
    }
}
