//! Reads one settings file: JSON with comments, trailing commas and a BOM.

use std::io::ErrorKind;
use std::path::Path;

use config::{ConfigError, FileFormat, Source, ValueKind};

use super::node::{Kind, Node, Table};
use super::problems::{Layer, Origin, Problem, Problems};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// The file's settings; `None` if there is no such file.
pub(super) fn read(path: &Path, layer: Layer) -> Result<Option<Node>, Problems> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Problem::new(shown(path), format!("cannot be read: {error}")).into()),
    };
    let text = std::str::from_utf8(bytes.strip_prefix(BOM).unwrap_or(&bytes))
        .map_err(|error| Problem::new(shown(path), format!("cannot be read: expected UTF-8, but {error}")))?;
    parse(text, &shown(path), layer).map(Some)
}

/// Settings from the text of the file `name`.
pub(super) fn parse(text: &str, name: &str, layer: Layer) -> Result<Node, Problems> {
    let origin = Origin::new(layer, name);
    let root =
        config::File::from_str(text, FileFormat::Json5).collect().map_err(|error| unreadable(name, text, error))?;
    let mut problems = Problems::new();
    let root = ValueKind::Table(root);
    let node = convert(root, &origin, "", &mut problems);
    problems.or(node)
}

/// Our tree of config's, whose tables are neither in order nor without regard to case.
fn convert(kind: ValueKind, origin: &Origin, path: &str, problems: &mut Problems) -> Node {
    let kind = match kind {
        ValueKind::Nil => Kind::Null,
        ValueKind::Boolean(value) => Kind::Bool(value),
        ValueKind::I64(value) => Kind::Integer(value.into()),
        ValueKind::I128(value) => Kind::Integer(value),
        ValueKind::U64(value) => Kind::Integer(value.into()),
        ValueKind::U128(value) => i128::try_from(value).map_or_else(|_| Kind::Text(value.to_string()), Kind::Integer),
        ValueKind::Float(value) => Kind::Float(value),
        ValueKind::String(value) => Kind::Text(value),
        ValueKind::Array(values) => {
            let element = |(index, value): (usize, config::Value)| {
                (index, convert(value.kind, origin, &child(path, &index.to_string()), problems))
            };
            Kind::List(values.into_iter().enumerate().map(element).collect())
        }
        ValueKind::Table(values) => {
            let mut values: Vec<_> = values.into_iter().collect();
            values.sort_by(|(one, _), (other, _)| one.cmp(other));
            Kind::Table(table(values, origin, path, problems))
        }
    };
    Node { kind, origin: origin.clone() }
}

fn table(values: Vec<(String, config::Value)>, origin: &Origin, path: &str, problems: &mut Problems) -> Table {
    let mut table = Table::default();
    for (key, value) in values {
        let path = child(path, &key);
        let node = convert(value.kind, origin, &path, problems);
        // A key with `:` is several levels, as in .NET; but `::` is in the name of a Rust module, for LogLevel.
        let levels: Vec<&str> = if key.contains("::") { vec![&key] } else { key.split(':').collect() };
        if levels.len() > 1 {
            table = table.merge(node.nested(&levels).into_table());
        } else if let Some(other) = table.insert(&key, node) {
            let message =
                format!("is given twice in this file, also as {other}: keys are compared without regard to case");
            problems.push(Problem::new(path, message).with_origin(origin));
        }
    }
    table
}

/// File, line and column, once, and what the parser says.
fn unreadable(name: &str, text: &str, error: ConfigError) -> Problems {
    let (ConfigError::FileParse { cause, .. } | ConfigError::Foreign(cause)) = error else {
        return Problem::new(name, format!("cannot be read: {error}")).into();
    };
    let said = match cause.downcast_ref::<Box<ConfigError>>().map(AsRef::as_ref) {
        Some(ConfigError::Type { unexpected, .. }) => {
            return Problem::new(name, format!("expected a JSON object, found {unexpected}")).into();
        }
        _ => cause.to_string(),
    };
    let (message, line, column) = position(&said, text);
    Problem::new(format!("{name}:{line}:{column}"), format!("cannot be read as JSON: {message}")).into()
}

/// Takes "… at line 3 column 7 at line 1 column 1" apart: each level around an error adds its own start.
fn position<'a>(said: &'a str, text: &str) -> (&'a str, usize, usize) {
    let (message, places) = said.split_once(" at line ").unwrap_or((said, ""));
    let innermost = places.split(" at line ").next().and_then(|place| place.split_once(" column "));
    let numbers = innermost.and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?)));
    match numbers {
        Some((line, column)) if !message.starts_with("EOF") => (message, line, column),
        // Where the text ends too early the parser tells no position of its own.
        _ => (message, text.lines().count().max(1), text.lines().last().unwrap_or_default().chars().count() + 1),
    }
}

fn child(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}:{key}") }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
