//! What checks said, and how it is written.

use std::fmt::{self, Write as _};

use super::CheckResult;

/// The answer to a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// One for each check, in the order in which they were added.
    pub entries: Vec<Entry>,
    /// Names that were to be excluded and that no check has.
    pub unmatched: Vec<String>,
}

/// What one check said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The check's name.
    pub name: String,
    /// Whether the probe fails if this fails.
    pub counts: bool,
    /// What it said.
    pub verdict: Verdict,
}

/// What a check said, if it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well; with some detail, or an empty string.
    Ok(String),
    /// It is not, and why.
    Failed(String),
    /// It was not asked.
    Excluded,
}

impl Report {
    /// Whether all went well that counts.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.entries.iter().any(Entry::fails)
    }

    /// The body of the answer: `ok`, or what failed; everything if `verbose`. `path` is the probe's name, such as `livez`.
    #[must_use]
    pub fn text(&self, path: &str, verbose: bool) -> String {
        let passed = self.passed();
        if passed && !verbose {
            return "ok".to_owned();
        }
        let mut text = String::new();
        for entry in self.entries.iter().filter(|entry| verbose || entry.fails()) {
            // Writing to a string cannot fail.
            let _written = writeln!(text, "{entry}");
        }
        for name in &self.unmatched {
            let _written = writeln!(text, "warn: no check is named `{name}`: nothing to exclude");
        }
        let sum = if passed { "passed" } else { "failed" };
        let _written = writeln!(text, "{path} check {sum}");
        text
    }
}

impl Entry {
    fn fails(&self) -> bool {
        self.counts && matches!(self.verdict, Verdict::Failed(_))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, counts, verdict } = self;
        match verdict {
            Verdict::Ok(detail) if detail.is_empty() => write!(f, "[+]{name} ok"),
            Verdict::Ok(detail) => write!(f, "[+]{name} ok: {}", one_line(detail)),
            Verdict::Excluded => write!(f, "[+]{name} excluded: ok"),
            Verdict::Failed(reason) if *counts => write!(f, "[-]{name} failed: {}", one_line(reason)),
            Verdict::Failed(reason) => write!(f, "[-]{name} failed: {} (does not count)", one_line(reason)),
        }
    }
}

impl Verdict {
    pub(super) fn of(result: CheckResult) -> Self {
        match result {
            Ok(detail) => Self::Ok(detail),
            Err(reason) => Self::Failed(reason),
        }
    }
}

/// A line of the answer is a check; details must not make more of them.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, counts: bool, verdict: Verdict) -> Entry {
        Entry { name: name.to_owned(), counts, verdict }
    }

    fn report(entries: Vec<Entry>) -> Report {
        Report { entries, unmatched: Vec::new() }
    }

    #[test]
    fn nothing_to_check_passes() {
        assert_eq!(report(vec![]).text("livez", false), "ok");
        assert_eq!(report(vec![]).text("livez", true), "livez check passed\n");
    }

    #[test]
    fn verbose_lists_all_in_the_style_of_kubernetes() {
        let report = Report {
            entries: vec![
                entry("caches", true, Verdict::Ok("3 kinds\nsynced".to_owned())),
                entry("ping", true, Verdict::Ok(String::new())),
                entry("smtp", true, Verdict::Excluded),
                entry("leading", false, Verdict::Failed("b leads".to_owned())),
            ],
            unmatched: vec!["snmp".to_owned()],
        };
        let expected = "[+]caches ok: 3 kinds synced\n[+]ping ok\n[+]smtp excluded: ok\n\
            [-]leading failed: b leads (does not count)\n\
            warn: no check is named `snmp`: nothing to exclude\nreadyz check passed\n";
        assert_eq!(report.text("readyz", true), expected);
        assert_eq!(report.text("readyz", false), "ok");
    }

    #[test]
    fn a_failure_names_what_failed_and_counts() {
        let report = report(vec![
            entry("ping", true, Verdict::Ok(String::new())),
            entry("leading", false, Verdict::Failed("b leads".to_owned())),
            entry("caches", true, Verdict::Failed("no CRD".to_owned())),
        ]);
        assert!(!report.passed());
        assert_eq!(report.text("readyz", false), "[-]caches failed: no CRD\nreadyz check failed\n");
    }
}
