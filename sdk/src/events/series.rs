//! Which Events are one and the same, counted. Pure: time comes with the report.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Event as CoreEvent, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use super::{Event, Report, Reporter};

/// The same Event after a longer silence is a new one. client-go's series end after this long, too.
const WINDOW: SignedDuration = SignedDuration::from_mins(6);
/// As many as client-go's recorder remembers.
const REMEMBERED: usize = 4096;
/// Longest name of an object.
const LONGEST_NAME: usize = 253;
/// Longest message that every version of the Event API takes.
const LONGEST_MESSAGE: usize = 1024;

/// The Events of the last minutes.
#[derive(Debug, Default)]
pub(super) struct Series(HashMap<Id, Known>);

/// What makes two Events the same. The object's version does not matter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Id {
    kind: Option<String>,
    uid: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    event: Event,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    first: Timestamp,
    last: Timestamp,
    count: i32,
}

/// What is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is new.
    Create { name: String, count: i32, first: Timestamp },
    /// It has been sent before: its count goes up.
    Count { name: String, count: i32, first: Timestamp },
}

impl Series {
    pub(super) fn record(&mut self, report: &Report) -> Step {
        let Report { object, event, at } = report;
        let ObjectReference { kind, uid, namespace, name: object_name, .. } = object.clone();
        let id = Id { kind, uid, namespace, name: object_name, event: event.clone() };
        if let Some(known) = self.0.get_mut(&id).filter(|known| at.duration_since(known.last) < WINDOW) {
            known.last = *at;
            known.count = known.count.saturating_add(1);
            return Step::Count { name: name(report, known.first), count: known.count, first: known.first };
        }
        self.make_room(*at);
        self.0.insert(id, Known { first: *at, last: *at, count: 1 });
        Step::Create { name: name(report, *at), count: 1, first: *at }
    }

    /// Forgets what is over, and if that is not enough, what was silent for longest.
    fn make_room(&mut self, now: Timestamp) {
        if self.0.len() < REMEMBERED {
            return;
        }
        self.0.retain(|_, known| now.duration_since(known.last) < WINDOW);
        if self.0.len() < REMEMBERED {
            return;
        }
        let oldest = self.0.iter().min_by_key(|(_, known)| known.last).map(|(id, _)| id.clone());
        if let Some(oldest) = oldest {
            self.0.remove(&oldest);
        }
    }
}

/// The same for each try of one series, so that an Event whose answer was lost is not sent twice.
fn name(Report { object, event, at: _ }: &Report, first: Timestamp) -> String {
    let mut hasher = DefaultHasher::new();
    (&object.uid, event, first.as_nanosecond()).hash(&mut hasher);
    let suffix = format!(".{:016x}", hasher.finish());
    let mut name = object.name.clone().unwrap_or_default();
    // Names of objects are ASCII.
    name.truncate(LONGEST_NAME - suffix.len());
    let stem = name.trim_end_matches(['.', '-']);
    format!("{stem}{suffix}")
}

/// Where an Event lives: with its object, and for objects without a namespace in `default`.
pub(super) fn namespace(object: &ObjectReference) -> &str {
    object.namespace.as_deref().filter(|namespace| !namespace.is_empty()).unwrap_or("default")
}

impl Reporter {
    pub(super) fn event(&self, name: &str, count: i32, first: Timestamp, report: &Report) -> CoreEvent {
        let Report { object, event: Event { kind, reason, message }, at } = report;
        CoreEvent {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(namespace(object).to_owned()),
                ..ObjectMeta::default()
            },
            involved_object: object.clone(),
            type_: Some(kind.as_str().to_owned()),
            reason: Some(reason.clone()),
            message: Some(cut(message).to_owned()),
            count: Some(count),
            first_timestamp: Some(Time(first)),
            last_timestamp: Some(Time(*at)),
            source: Some(EventSource { component: Some(self.controller.to_string()), ..EventSource::default() }),
            reporting_component: Some(self.controller.to_string()),
            reporting_instance: Some(self.instance.to_string()),
            ..CoreEvent::default()
        }
    }
}

fn cut(message: &str) -> &str {
    let mut end = message.len().min(LONGEST_MESSAGE);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use k8s_openapi::api::core::v1::ObjectReference;

    use super::{REMEMBERED, Series, Step, WINDOW, cut, name};
    use crate::events::{Event, Report};

    fn report(name: &str, message: &str, at: SignedDuration) -> Report {
        let object = ObjectReference {
            name: Some(name.to_owned()),
            uid: Some(format!("uid-{name}")),
            resource_version: Some(at.as_secs().to_string()),
            ..ObjectReference::default()
        };
        Report { object, event: Event::normal("Done", message), at: Timestamp::UNIX_EPOCH + at }
    }

    #[test]
    fn the_same_event_again_counts_up_the_first() {
        let mut series = Series::default();
        let first = series.record(&report("a", "it is done", SignedDuration::ZERO));
        let Step::Create { name: created, count: 1, first } = first else { panic!("{first:?}") };
        let again = series.record(&report("a", "it is done", WINDOW - SignedDuration::from_secs(1)));
        assert_eq!(again, Step::Count { name: created, count: 2, first });
    }

    #[test]
    fn another_message_another_object_and_one_after_a_silence_are_new() {
        let mut series = Series::default();
        let mut names = Vec::new();
        for report in [
            report("a", "it is done", SignedDuration::ZERO),
            report("a", "it is done again", SignedDuration::ZERO),
            report("b", "it is done", SignedDuration::ZERO),
            report("a", "it is done", WINDOW),
        ] {
            let Step::Create { name, count: 1, .. } = series.record(&report) else { panic!("{report:?} is not new") };
            names.push(name);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 4);
    }

    #[test]
    fn memory_is_bounded() {
        let mut series = Series::default();
        for number in 0..REMEMBERED + 10 {
            series.record(&report(&number.to_string(), "it is done", SignedDuration::ZERO));
        }
        assert_eq!(series.0.len(), REMEMBERED);
    }

    #[test]
    fn names_fit_however_long_the_objects_is() {
        let long = name(&report(&format!("{}.b", "a".repeat(235)), "m", SignedDuration::ZERO), Timestamp::UNIX_EPOCH);
        assert!(long.len() <= 253, "{long}");
        assert!(!long.contains(".."), "{long}");
    }

    #[test]
    fn messages_are_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"ä".repeat(600)).chars().count(), 512);
        assert_eq!(cut(&format!("a{}", "ä".repeat(600))).len(), 1023);
    }
}
