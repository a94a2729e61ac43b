//! What is seen: lines of several speakers side by side and, on a terminal, a line below them that stays.

use std::io::{self, IsTerminal as _, Write as _};

use rustix::termios::tcgetwinsize;

use super::layout::{CLEAR_LINE, Speaker, Style};

const NAME: &str = "dev";
/// Of a terminal that does not tell how wide it is.
const COLUMNS: usize = 80;

#[derive(Debug)]
pub(super) struct Screen {
    style: Style,
    name_width: usize,
    /// What is not yet shown.
    lines: String,
    bottom: String,
    /// Whether the last line on the terminal is the bottom one.
    drawn: bool,
    closed: bool,
}

impl Screen {
    /// For speakers whose names are at most `name_width` long.
    pub(super) fn new(name_width: usize) -> Self {
        let variable = |name| std::env::var(name).ok();
        let style = Style::of(io::stdout().is_terminal(), variable("NO_COLOR").as_deref(), variable("TERM").as_deref());
        Self { style, name_width, lines: String::new(), bottom: String::new(), drawn: false, closed: false }
    }

    /// Nobody reads any more, as in `… dev | head`.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The command itself speaks.
    pub(super) fn tell(&mut self, text: impl AsRef<str>) {
        self.lines(Speaker::Dev, NAME, text.as_ref().split('\n'));
    }

    /// Lines that somebody else wrote.
    pub(super) fn lines<'a>(&mut self, speaker: Speaker, name: &str, lines: impl IntoIterator<Item = &'a str>) {
        let shown = lines.into_iter().map(|line| self.style.line(speaker, name, self.name_width, line));
        let shown: String = shown.collect();
        if !shown.is_empty() {
            self.lines.push_str(&shown);
            self.draw();
        }
    }

    /// What the line at the bottom says from now on; empty for none.
    pub(super) fn set_bottom(&mut self, text: String) {
        if self.style.live && self.bottom != text {
            self.bottom = text;
            self.draw();
        }
    }

    fn draw(&mut self) {
        let mut all = String::new();
        if self.drawn {
            all.push_str(CLEAR_LINE);
        }
        all.push_str(&std::mem::take(&mut self.lines));
        self.drawn = self.style.live && !self.bottom.is_empty();
        if self.drawn {
            all.push_str(&self.style.bottom(columns(), &self.bottom));
        }
        let mut out = io::stdout().lock();
        self.closed |= out.write_all(all.as_bytes()).and_then(|()| out.flush()).is_err();
    }
}

impl Drop for Screen {
    /// The shell's prompt goes where the bottom line was.
    fn drop(&mut self) {
        self.set_bottom(String::new());
    }
}

fn columns() -> usize {
    let columns = tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { COLUMNS } else { columns }
}
