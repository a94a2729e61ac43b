//! Times in units that people use.

use std::time::Duration;

use jiff::SignedDuration;

/// For people: `1h 2m 3s`, and milliseconds below a second.
pub(crate) fn told(time: Duration) -> String {
    let whole = match time.as_secs() {
        0 => Duration::from_millis(time.subsec_millis().into()),
        seconds => Duration::from_secs(seconds),
    };
    SignedDuration::try_from(whole).map_or_else(|_| format!("{whole:?}"), |time| format!("{time:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_units_that_people_use() {
        let cases = [(0, "0s"), (999, "999ms"), (1_999, "1s"), (200_000, "3m 20s"), (3_723_000, "1h 2m 3s")];
        for (millis, expected) in cases {
            assert_eq!(told(Duration::from_millis(millis)), expected);
        }
    }
}
