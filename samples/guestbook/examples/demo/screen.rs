//! What is seen: lines of several speakers side by side, each with its name in front, in its colour on a terminal.

use std::io::{self, IsTerminal, Write};

/// As long as the longest name, so that lines stand below each other.
const NAME_WIDTH: usize = 9;
const RESET: &str = "\x1b[0m";

/// How a speaker looks on a terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Colour {
    Cyan,
    Magenta,
    Yellow,
    /// The demo's own.
    Bold,
}

#[derive(Debug)]
pub(crate) struct Screen {
    coloured: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { coloured: io::stdout().is_terminal() && !plain }
    }

    /// The demo speaks. Fails when nobody listens any more, as in `cargo xtask demo | head`.
    pub(crate) fn tell(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        text.as_ref().split('\n').try_for_each(|line| {
            let line = if self.coloured { format!("{}{line}{RESET}", Colour::Bold.code()) } else { line.to_owned() };
            self.line("demo", Colour::Bold, &line)
        })
    }

    /// A line that somebody else wrote.
    pub(crate) fn line(&mut self, name: &str, colour: Colour, line: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match self.coloured {
            true => writeln!(out, "{}{name:NAME_WIDTH$} │{RESET} {line}", colour.code()),
            false => writeln!(out, "{name:NAME_WIDTH$} | {line}"),
        }
    }

    /// To stderr. If nobody listens there either, there is nobody left to tell.
    pub(crate) fn complain(&mut self, text: &str) {
        let _nobody_listens = writeln!(io::stderr(), "{text}");
    }
}

impl Colour {
    const fn code(self) -> &'static str {
        match self {
            Self::Cyan => "\x1b[36m",
            Self::Magenta => "\x1b[35m",
            Self::Yellow => "\x1b[33m",
            Self::Bold => "\x1b[1m",
        }
    }
}
