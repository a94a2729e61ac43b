//! What needs somebody's attention: objects that fail.

use jiff::Timestamp;
use maud::{Markup, html};

use super::super::snapshot::Troubles;
use super::super::{Controller, Failing, Snapshot, told};
use super::parts::{at, badge, between, count};

pub(super) fn attention(snapshot: &Snapshot) -> Markup {
    let Troubles { failing, watches, checks } = snapshot.troubles();
    let told = [
        (failing, if failing == 1 { "object fails" } else { "objects fail" }),
        (watches, if watches == 1 { "watch does not work" } else { "watches do not work" }),
        (checks, if checks == 1 { "health check fails" } else { "health checks fail" }),
    ];
    let told: Vec<String> = told.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")).collect();
    html! {
        h2 { "Attention" }
        p { @if told.is_empty() { (badge("good", "All is well")) } @else { (badge("bad", &told.join(", "))) } }
        @for controller in snapshot.controllers.iter().filter(|controller| !controller.errors.is_empty()) {
            (errors(controller, snapshot.time))
        }
    }
}

fn errors(controller: &Controller, now: Timestamp) -> Markup {
    let Controller { name, kind, errors, failing, .. } = controller;
    html! {
        h2 { (kind) " objects that fail in " (name) }
        @for failure in errors { (one(failure, now)) }
        @if *failing > errors.len() {
            p.soft { "These are the last " (errors.len()) " of " (count(*failing, "object")) " that fail." }
        }
    }
}

fn one(failure: &Failing, now: Timestamp) -> Markup {
    let Failing { object, error, missing_rule, tries, at: failed, next_try } = failure;
    let tries = if *tries == 1 { "once".to_owned() } else { format!("{tries} times in a row") };
    html! {
        article.card.failing {
            h3 { (object) span.soft { "failed " (tries) } }
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
