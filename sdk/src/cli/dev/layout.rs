//! How lines look: those of the log, with the speaker's name in front, and the one at the bottom of a terminal. Pure.

const RESET: &str = "\x1b[0m";
const REVERSE: &str = "\x1b[7m";
/// To the beginning of the line, and all that is on it away.
pub(super) const CLEAR_LINE: &str = "\r\x1b[K";

/// The colours of replicas, in the order of their names; then from the beginning. Red is for errors.
const COLOURS: [&str; 6] = ["\x1b[36m", "\x1b[35m", "\x1b[33m", "\x1b[32m", "\x1b[34m", "\x1b[96m"];
const BOLD: &str = "\x1b[1m";

/// Who says a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    /// The command itself.
    Dev,
    /// The replica at this place.
    Replica(usize),
}

/// What stdout can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    /// Whether there is a terminal, with a line at its bottom.
    pub(super) live: bool,
    /// Whether colours are welcome.
    pub(super) coloured: bool,
}

impl Style {
    /// `no_color` and `term` are the variables of these names.
    pub(super) fn of(is_terminal: bool, no_color: Option<&str>, term: Option<&str>) -> Self {
        let live = is_terminal && term != Some("dumb");
        Self { live, coloured: live && no_color.is_none_or(str::is_empty) }
    }

    /// A line of the log; `width` is that of the longest name, so that lines stand below each other.
    pub(super) fn line(self, speaker: Speaker, name: &str, width: usize, text: &str) -> String {
        let bar = if self.live { '│' } else { '|' };
        if text.is_empty() {
            return "\n".to_owned();
        }
        match (self.coloured, speaker) {
            (false, _) => format!("{name:width$} {bar} {text}\n"),
            (true, Speaker::Dev) => format!("{BOLD}{name:width$} {bar} {text}{RESET}\n"),
            (true, Speaker::Replica(at)) => {
                // What a line of the log leaves switched on must not colour the next one.
                let colour = COLOURS[at % COLOURS.len()];
                format!("{colour}{name:width$} {bar}{RESET} {text}{}\n", if text.contains('\x1b') { RESET } else { "" })
            }
        }
    }

    /// The line at the bottom, in a terminal of so many columns: never so long that it would wrap.
    pub(super) fn bottom(self, columns: usize, text: &str) -> String {
        let text = cut(text, columns.saturating_sub(1));
        if self.coloured { format!("{REVERSE}{text}{RESET}") } else { text }
    }
}

/// At most `width` characters; `…` in the place of what is left out.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain((width > 0).then_some('…')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { live: false, coloured: false };
    const COLOURED: Style = Style { live: true, coloured: true };

    #[test]
    fn only_a_terminal_that_can_gets_colours_and_a_bottom_line() {
        assert_eq!(Style::of(false, None, Some("xterm")), PLAIN);
        assert_eq!(Style::of(true, None, Some("dumb")), PLAIN);
        assert_eq!(Style::of(true, None, Some("xterm")), COLOURED);
        assert_eq!(Style::of(true, Some(""), Some("xterm")), COLOURED);
        assert_eq!(Style::of(true, Some("1"), Some("xterm")), Style { live: true, coloured: false });
    }

    #[test]
    fn names_stand_below_each_other() {
        assert_eq!(PLAIN.line(Speaker::Dev, "dev", 9, "hello"), "dev       | hello\n");
        assert_eq!(PLAIN.line(Speaker::Replica(0), "replica-a", 9, "hello"), "replica-a | hello\n");
        assert_eq!(PLAIN.line(Speaker::Dev, "dev", 9, ""), "\n");
    }

    #[test]
    fn a_replica_keeps_its_colour_and_lends_it_to_nobody() {
        let line = |at, text| COLOURED.line(Speaker::Replica(at), "x", 1, text);
        assert_eq!(line(0, "hello"), "\x1b[36mx │\x1b[0m hello\n");
        assert_eq!(line(6, "hello"), line(0, "hello"));
        assert_ne!(line(1, "hello"), line(0, "hello"));
        assert!(line(0, "\x1b[31mred").ends_with("red\x1b[0m\n"));
    }

    #[test]
    fn the_bottom_line_never_wraps() {
        let style = Style { live: true, coloured: false };
        assert_eq!(style.bottom(40, "short"), "short");
        assert_eq!(style.bottom(10, "replica-a leads"), "replica-…");
        for columns in [0, 1, 2, 3] {
            assert!(style.bottom(columns, "replica-a").chars().count() <= columns.saturating_sub(1), "{columns}");
        }
        assert_eq!(COLOURED.bottom(10, "replica-a leads"), "\x1b[7mreplica-…\x1b[0m");
    }
}
