//! Which settings the status page shows the value of.

use super::kube_ops::{KEYS, Row, SECTION};
use super::logging;
use crate::settings::same_key;
use crate::status::Setting;

/// The rows of the listing; the value of a key that is neither the SDK's own nor in `shown`, or below one of those, is left out.
pub(super) fn settings(rows: Vec<Row>, shown: &[&str]) -> Vec<Setting> {
    let show = |Row { key, value, origin }| {
        let safe = is_own(&key) || shown.iter().any(|shown| is_at_or_below(&key, shown));
        Setting { value: safe.then_some(value), key, origin }
    };
    rows.into_iter().map(show).collect()
}

fn is_own(key: &str) -> bool {
    let in_section = |section: &str, known: &str| is_at_or_below(key, &format!("{section}:{known}"));
    KEYS.iter().any(|known| in_section(SECTION, known.name))
        || logging::KEYS.iter().any(|known| in_section(logging::SECTION, known))
}

fn is_at_or_below(key: &str, above: &str) -> bool {
    let mut levels = key.split(':');
    above.split(':').all(|level| levels.next().is_some_and(|own| same_key(own.trim(), level.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_of_known_and_named_keys_and_of_what_is_below_them() {
        let row =
            |key: &str| Row { key: key.to_owned(), value: "value".to_owned(), origin: "appsettings.json".to_owned() };
        let keys = [
            ("KubeOps:Name", true),
            ("kubeops:leader_election_id", true),
            ("KubeOps:Pasword", false),
            ("Logging:LogLevel:guestbook", true),
            ("Logging:Console:FormatterName", true),
            ("Logging:Seq:ServerUrl", false),
            ("Guestbook:Theme", true),
            ("Guestbook:Themes", false),
            ("Guestbook:Hosts:0", true),
            ("Guestbook:Smtp:User", false),
            ("Guestbook", false),
        ];
        let shown = settings(keys.map(|(key, _)| row(key)).into(), &["guestbook:theme", "Guestbook:Hosts"]);
        let values: Vec<_> = shown.iter().map(|setting| (&*setting.key, setting.value.is_some())).collect();
        assert_eq!(values, keys);
    }
}
