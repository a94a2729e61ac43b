//! How lines of text look.

use std::fmt::{self, Write as _};

use jiff::Zoned;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Compact, Format, Full, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::BLOCK;

/// Lines as `lines` writes them, and the start as a block.
pub(super) struct Text<L, T> {
    lines: L,
    time: T,
}

/// The local time, for somebody who watches.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeOfDay;

/// With date, target and everything.
pub(super) fn full() -> Text<Format<Full, SystemTime>, SystemTime> {
    Text { lines: Format::default(), time: SystemTime }
}

/// With what matters while one looks on.
pub(super) fn short() -> Text<Format<Compact, TimeOfDay>, TimeOfDay> {
    Text { lines: Format::default().with_timer(TimeOfDay).with_target(false).compact(), time: TimeOfDay }
}

impl FormatTime for TimeOfDay {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{}", Zoned::now().strftime("%H:%M:%S"))
    }
}

impl<S, N, L, T> FormatEvent<S, N> for Text<L, T>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    L: FormatEvent<S, N>,
    T: FormatTime,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if event.metadata().target() != BLOCK {
            return self.lines.format_event(context, writer, event);
        }
        let mut block = Block::default();
        event.record(&mut block);
        // As the lines around it.
        let [dim, green, bold, plain] = match writer.has_ansi_escapes() {
            true => ["\u{1b}[2m", "\u{1b}[32m", "\u{1b}[1m", "\u{1b}[0m"],
            false => [""; 4],
        };
        write!(writer, "{dim}")?;
        self.time.format_time(&mut writer)?;
        writeln!(
            writer,
            "{plain} {green}{:>5}{plain} {bold}{}{plain}",
            event.metadata().level().as_str(),
            block.message
        )?;
        let width = block.fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, value) in block.fields {
            writeln!(writer, "    {dim}{name:width$}{plain}  {value}")?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Block {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for Block {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _written = write!(text, "{value:?}");
        match field.name() {
            "message" => self.message = text,
            name => self.fields.push((name, text)),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}
