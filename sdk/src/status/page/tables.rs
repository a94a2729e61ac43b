//! Controllers, caches, checks and settings.

use std::time::Duration;

use maud::{Markup, html};

use super::super::{Check, Controller, Setting, Watch, told};
use super::parts::Column::{Number, Text};
use super::parts::{Column, badge, beside, cell, heading, number, seconds, wide};

const CONTROLLERS: [Column; 8] = [
    Text("Controller"),
    Text("Kind"),
    Number("Due"),
    Number("Scheduled"),
    Text("Workers"),
    Number("Reconciled"),
    Number("Failed"),
    Text("Failing now"),
];
const CACHES: [Column; 6] =
    [Text("Kind"), Text("State"), Text("Namespace"), Number("Objects"), Number("Reconnects"), Text("Last heard of")];

pub(super) fn controllers(controllers: &[Controller]) -> Markup {
    html! {
        table.card {
            (heading(&CONTROLLERS))
            tbody { @for controller in controllers { (controller_row(controller)) } }
        }
    }
}

fn controller_row(controller: &Controller) -> Markup {
    let Controller { name, kind, queue, workers, reconciles, failing, errors: _ } = controller;
    let in_work = html! {
        (workers.busy) " of " (workers.limit) " busy"
        @for object in &workers.in_work {
            span.more { (object.object) ", for " (told(Duration::try_from_secs_f64(object.seconds).unwrap_or_default())) }
        }
    };
    html! {
        tr {
            th scope="row" { (name) }
            (beside(&html! { (kind) }))
            (number("Due", &queue.due))
            (number("Scheduled", &queue.scheduled))
            (wide("Workers", &in_work))
            (number("Reconciled", &reconciles.succeeded))
            (number("Failed", &reconciles.failed))
            (cell("Failing now", &html! { @if *failing == 0 { "none" } @else { (badge("bad", &failing.to_string())) } }))
        }
    }
}

pub(super) fn caches(watches: &[Watch]) -> Markup {
    html! {
        table.card {
            (heading(&CACHES))
            tbody { @for watch in watches { (watch_row(watch)) } }
        }
    }
}

fn watch_row(watch: &Watch) -> Markup {
    let Watch { kind, namespace, synced, objects, reconnects, quiet_seconds, error } = watch;
    let state = match (error, synced) {
        (Some(_), _) => badge("bad", "Does not work"),
        (None, true) => badge("good", "Synced"),
        (None, false) => badge("idle", "Not listed yet"),
    };
    html! {
        tr {
            th scope="row" { (kind) }
            (beside(&state))
            (cell("Namespace", &html! { (namespace.as_deref().unwrap_or("all")) }))
            (number("Objects", objects))
            (number("Reconnects", reconnects))
            (cell("Last heard of", &html! { (told(seconds(*quiet_seconds))) " ago" }))
        }
    }
}

pub(super) fn checks(checks: &[Check]) -> Markup {
    let counted = checks.iter().filter(|check| !check.probes.is_empty());
    let (good, all) = (counted.clone().filter(|check| check.ok).count(), counted.count());
    html! {
        details.card {
            summary { (good) " of " (all) " pass" }
            table {
                (heading(&[Text("Check"), Text("Result"), Text("Probes"), Text("Detail")]))
                tbody { @for check in checks { (check_row(check)) } }
            }
        }
    }
}

fn check_row(check: &Check) -> Markup {
    let Check { name, probes, ok, detail } = check;
    let result = match (ok, probes.is_empty()) {
        (true, _) => badge("good", "Ok"),
        (false, false) => badge("bad", "Fails"),
        (false, true) => badge("idle", "No"),
    };
    let counts = if probes.is_empty() { "none".to_owned() } else { probes.join(", ") };
    html! {
        tr {
            th scope="row" { (name) }
            (beside(&result))
            (cell("Probes", &html! { (counts) }))
            @if detail.is_empty() { td {} } @else { (wide("Detail", &html! { (detail) })) }
        }
    }
}

pub(super) fn settings(settings: &[Setting]) -> Markup {
    let row = |setting: &Setting| {
        let value = html! {
            @match &setting.value {
                Some(value) if value.is_empty() => { span.soft { "(empty)" } },
                Some(value) => { span.mono { (value) } },
                None => { span.soft { "(set)" } },
            }
        };
        html! {
            tr {
                th.mono scope="row" { (setting.key) }
                (cell("Value", &value))
                (cell("From", &html! { (setting.origin) }))
            }
        }
    };
    html! {
        details.card {
            summary { "All effective settings" }
            table {
                (heading(&[Text("Key"), Text("Value"), Text("From")]))
                tbody { @for setting in settings { (row(setting)) } }
            }
        }
    }
}
