//! Who leads, and who did.

use maud::{Markup, html};

use super::super::{Leadership, Lock, Snapshot, State, Term, told};
use super::parts::Column::Text;
use super::parts::{at, cell, heading, name, seconds, wide};

/// In a few words, for the title.
pub(super) fn headline(snapshot: &Snapshot) -> String {
    snapshot
        .leadership
        .leader
        .as_deref()
        .map_or_else(|| "Nobody leads".to_owned(), |leader| format!("{} leads", name(leader)))
}

/// The class of what this replica is, its word, and the colour of the tab's icon.
fn looks(leadership: &Leadership) -> (&'static str, &'static str, &'static str) {
    match leadership.state {
        State::Leading => ("leading", "Leading", "%231f9d61"),
        State::Draining => ("draining", "Leading, handing over", "%231f9d61"),
        State::Standby if leadership.leader.is_none() => ("nobody", "Standing by", "%23d0453b"),
        State::Standby => ("standby", "Standing by", "%235b8def"),
    }
}

/// A disc for the tab: full where it leads, a ring where it stands by.
pub(super) fn icon(snapshot: &Snapshot) -> String {
    let (_, _, colour) = looks(&snapshot.leadership);
    let fill = if snapshot.leadership.state == State::Standby { "none" } else { colour };
    format!(
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='5.5' \
         fill='{fill}' stroke='{colour}' stroke-width='3'/></svg>"
    )
}

pub(super) fn hero(snapshot: &Snapshot) -> Markup {
    let Snapshot { operator, replica, leadership, .. } = snapshot;
    let (class, word, _) = looks(leadership);
    html! {
        section.card.hero.(class) {
            span.badge { (word) }
            h1 { (headline(snapshot)) }
            (since(snapshot))
            dl {
                div { dt { "Identity of this replica" } dd.mono { (replica.identity) } }
                @if let Some(leader) = leadership.leader.as_deref().filter(|leader| *leader != replica.identity) {
                    div { dt { "Identity of the leader" } dd.mono { (leader) } }
                }
                div { dt { "Lock" } dd { (lock(leadership.lock.as_ref())) } }
                div { dt { "API server" } dd { (operator.server) } }
            }
        }
    }
}

fn since(snapshot: &Snapshot) -> Markup {
    let Leadership { state, leader, since, since_seconds, terms, .. } = &snapshot.leadership;
    let own = terms.first().and_then(|term| term.number).filter(|_| *state != State::Standby);
    html! {
        p.soft {
            @if let (Some(since), Some(lasted)) = (since, since_seconds) {
                "for " (told(seconds(*lasted))) ", since " (at(*since, snapshot.time))
                @if let Some(number) = own { ", term " (number) " of this process" }
            } @else if leader.is_none() {
                "The lock is free, or its holder has not renewed it in time."
            }
        }
    }
}

fn lock(lock: Option<&Lock>) -> String {
    let named = |lock: &Lock| format!("{} {}/{}", lock.kind, lock.namespace, lock.name);
    lock.map_or_else(|| "none: leader election is off".to_owned(), named)
}

pub(super) fn terms(snapshot: &Snapshot) -> Markup {
    let Snapshot { time, replica, leadership: Leadership { terms, .. }, .. } = snapshot;
    if terms.is_empty() {
        return html! { p.soft { "Nobody has led since this process started." } };
    }
    let row = |term: &Term| {
        html! {
            tr {
                th scope="row" {
                    (name(&term.leader))
                    @if term.leader == replica.identity { span.soft { " (this replica)" } }
                }
                (cell("Began", &at(term.began, *time)))
                (cell("Lasted", &html! { (told(seconds(term.seconds))) @if term.ended.is_none() { " so far" } }))
                (wide("How it ended", &html! { @match &term.reason {
                    Some(reason) => { (reason) },
                    None if term.ended.is_none() => { "not yet" },
                    None => {},
                } }))
            }
        }
    };
    html! {
        table.card {
            (heading(&[Text("Leader"), Text("Began"), Text("Lasted"), Text("How it ended")]))
            tbody { @for term in terms { (row(term)) } }
        }
    }
}
