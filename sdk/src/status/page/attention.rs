//! What needs somebody's attention: objects that fail, watches that do not work, health checks that fail.

use jiff::Timestamp;
use maud::{Markup, html};

use super::super::snapshot::Troubles;
use super::super::{Check, Controller, Failing, Snapshot, Watch, told};
use super::parts::{at, badge, between};

pub(super) fn attention(snapshot: &Snapshot) -> Markup {
    let troubles = snapshot.troubles();
    let Some(sum) = sum(troubles) else { return html! { p.sum { (badge("good", "All is well")) } } };
    let left_out = |controller: &&Controller| controller.failing > controller.errors.len();
    html! {
        h2 { "Needs attention" }
        p.sum { (badge("bad", &sum)) }
        @for check in snapshot.checks.iter().filter(|check| check.fails()) { (failing_check(check)) }
        @for watch in snapshot.caches.iter().filter(|watch| watch.error.is_some()) { (broken_watch(watch)) }
        @for controller in &snapshot.controllers {
            @for failure in &controller.errors { (failing_object(controller, failure, snapshot.time)) }
        }
        @for Controller { name, kind, failing, errors, .. } in snapshot.controllers.iter().filter(left_out) {
            p.soft.note {
                "Of the " (failing) " " (kind) " objects that fail in " (name) ", those that failed last are shown: " (errors.len())
                "."
            }
        }
    }
}

/// In a few words; `None`: all is well.
fn sum(troubles: Troubles) -> Option<String> {
    let Troubles { failing, watches, checks } = troubles;
    let told = [
        (checks, "health check fails", "health checks fail"),
        (watches, "watch does not work", "watches do not work"),
        (failing, "object fails", "objects fail"),
    ];
    let told = told.iter().filter(|(number, ..)| *number > 0);
    let told: Vec<_> =
        told.map(|(number, one, more)| format!("{number} {}", if *number == 1 { one } else { more })).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

fn failing_check(check: &Check) -> Markup {
    html! {
        article.card.failing {
            h3 { (check.name) span.soft { "health check, counts in " (check.probes.join(", ")) } }
            pre.mono { (check.detail) }
        }
    }
}

fn broken_watch(watch: &Watch) -> Markup {
    let place =
        watch.namespace.as_ref().map_or_else(|| "all namespaces".to_owned(), |name| format!("namespace {name}"));
    html! {
        article.card.failing {
            h3 { (watch.kind) span.soft { "watch of " (place) } }
            pre.mono { (watch.error.as_deref().unwrap_or_default()) }
        }
    }
}

fn failing_object(controller: &Controller, failure: &Failing, now: Timestamp) -> Markup {
    let Failing { object, error, missing_rule, tries, at: failed, next_try } = failure;
    let tries = if *tries == 1 { "once".to_owned() } else { format!("{tries} times in a row") };
    html! {
        article.card.failing {
            h3 { (object) span.soft { (controller.kind) ", failed " (tries) " in controller " (controller.name) } }
            pre.mono { (error) }
            @if let Some(rule) = missing_rule {
                p { "Grant the right with this rule: " code.mono { (rule) } }
            }
            p.soft {
                "Last at " (at(*failed, now)) ", " (told(between(*failed, now))) " ago. "
                @match next_try {
                    Some(next) if *next > now => { "Tried again in " (told(between(now, *next))) "." },
                    Some(_) => { "It is being tried again." },
                    None => { "Not tried again until the object changes." },
                }
            }
        }
    }
}
