//! What several parts of the page have in common.

use std::fmt::Display;
use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, html};

pub(super) fn seconds(whole: u64) -> Duration {
    Duration::from_secs(whole)
}

/// The part of an identity that people gave: `<name>_<id>`.
pub(super) fn name(identity: &str) -> &str {
    identity.split_once('_').map_or(identity, |(name, _)| name)
}

/// A time of today as the time of day, with the whole of it for machines and for whoever points at it.
pub(super) fn at(time: Timestamp, now: Timestamp) -> Markup {
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    let format = if day(time) == day(now) { "%H:%M:%S UTC" } else { "%Y-%m-%d %H:%M UTC" };
    html! { time datetime=(time) title=(time) { (time.strftime(format)) } }
}

/// How far apart, whichever is earlier.
pub(super) fn between(one: Timestamp, other: Timestamp) -> Duration {
    other.duration_since(one).unsigned_abs()
}

/// Says in a word, and in a colour, how it is.
pub(super) fn badge(class: &str, word: &str) -> Markup {
    html! { span class=(format!("badge {class}")) { (word) } }
}

/// The name of a column, and what is in it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    Text(&'static str),
    Number(&'static str),
}

/// A table's first row.
pub(super) fn heading(columns: &[Column]) -> Markup {
    html! {
        thead {
            tr {
                @for column in columns {
                    @match column {
                        Column::Text(name) => { th scope="col" { (name) } },
                        Column::Number(name) => { th.number scope="col" { (name) } },
                    }
                }
            }
        }
    }
}

/// A cell with the name of its column, which is its heading where there is no room for columns.
pub(super) fn cell(label: &str, content: &Markup) -> Markup {
    html! { td data-label=(label) { div { (content) } } }
}

/// Likewise, for what may be long.
pub(super) fn wide(label: &str, content: &Markup) -> Markup {
    html! { td.wide data-label=(label) { div { (content) } } }
}

/// Likewise, for a word that needs no heading where there is no room for columns: it stands beside the row's.
pub(super) fn beside(content: &Markup) -> Markup {
    html! { td.beside { div { (content) } } }
}

/// A cell with a number.
pub(super) fn number(label: &str, number: &impl Display) -> Markup {
    html! { td.number data-label=(label) { div { (number.to_string()) } } }
}
