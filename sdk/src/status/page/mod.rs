//! The page: all of a [`Snapshot`], who leads first. It needs nothing from elsewhere, and refreshes itself.

mod attention;
mod leaders;
mod parts;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Snapshot, State, told};
use attention::attention;
use leaders::{headline, hero, icon, terms};
use parts::{at, seconds};
use tables::{caches, checks, controllers, settings};

/// The page's style, as it stands in it: whoever serves the page may allow no other.
pub(crate) const STYLE: &str = include_str!("style.css");
/// The page's script, likewise.
pub(crate) const SCRIPT: &str = include_str!("refresh.js");

const STANDS_BY: &str =
    "This replica reconciles nothing as long as it does not lead. Its caches are warm, so that it can at once.";

/// Of browsers without scripts.
const REFRESH_SECONDS: u32 = 5;

/// The page as HTML. Whatever the snapshot holds is text in it.
#[must_use]
pub(crate) fn page(snapshot: &Snapshot) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (headline(snapshot)) " · " (snapshot.operator.name) }
                link rel="icon" href=(icon(snapshot));
                style { (PreEscaped(STYLE)) }
                noscript { meta http-equiv="refresh" content=(REFRESH_SECONDS); }
            }
            body {
                p #lost role="alert" hidden {
                    "No answer since " time {} ". This is what was known then; still trying."
                }
                main { (content(snapshot)) }
                script type="module" { (PreEscaped(SCRIPT)) }
            }
        }
    };
    document.into_string()
}

fn content(snapshot: &Snapshot) -> Markup {
    let Snapshot { operator, replica, controllers: of_controllers, caches: watches, .. } = snapshot;
    html! {
        div.top {
            p { strong { (operator.name) } " " span.soft { (operator.version) } }
            p.soft { "replica " strong { (replica.name) } }
        }
        // Sections that are always there, so that what changes in one leaves the others alone.
        (hero(snapshot))
        section { (attention(snapshot)) }
        section {
            h2 { "Controllers" }
            (controllers(of_controllers))
            @if snapshot.leadership.state == State::Standby {
                p.soft.note { (STANDS_BY) }
            }
        }
        section { h2 { "Caches" } (caches(watches)) }
        section { h2 { "Terms" } (terms(snapshot)) }
        section { h2 { "Health checks" } (checks(&snapshot.checks)) }
        section { h2 { "Settings" } (settings(&snapshot.settings)) }
        footer {
            p {
                (operator.name) " " (operator.version) " with kubeops " (operator.sdk_version) ", running for "
                (told(seconds(operator.uptime_seconds))) ", since " (at(operator.started, snapshot.time)) ". The same as JSON: " a href="status" { "/status" } "."
            }
        }
    }
}

#[cfg(test)]
mod tests;
