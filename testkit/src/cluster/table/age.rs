//! How long ago something was, in the words of kubectl.

use jiff::Timestamp;
use serde_json::Value;

/// Of what is no time it is not known.
pub(super) fn since(time: &Value, now: Timestamp) -> Value {
    let time = time.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    time.map_or_else(|| "<unknown>".into(), |time| of_seconds(now.duration_since(time).as_secs()).into())
}

/// Two units at most, and only one when it is long.
pub(super) fn of_seconds(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let with = |much: i64, unit: &str, less: i64, smaller: &str| match less {
        0 => format!("{much}{unit}"),
        less => format!("{much}{unit}{less}{smaller}"),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => with(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => with(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => with(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        _ => with(days / 365, "y", days % 365, "d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_as_kubectl_tells_them() {
        let told = [5, 119, 125, 599, 700, 10_800, 11_000, 100_000, 180_000, 700_000, 70_000_000].map(of_seconds);
        assert_eq!(told, ["5s", "119s", "2m5s", "9m59s", "11m", "3h", "3h3m", "27h", "2d2h", "8d", "2y80d"]);
    }
}
