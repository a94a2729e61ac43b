//! Pieces of Markdown.

pub(crate) const WRITTEN_BY: &str =
    "<!-- Made of the code by `cargo xtask book --write`. Change the code instead. -->\n\n";

/// A table.
pub(crate) fn table<const N: usize>(heading: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heading = heading.map(str::to_owned);
    let rule = [const { String::new() }; N].map(|_| "---".to_owned());
    let rows = rows.into_iter().map(|row| line(&row.map(|cell| cell.replace('|', "\\|").replace('\n', " "))));
    [line(&heading), line(&rule)].into_iter().chain(rows).collect()
}

/// Text in a program's own letters; nothing for nothing.
pub(crate) fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

/// Several of them.
pub(crate) fn codes(texts: &[String]) -> String {
    texts.iter().map(|text| code(text)).collect::<Vec<_>>().join(", ")
}

/// A text that is not Markdown: what stands in angle brackets is no HTML.
pub(crate) fn plain(text: &str) -> String {
    let mut in_code = false;
    let escaped = text.chars().map(|c| {
        in_code ^= c == '`';
        if matches!(c, '<' | '[' | '*') && !in_code { format!("\\{c}") } else { c.to_string() }
    });
    escaped.collect()
}

/// A sentence: what needs no full stop in a listing gets one in a text.
pub(crate) fn sentence(text: &str) -> String {
    if text.ends_with(['.', ':', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
