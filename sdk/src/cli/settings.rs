//! `settings`: the effective settings as a table.

use std::io::{self, Write};

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingRow {
    /// The key's path, such as `KubeOps:LeaderElectionId`.
    pub key: String,
    /// Its effective value.
    pub value: String,
    /// The layer that it comes from.
    pub origin: String,
}

/// Writes the rows in columns, in the order given.
///
/// # Errors
/// If it cannot be written.
pub fn print_settings(rows: &[SettingRow], out: &mut impl Write) -> io::Result<()> {
    let heading = SettingRow { key: "KEY".to_owned(), value: "VALUE".to_owned(), origin: "FROM".to_owned() };
    let all = || std::iter::once(&heading).chain(rows);
    let width =
        |column: fn(&SettingRow) -> &str| all().map(|row| column(row).chars().count()).max().unwrap_or_default();
    let (key_width, value_width) = (width(|row| &row.key), width(|row| &row.value));
    for SettingRow { key, value, origin } in all() {
        writeln!(out, "{key:key_width$}  {value:value_width$}  {origin}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_value() {
        let row = |key: &str, value: &str, origin: &str| SettingRow {
            key: key.to_owned(),
            value: value.to_owned(),
            origin: origin.to_owned(),
        };
        let rows = [row("KubeOps:Name", "gästebuch", "POD_NAME"), row("KubeOps:ReadyWhen", "Synced", "default")];
        let mut out = Vec::new();
        print_settings(&rows, &mut out).unwrap();
        let expected = "KEY                VALUE      FROM\n\
                        KubeOps:Name       gästebuch  POD_NAME\n\
                        KubeOps:ReadyWhen  Synced     default\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
