//! The `settings` listing: the effective value of every key, and where it came from.

use crate::settings::{Layer, Settings, same_key};

use super::reader::Reader;
use super::{Defaults, Draft, KEYS, SECTION};

/// One line of the listing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The key's path, levels separated by `:`.
    pub key: String,
    /// Its effective value; durations in .NET's form, secrets hidden.
    pub value: String,
    /// The file, variable or other layer that it came from; several for a list that several layers wrote.
    pub origin: String,
}

/// Every key of the `KubeOps` section, set or not, then every value of the other sections that files or `--set` name, and of
/// `Logging`. What is wrong is listed as it was given.
#[must_use]
pub fn listing(settings: &Settings, defaults: &Defaults) -> Vec<Row> {
    let mut reader = Reader::new(settings, defaults);
    let _values_are_kept_by_the_reader = Draft::read(&mut reader);
    let values = reader.into_values();
    let mut rows: Vec<Row> = KEYS
        .iter()
        .filter_map(|key| {
            let read = values.get(key.name)?;
            let mut origins: Vec<String> = read.origins.iter().map(ToString::to_string).collect();
            origins.dedup();
            let key = format!("{SECTION}:{}", key.name);
            Some(Row { key, value: read.shown.clone(), origin: origins.join(", ") })
        })
        .collect();
    rows.extend(others(settings));
    rows
}

fn others(settings: &Settings) -> Vec<Row> {
    let mut sections = settings.sections();
    if !sections.iter().any(|section| same_key(section, "Logging")) {
        sections.push("Logging".to_owned());
    }
    let of_kube_ops = settings.entries(SECTION).into_iter().filter(|entry| {
        let key = entry.key.split(':').nth(1).unwrap_or_default();
        entry.origin.layer() > Layer::Default && !KEYS.iter().any(|known| same_key(known.name, key))
    });
    let of_others = sections
        .into_iter()
        .filter(|section| section.to_lowercase() != SECTION.to_lowercase())
        .flat_map(|section| settings.entries(&section));
    of_kube_ops
        .map(|entry| (entry, " (not a key of this version)"))
        .chain(of_others.map(|entry| (entry, "")))
        .map(|(entry, note)| Row { key: entry.key, value: entry.value, origin: format!("{}{note}", entry.origin) })
        .collect()
}

/// The rows as columns below a heading, one row a line.
#[must_use]
pub fn text_table(rows: &[Row]) -> String {
    let heading = Row { key: "KEY".to_owned(), value: "VALUE".to_owned(), origin: "FROM".to_owned() };
    let all = || std::iter::once(&heading).chain(rows);
    let widest = |column: fn(&Row) -> &str| all().map(|row| column(row).chars().count()).max().unwrap_or(0);
    let (keys, values) = (widest(|row| &row.key), widest(|row| &row.value));
    all().map(|row| format!("{:keys$}  {:values$}  {}\n", row.key, row.value, row.origin)).collect()
}
