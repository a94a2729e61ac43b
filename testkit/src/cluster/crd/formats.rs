//! `format` of strings: the ones that the server checks. All others are only remarks.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use regex::Regex;

const BY_PATTERN: [(&str, &str); 10] = [
    ("uuid", "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
    ("uuid3", "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
    ("uuid4", "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
    ("uuid5", "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
    ("hexcolor", "^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"),
    ("byte", "^(?:[A-Za-z0-9+\\/]{4})*(?:[A-Za-z0-9+\\/]{2}==|[A-Za-z0-9+\\/]{3}=|[A-Za-z0-9+\\/]{4})$"),
    ("mac", "^(?i)([0-9a-f]{2}([:-][0-9a-f]{2}){5}|[0-9a-f]{4}(\\.[0-9a-f]{4}){2})$"),
    ("bsonobjectid", "^[0-9a-fA-F]{24}$"),
    ("k8sshortname", "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"),
    ("hostname", r"^(?i)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\.?$"),
];

/// Formats that the server checks and this does not.
const NOT_HERE: [&str; 6] = ["isbn", "isbn10", "isbn13", "creditcard", "ssn", "rgbcolor"];

/// Whether the server checks a format that this does not.
pub(super) fn is_unsupported(format: &str) -> bool {
    NOT_HERE.contains(&normalized(format).as_str())
}

/// Whether anybody looks at it.
pub(super) fn is_known(format: &str) -> bool {
    check(format, "").is_some()
}

/// Whether `text` is of the format; `None` if the format is nothing that is checked.
pub(super) fn check(format: &str, text: &str) -> Option<bool> {
    let format = normalized(format);
    if let Some((_, pattern)) = BY_PATTERN.iter().find(|(name, _)| *name == format) {
        return Some(matches(pattern, text));
    }
    Some(match format.as_str() {
        "datetime" => is_date_time(text),
        "date" => is_date(text),
        "duration" => is_duration(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "uri" => is_uri(text),
        "email" => is_email(text),
        "k8slongname" => text.len() <= 253 && text.split('.').all(|label| check("k8sshortname", label) == Some(true)),
        "password" => true,
        _ => return None,
    })
}

/// Whether `text` has something of `pattern` in it; nothing has of one that cannot be read.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    pattern_of(pattern).is_ok_and(|pattern| pattern.is_match(text))
}

/// Compiled once a process, as the same schemas check many objects.
pub(super) fn pattern_of(pattern: &str) -> Result<Arc<Regex>, regex::Error> {
    static PATTERNS: OnceLock<Mutex<BTreeMap<String, Arc<Regex>>>> = OnceLock::new();
    let mut patterns = PATTERNS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = patterns.get(pattern) {
        return Ok(known.clone());
    }
    let compiled = Arc::new(Regex::new(pattern)?);
    patterns.insert(pattern.to_owned(), compiled.clone());
    Ok(compiled)
}

/// Dashes do not count.
fn normalized(format: &str) -> String {
    format.replace('-', "")
}

fn is_date(text: &str) -> bool {
    text.len() == "2006-01-02".len() && text.parse::<jiff::civil::Date>().is_ok()
}

/// As RFC 3339 has it, with an offset; also in lower case.
fn is_date_time(text: &str) -> bool {
    const TIME: &str = r"^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$";
    let text = text.to_lowercase();
    let Some((date, time)) = text.split_once('t') else { return false };
    let Some(parts) = pattern_of(TIME).ok().and_then(|pattern| {
        let parts = pattern.captures(time)?;
        Some([&parts[1] <= "23", &parts[2] <= "59", &parts[3] <= "59"])
    }) else {
        return false;
    };
    is_date(&date.to_uppercase()) && parts == [true; 3]
}

/// As Go has it (`1h5m`), or with words (`3 days`).
fn is_duration(text: &str) -> bool {
    const OF_GO: &str = r"^[-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$";
    const WITH_WORDS: &str =
        r"(?i)\d+\s*(ns|nano|us|µs|micro|ms|milli|s\b|sec|m\b|min|h\b|hr|hour|d\b|day|w\b|wk|week)";
    [OF_GO, WITH_WORDS].iter().any(|pattern| matches(pattern, text))
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let fits = |most: u8| bits.parse::<u8>().is_ok_and(|bits| bits <= most);
    (address.parse::<Ipv4Addr>().is_ok() && fits(32)) || (address.parse::<Ipv6Addr>().is_ok() && fits(128))
}

/// A path from the root, or with a scheme.
fn is_uri(text: &str) -> bool {
    let has_scheme = |text: &str| {
        text.split_once(':').is_some_and(|(scheme, rest)| {
            !rest.is_empty()
                && scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
                && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
        })
    };
    !text.contains(char::is_whitespace) && (text.starts_with('/') || has_scheme(text))
}

fn is_email(text: &str) -> bool {
    const ADDRESS: &str = r"^([^@<>]*<)?[^\s@<>,]+@[^\s@<>,]+>?$";
    matches(ADDRESS, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_checked_as_the_server_does() {
        let good = [
            ("date-time", "2020-01-01T00:00:00Z"),
            ("date-time", "2020-01-01T00:00:00.123456+02:00"),
            ("date", "2020-02-29"),
            ("duration", "5m"),
            ("duration", "3 days"),
            ("ipv4", "10.0.0.1"),
            ("cidr", "10.0.0.0/8"),
            ("uuid", "0F5B8C1E-0000-4000-8000-000000000000"),
            ("uri", "https://example.com/a"),
            ("email", "a@example.com"),
            ("byte", "YQ=="),
            ("k8s-short-name", "a-b"),
        ];
        for (format, text) in good {
            assert_eq!(check(format, text), Some(true), "{format}: {text}");
        }
        let bad = [
            ("date-time", "x"),
            ("date-time", "2020-01-01"),
            ("date-time", "2020-13-01T00:00:00Z"),
            ("date-time", "2020-01-01T24:00:00Z"),
            ("date", "x"),
            ("duration", "x"),
            ("ipv4", "x"),
            ("cidr", "10.0.0.0"),
            ("uuid", "x"),
            ("uri", "x"),
            ("email", "x"),
            ("byte", "$$"),
        ];
        for (format, text) in bad {
            assert_eq!(check(format, text), Some(false), "{format}: {text}");
        }
    }

    #[test]
    fn other_formats_are_remarks() {
        assert_eq!(check("oddly", "x"), None);
        assert!(is_known("date-time") && !is_known("oddly") && is_unsupported("isbn"));
    }
}
