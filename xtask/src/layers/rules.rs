//! Which room may know which: the architecture, as a table.

/// What one room may know.
#[derive(Debug)]
pub(crate) struct Rule {
    /// A top-level module of `sdk/src`. A module in it that has a row, such as `leadership::term`, is a room of its own; the others are the room together.
    pub(crate) room: &'static str,
    /// Rooms that it may import from; `leadership::*` means any file of that room, `*` any room.
    pub(crate) may_know: &'static [&'static str],
    /// Crates that it must not name.
    pub(crate) never: &'static [&'static str],
}

const KUBERNETES: &[&str] = &["kube", "k8s_openapi"];
/// Decisions only: what they decide is tested without a runtime, and without waiting.
const PURE: &[&str] = &["kube", "k8s_openapi", "tokio", "tokio_util", "futures"];
const NOTHING: &[&str] = &[];

/// From the rooms that know nobody up to the one that knows all. `chain` and `refusal`, what an error's causes say, are words more than rooms; so is `process`,
/// through which tasks are spawned.
#[rustfmt::skip]
pub(crate) const RULES: &[Rule] = &[
    Rule { room: "chain", may_know: &[], never: KUBERNETES },
    Rule { room: "client", may_know: &[], never: &["k8s_openapi"] },
    Rule { room: "refusal", may_know: &["chain"], never: NOTHING },
    Rule { room: "process", may_know: &[], never: KUBERNETES },
    Rule { room: "settings", may_know: &["chain"], never: KUBERNETES },
    Rule { room: "host", may_know: &["chain", "process"], never: KUBERNETES },
    Rule { room: "health", may_know: &["chain"], never: KUBERNETES },
    Rule { room: "metrics", may_know: &["chain"], never: KUBERNETES },
    Rule { room: "crds::definitions", may_know: &[], never: &["kube", "tokio"] },
    Rule { room: "crds", may_know: &["chain", "crds::definitions"], never: NOTHING },
    // What is shown, as values; how it looks. Where it comes from, and who serves it, is for others.
    Rule { room: "status", may_know: &[], never: PURE },
    Rule { room: "http", may_know: &["chain", "health", "host", "metrics", "status"], never: KUBERNETES },

    Rule { room: "connect", may_know: &["chain", "client", "metrics"], never: NOTHING },

    Rule { room: "leadership::clock", may_know: &[], never: KUBERNETES },
    Rule { room: "leadership::writes", may_know: &["leadership::clock"], never: KUBERNETES },
    Rule { room: "leadership::term", may_know: &["leadership::clock", "leadership::election", "leadership::writes"], never: KUBERNETES },
    Rule { room: "leadership::sends", may_know: &["leadership::clock"], never: PURE },
    Rule { room: "leadership::reign", may_know: &["leadership::clock", "leadership::election", "leadership::term"], never: KUBERNETES },
    // Time comes in as moments, which are values.
    Rule { room: "leadership::election", may_know: &["leadership::clock"], never: PURE },
    Rule { room: "leadership::lock", may_know: &["chain", "leadership::clock", "leadership::election"], never: NOTHING },
    Rule { room: "leadership::watcher", may_know: &["chain", "leadership::clock", "leadership::election", "leadership::lock"], never: NOTHING },
    // Whatever the lock is: terms, and who hears of them.
    Rule { room: "leadership::seat", may_know: &["chain", "leadership::announce", "leadership::clock", "leadership::election", "leadership::history", "leadership::ping", "leadership::pulse", "leadership::reign", "leadership::term"], never: &["kube"] },
    Rule { room: "leadership::life::election", may_know: &["leadership::clock", "leadership::election"], never: PURE },
    Rule { room: "leadership::life", may_know: &["chain", "leadership", "leadership::*", "metrics", "process"], never: NOTHING },
    Rule { room: "leadership::pulse", may_know: &["leadership::clock"], never: KUBERNETES },
    Rule { room: "leadership::changes", may_know: &["leadership::clock", "leadership::election", "leadership::term"], never: KUBERNETES },
    Rule { room: "leadership::following", may_know: &["leadership::changes", "leadership::term"], never: KUBERNETES },
    Rule { room: "leadership::identity", may_know: &[], never: KUBERNETES },
    Rule { room: "leadership::bearer", may_know: &[], never: KUBERNETES },
    Rule { room: "leadership::own_thread", may_know: &[], never: KUBERNETES },
    Rule { room: "leadership::ping", may_know: &[], never: KUBERNETES },
    Rule { room: "leadership::announce", may_know: &["chain", "events", "leadership::clock", "leadership::election", "leadership::lock", "leadership::term", "metrics"], never: NOTHING },
    Rule { room: "leadership::history", may_know: &["leadership::clock", "leadership::election"], never: KUBERNETES },
    Rule { room: "leadership::fence", may_know: &["chain", "leadership::clock", "leadership::term", "leadership::writes", "metrics"], never: NOTHING },
    Rule { room: "leadership::claim", may_know: &[], never: KUBERNETES },
    Rule { room: "leadership::candidate", may_know: &["chain", "client", "connect", "leadership::*", "metrics"], never: NOTHING },
    Rule { room: "leadership::elector", may_know: &["chain", "leadership", "leadership::announce", "leadership::clock", "leadership::election", "leadership::following", "leadership::history", "leadership::lock", "leadership::ping", "leadership::pulse", "leadership::reign", "leadership::seat", "leadership::sends", "leadership::term", "leadership::watcher", "metrics", "process"], never: NOTHING },
    Rule { room: "leadership", may_know: &["leadership::*"], never: NOTHING },

    Rule { room: "workqueue::work", may_know: &["leadership::clock", "leadership::term"], never: KUBERNETES },
    Rule { room: "workqueue::backoff", may_know: &[], never: PURE },
    Rule { room: "workqueue::failures", may_know: &["leadership::clock", "workqueue::work"], never: PURE },
    Rule { room: "workqueue::queue", may_know: &["leadership::clock", "workqueue::backoff", "workqueue::work"], never: PURE },
    // Of leadership, only what a term is, and the clock that it is measured by; so do those that follow.
    Rule { room: "workqueue", may_know: &["chain", "refusal", "leadership::clock", "leadership::term", "metrics", "process", "workqueue::*"], never: KUBERNETES },

    Rule { room: "cache", may_know: &["chain", "refusal", "leadership::clock", "leadership::term", "metrics", "process", "workqueue::backoff", "workqueue::work"], never: NOTHING },
    Rule { room: "events", may_know: &["chain", "leadership::clock", "leadership::term"], never: NOTHING },
    Rule { room: "controller", may_know: &["cache", "chain", "events", "refusal", "leadership::clock", "leadership::term", "metrics", "workqueue", "workqueue::*"], never: NOTHING },

    Rule { room: "manifests", may_know: &["controller", "crds::definitions", "leadership::fence"], never: &["kube", "tokio"] },

    // On top: these know all, but not each other in a circle, and nobody below knows them.
    Rule { room: "operator", may_know: &["*"], never: NOTHING },
    Rule { room: "cli::overrides", may_know: &[], never: KUBERNETES },
    Rule { room: "cli::generate", may_know: &["crds::definitions", "manifests"], never: NOTHING },
    Rule { room: "cli::install", may_know: &["crds"], never: NOTHING },
    // Of the operator only its settings: what it runs are processes.
    Rule { room: "cli::dev", may_know: &["chain", "cli::overrides", "crds", "host", "operator", "settings"], never: NOTHING },
    Rule { room: "cli", may_know: &["*"], never: NOTHING },
    Rule { room: "prelude", may_know: &["*"], never: NOTHING },
];

impl Rule {
    pub(crate) fn of(room: &str) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.room == room)
    }

    pub(crate) fn allows(&self, room: &str) -> bool {
        self.may_know.iter().any(|known| match known.strip_suffix('*') {
            Some(start) => room.starts_with(start),
            None => *known == room,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_allows_the_files_of_that_room_only() {
        let rule = Rule { room: "x", may_know: &["workqueue::*", "cache"], never: NOTHING };
        assert!(rule.allows("workqueue::work") && rule.allows("cache"));
        assert!(!rule.allows("workqueue") && !rule.allows("caches") && !rule.allows("leadership::term"));
    }

    #[test]
    fn each_room_has_one_row() {
        for rule in RULES {
            assert_eq!(RULES.iter().filter(|other| other.room == rule.room).count(), 1, "{}", rule.room);
        }
    }
}
