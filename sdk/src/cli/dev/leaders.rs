//! Who leads, who led before, and what is said of it. Pure: the time comes in.

use std::time::{Duration, Instant};

use super::holder::Holder;

#[derive(Debug, Default)]
pub(super) struct Leaders {
    holder: Option<Holder>,
    /// Names of those that led, in that order.
    order: Vec<String>,
    /// The end of the last leader, until another one leads.
    fall: Option<Fall>,
}

/// A leader was ended, or found ended.
#[derive(Debug)]
struct Fall {
    replica: String,
    how: String,
    at: Instant,
}

impl Leaders {
    /// The lock was written. What is to be said of it, if that changed who leads.
    pub(super) fn lock_changed(&mut self, holder: Option<Holder>, now: Instant) -> Option<String> {
        if self.holder == holder {
            return None;
        }
        let before = std::mem::replace(&mut self.holder, holder);
        let Some(holder) = &self.holder else {
            return before.map(|before| format!("nobody leads: {} gave the lock back", before.replica()));
        };
        self.order.push(holder.replica().to_owned());
        let fall = self.fall.take();
        let after = fall.map(|Fall { replica, how, at }| format!(" {} after {replica} {how}", in_words(now - at)));
        Some(format!("{} leads{}, since {}", holder.replica(), after.unwrap_or_default(), holder.time()))
    }

    /// The replica `name` was ended, or has ended. Counts from the first sign of it: the signal that was sent, else the end
    /// that was seen.
    pub(super) fn ended(&mut self, name: &str, how: &str, now: Instant) {
        let leads = self.holder.as_ref().is_some_and(|holder| holder.replica() == name);
        if leads && self.fall.is_none() {
            self.fall = Some(Fall { replica: name.to_owned(), how: how.to_owned(), at: now });
        }
    }

    /// The replica that leads. None if it has fallen: what runs under its name then is a later process.
    pub(super) fn leader(&self) -> Option<&str> {
        if self.fall.is_some() {
            return None;
        }
        self.holder.as_ref().map(Holder::replica)
    }

    /// Whether somebody has ever led.
    pub(super) fn any(&self) -> bool {
        !self.order.is_empty()
    }

    /// All that led, as in `replica-a, then replica-c`.
    pub(super) fn in_order(&self) -> String {
        if self.order.is_empty() { "nobody".to_owned() } else { self.order.join(", then ") }
    }

    /// Who leads now, for the line at the bottom.
    pub(super) fn status(&self, now: Instant) -> String {
        match (&self.fall, &self.holder) {
            (Some(Fall { replica, how, at }), _) => {
                format!("nobody leads: {replica} {how} {} s ago", (now - *at).as_secs())
            }
            (None, Some(holder)) => format!("{} leads since {}", holder.replica(), holder.time()),
            (None, None) => "nobody leads".to_owned(),
        }
    }
}

fn in_words(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(name: &str) -> Option<Holder> {
        let since = Some("2026-01-02T03:04:05Z".parse().unwrap());
        Some(Holder { identity: format!("{name}_1"), since })
    }

    #[test]
    fn a_takeover_is_told_with_how_long_it_took_and_why() {
        let (mut leaders, start) = (Leaders::default(), Instant::now());
        let told = leaders.lock_changed(holder("replica-a"), start);
        assert_eq!(told.unwrap(), "replica-a leads, since 03:04:05Z");
        assert_eq!(leaders.lock_changed(holder("replica-a"), start), None, "a renewal");
        leaders.ended("replica-b", "was killed", start);
        assert_eq!(leaders.leader(), Some("replica-a"), "a standby's end changes nothing");

        leaders.ended("replica-a", "was killed", start);
        leaders.ended("replica-a", "ended with code 1", start + Duration::from_secs(1));
        assert_eq!(leaders.leader(), None);
        let now = start + Duration::from_millis(3_210);
        assert_eq!(leaders.status(now), "nobody leads: replica-a was killed 3 s ago");
        let told = leaders.lock_changed(holder("replica-c"), now);
        assert_eq!(told.unwrap(), "replica-c leads 3.2 s after replica-a was killed, since 03:04:05Z");
        assert_eq!(leaders.status(now), "replica-c leads since 03:04:05Z");
        assert_eq!(leaders.in_order(), "replica-a, then replica-c");
    }

    #[test]
    fn a_lock_that_is_given_back_is_told() {
        let (mut leaders, now) = (Leaders::default(), Instant::now());
        assert_eq!(leaders.lock_changed(None, now), None);
        assert!(!leaders.any() && leaders.in_order() == "nobody");
        leaders.lock_changed(holder("replica-a"), now);
        assert_eq!(leaders.lock_changed(None, now).unwrap(), "nobody leads: replica-a gave the lock back");
        assert_eq!(leaders.leader(), None);
    }
}
