use super::super::fixture::snapshot;
use super::super::{Check, Leadership, Setting};
use super::*;

fn nothing_fails() -> Snapshot {
    let mut snapshot = snapshot();
    snapshot.checks[0].ok = true;
    snapshot.caches[0].error = None;
    snapshot.controllers[0].errors.clear();
    snapshot.controllers[0].failing = 0;
    snapshot
}

#[test]
fn nothing_of_a_snapshot_is_ever_markup() {
    let page = page(&snapshot());
    assert!(!page.contains("<script>alert"), "{page}");
    assert_eq!(page.matches("<script").count(), 1, "the page's own");
    let escaped = "&lt;script&gt;alert('x')&lt;/script&gt;&amp;&quot;";
    assert!(page.matches(escaped).count() > 20, "{page}");
}

#[test]
fn who_leads_comes_first_in_title_and_page() {
    let mut snapshot = nothing_fails();
    let headline = |snapshot: &Snapshot| {
        let page = page(snapshot);
        let between = |start: &str, end: &str| page.split_once(start).unwrap().1.split_once(end).unwrap().0.to_owned();
        (between("<title>", " ·"), between("<h1>", "</h1>"), between("<span class=\"badge\">", "</span>"))
    };
    let told = |line: &str, state: &str| (line.to_owned(), line.to_owned(), state.to_owned());
    snapshot.leadership.leader = Some("replica-b_1".to_owned());
    assert_eq!(headline(&snapshot), told("replica-b leads", "Standing by"));
    snapshot.leadership.state = State::Leading;
    assert_eq!(headline(&snapshot), told("replica-b leads", "Leading"));
    snapshot.leadership.state = State::Draining;
    assert_eq!(headline(&snapshot), told("replica-b leads", "Leading, handing over"));
    snapshot.leadership =
        Leadership { state: State::Standby, leader: None, since: None, since_seconds: None, ..snapshot.leadership };
    assert_eq!(headline(&snapshot), told("Nobody leads", "Standing by"));
}

#[test]
fn what_fails_is_counted_and_told_or_else_that_nothing_does() {
    let page_of = |snapshot: &Snapshot| page(snapshot);
    let text = page_of(&snapshot());
    assert!(text.contains("1 health check fails, 1 watch does not work, 1 object fails"), "{text}");
    assert!(text.contains("failed 3 times in a row") && text.contains("Tried again in 8s."), "{text}");
    let text = page_of(&nothing_fails());
    assert!(text.contains("All is well") && !text.contains("Needs attention"), "{text}");
    let mut listed = nothing_fails();
    listed.checks[0] = Check { ok: false, probes: Vec::new(), ..listed.checks[0].clone() };
    assert!(page_of(&listed).contains("All is well"), "a check that is only listed fails nothing");
    let mut many = snapshot();
    many.controllers[0].failing = 25;
    assert!(page_of(&many).contains("those that failed last are shown: 1."));
}

#[test]
fn a_value_that_is_not_to_be_shown_is_told_to_be_set() {
    let mut snapshot = nothing_fails();
    let setting = |value: Option<&str>| Setting {
        key: "Shop:Key".to_owned(),
        value: value.map(str::to_owned),
        origin: "x".to_owned(),
    };
    snapshot.settings = vec![setting(None), setting(Some("")), setting(Some("shown"))];
    let text = page(&snapshot);
    for value in ["(set)", "(empty)", ">shown<"] {
        assert!(text.contains(value), "{value} is not in {text}");
    }
}

#[test]
fn times_are_for_people_and_for_machines() {
    let text = page(&nothing_fails());
    assert!(
        text.contains("<time datetime=\"2027-01-15T07:59:00Z\" title=\"2027-01-15T07:59:00Z\">07:59:00 UTC</time>"),
        "{text}"
    );
}
