//! Times in the fields of built-in kinds: read and written as the server's types `Time` and `MicroTime` do.

use jiff::Timestamp;

/// Fields that are told in microseconds; all others are told in seconds.
const IN_MICROSECONDS: [&str; 4] = ["acquireTime", "eventTime", "lastObservedTime", "renewTime"];

/// As long are a date and a time of day in seconds.
const SECONDS: usize = "2006-01-02T15:04:05".len();
const FRACTION: usize = ".000000".len();

/// Whether a field of this name, whose type is a text, holds a time.
pub(crate) fn is_time(field: &str) -> bool {
    field == "time" || field.ends_with("Time") || field.ends_with("Timestamp")
}

/// A time as the server writes it, or why it is none, in the words of its language.
pub(crate) fn read(field: &str, text: &str) -> Result<String, String> {
    let in_microseconds = IN_MICROSECONDS.contains(&field);
    let (form, layout) = match in_microseconds {
        true => ("%Y-%m-%dT%H:%M:%S%.6fZ", "2006-01-02T15:04:05.000000Z07:00"),
        false => ("%Y-%m-%dT%H:%M:%SZ", "2006-01-02T15:04:05Z07:00"),
    };
    let wrong =
        |part: &str, wanted: &str| format!("parsing time {text:?} as {layout:?}: cannot parse {part:?} as {wanted:?}");
    let Ok(time) = text.parse::<Timestamp>() else { return Err(wrong(text, "2006")) };
    let (fraction, zone) = fraction_and_zone(text);
    if in_microseconds && fraction.len() < FRACTION {
        return Err(wrong(text.get(SECONDS..).unwrap_or_default(), ".000000"));
    }
    if in_microseconds && fraction.len() > FRACTION {
        return Err(wrong(&format!("{}{zone}", fraction.get(FRACTION..).unwrap_or_default()), "Z07:00"));
    }
    Ok(time.strftime(form).to_string())
}

fn fraction_and_zone(text: &str) -> (&str, &str) {
    let rest = text.get(SECONDS..).unwrap_or_default();
    let end = rest.find(|letter: char| letter != '.' && !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_utc_and_in_their_unit() {
        assert_eq!(read("renewTime", "2025-01-01T01:00:00.500000+01:00").unwrap(), "2025-01-01T00:00:00.500000Z");
        assert_eq!(read("startTime", "2025-01-01T01:00:00.5+01:00").unwrap(), "2025-01-01T00:00:00Z");
    }

    #[test]
    fn microseconds_are_six_digits() {
        let told = |text: &str| read("renewTime", text).unwrap_err();
        assert!(told("2025-01-01T00:00:00Z").ends_with(r#"cannot parse "Z" as ".000000""#));
        assert!(told("2025-01-01T00:00:00.1234567Z").ends_with(r#"cannot parse "7Z" as "Z07:00""#));
        assert!(told("yesterday").ends_with(r#"cannot parse "yesterday" as "2006""#));
    }
}
