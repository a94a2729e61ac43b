//! Durations as .NET and Go write them.

use std::time::Duration;

const NANOS_PER_SECOND: u128 = 1_000_000_000;
/// Go's units, longest names first, so that `ms` is not read as `m`.
const GO_UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000), // U+00B5, micro sign
    ("μs", 1_000), // U+03BC, Greek mu
    ("ms", 1_000_000),
    ("s", NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("h", 3_600 * NANOS_PER_SECOND),
];

/// A text that is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDuration {
    /// In none of the three forms.
    #[error("expected a duration: 00:00:15 or 1.02:03:04.5 (.NET), 1m30s or 500ms (Go), or a number of seconds")]
    Form,
    /// Less than nothing.
    #[error("expected a duration that is not negative")]
    Negative,
    /// `24:00:00`, `00:60:00`: .NET refuses these too.
    #[error("expected a duration with hours below 24, minutes and seconds below 60 (a day is written 1.00:00:00)")]
    Range,
    /// More than there is room for.
    #[error("expected a duration of at most some hundred years")]
    TooLong,
}

/// Reads .NET's `[days.]hours:minutes[:seconds[.fraction]]`, Go's `1h2m3.5s`, or a bare number of seconds.
///
/// # Errors
/// Tells the forms that there are. Negative durations are refused: no setting means one.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('-') {
        return Err(parse_duration(rest).err().unwrap_or(InvalidDuration::Negative));
    }
    let nanos = if text.contains(':') {
        dotnet(text)?
    } else if text.ends_with(|last: char| last.is_alphabetic()) {
        go(text)?
    } else {
        decimal(text, NANOS_PER_SECOND)?
    };
    u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| InvalidDuration::TooLong)
}

/// Writes .NET's form, `[days.]hours:minutes:seconds[.fraction]`, without trailing zeros.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let mut text = if days > 0 { format!("{days}.") } else { String::new() };
    text += &format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    if duration.subsec_nanos() > 0 {
        text += format!(".{:09}", duration.subsec_nanos()).trim_end_matches('0');
    }
    text
}

fn dotnet(text: &str) -> Result<u128, InvalidDuration> {
    let parts: Vec<&str> = text.split(':').collect();
    let (days_and_hours, minutes, seconds) = match parts[..] {
        [hours, minutes] => (hours, minutes, "0"),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return Err(InvalidDuration::Form),
    };
    let (days, hours) = days_and_hours.split_once('.').unwrap_or(("0", days_and_hours));
    let (days, hours, minutes) = (whole(days)?, whole(hours)?, whole(minutes)?);
    let seconds = decimal(seconds, NANOS_PER_SECOND)?;
    if hours > 23 || minutes > 59 || seconds >= 60 * NANOS_PER_SECOND {
        return Err(InvalidDuration::Range);
    }
    let minutes = days.checked_mul(24).and_then(|d| (d + hours).checked_mul(60)).map(|h| h + minutes);
    minutes.and_then(|m| m.checked_mul(60 * NANOS_PER_SECOND)).map(|m| m + seconds).ok_or(InvalidDuration::TooLong)
}

fn go(text: &str) -> Result<u128, InvalidDuration> {
    let mut rest = text;
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let number_ends = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(InvalidDuration::Form)?;
        let (number, after) = rest.split_at(number_ends);
        let unit_ends = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_ends);
        let (_, nanos) = GO_UNITS.iter().find(|(name, _)| *name == unit).ok_or(InvalidDuration::Form)?;
        total = total.checked_add(decimal(number, *nanos)?).ok_or(InvalidDuration::TooLong)?;
        rest = after;
    }
    Ok(total)
}

/// `number` times `unit`, in nanoseconds; digits behind the last nanosecond are dropped.
fn decimal(number: &str, unit: u128) -> Result<u128, InvalidDuration> {
    let (whole_part, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole_part = whole(whole_part)?.checked_mul(unit).ok_or(InvalidDuration::TooLong)?;
    whole(fraction)?;
    // Eighteen digits are finer than a nanosecond of any unit, and don't overflow.
    let fraction = &fraction[..fraction.len().min(18)];
    let scale = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    Ok(whole_part.saturating_add(whole(fraction)?.saturating_mul(unit) / scale))
}

fn whole(digits: &str) -> Result<u128, InvalidDuration> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidDuration::Form);
    }
    // Beyond u128 there are only more digits.
    Ok(digits.parse().unwrap_or(u128::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> u128 {
        parse_duration(text).unwrap_or_else(|error| panic!("{text}: {error}")).as_nanos()
    }

    #[test]
    fn dotnet_go_and_bare_seconds_are_read() {
        for (text, expected) in [
            ("00:00:15", 15_000_000_000),
            ("1.02:03:04.5", 93_784_500_000_000),
            ("00:15", 900_000_000_000),
            ("00:00:00.0000001", 100),
            ("1m30s", 90_000_000_000),
            ("500ms", 500_000_000),
            ("1.5h", 5_400_000_000_000),
            ("3µs", 3_000),
            ("3μs", 3_000),
            ("0s", 0),
            ("15", 15_000_000_000),
            (" 0.5 ", 500_000_000),
            ("0", 0),
        ] {
            assert_eq!(nanos(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_reason() {
        for text in ["", "abc", "s", "1x", "1m30", "1:2:3:4", "::", "1.:00:00", ".5", "1e3", "NaN", "+5", "5 s"] {
            assert_eq!(parse_duration(text).map_err(|e| e == InvalidDuration::Negative), Err(false), "{text}");
        }
        assert_eq!(parse_duration("-00:00:01"), Err(InvalidDuration::Negative));
        assert_eq!(parse_duration("24:00:00"), Err(InvalidDuration::Range));
        assert_eq!(parse_duration("00:00:60"), Err(InvalidDuration::Range));
        for text in ["99999999999999999999999999999999999999999999", "99999999999999h", "9999999999.00:00:00"] {
            assert_eq!(parse_duration(text), Err(InvalidDuration::TooLong), "{text}");
        }
    }

    #[test]
    fn printing_is_in_dotnets_form_and_reads_back() {
        for text in ["00:00:15", "1.02:03:04.5", "00:00:00.5", "10:00:00", "00:00:00", "00:00:00.000000001"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }
}
