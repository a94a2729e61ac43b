//! Lists in parts, and lists at a version.

use serde_json::json;

use super::{CONFIG_MAPS, config_map, with};
use crate::ask::Ask;
use crate::case::cases;
use crate::session::{Answer, Session};

cases!("paging":
    a_list_in_parts,
    a_part_that_holds_everything,
    parts_are_all_of_one_version,
    parts_of_a_selection,
    a_token_that_is_none,
    a_token_with_a_version,
    limits_that_cannot_be_read,
    a_list_at_an_exact_version,
    a_list_at_an_exact_version_with_limit,
    a_list_not_older_than_a_version,
    a_list_at_version_zero,
    a_list_from_before_the_objects,
    a_list_at_a_version_of_the_future,
    a_list_at_an_unreadable_version,
    a_version_match_without_version,
    reading_one_object_at_a_version,
);

async fn names(s: &mut Session, names: &[&str]) -> Answer {
    let mut last = None;
    for name in names {
        last = Some(s.post(CONFIG_MAPS, config_map(name)).await);
    }
    last.expect("a case makes at least one")
}

fn token(answer: &Answer) -> String {
    answer.body["metadata"]["continue"].as_str().unwrap_or_default().to_owned()
}

async fn next(s: &mut Session, limit: usize, after: &Answer) -> Answer {
    let ask = Ask::get(format!("{CONFIG_MAPS}?limit={limit}"));
    s.ask(ask.query("continue", &token(after))).await
}

async fn a_list_in_parts(s: &mut Session) {
    names(s, &["a", "b", "c", "d", "e"]).await;
    let first = s.get(format!("{CONFIG_MAPS}?limit=2")).await;
    let second = next(s, 2, &first).await;
    next(s, 2, &second).await;
}

async fn a_part_that_holds_everything(s: &mut Session) {
    names(s, &["a", "b"]).await;
    s.get(format!("{CONFIG_MAPS}?limit=2")).await;
    s.get(format!("{CONFIG_MAPS}?limit=500")).await;
    s.get(format!("{CONFIG_MAPS}?limit=0")).await;
}

async fn parts_are_all_of_one_version(s: &mut Session) {
    names(s, &["a", "b", "c"]).await;
    let first = s.get(format!("{CONFIG_MAPS}?limit=1")).await;
    s.delete(format!("{CONFIG_MAPS}/b")).await;
    s.post(CONFIG_MAPS, config_map("bb")).await;
    s.put(format!("{CONFIG_MAPS}/c"), with(config_map("c"), "/data/key", "2")).await;
    next(s, 5, &first).await;
}

async fn parts_of_a_selection(s: &mut Session) {
    for name in ["a", "b", "c", "d"] {
        let colour = if name == "b" { "red" } else { "green" };
        s.post(CONFIG_MAPS, with(config_map(name), "/metadata/labels", json!({"colour": colour}))).await;
    }
    let first = s.get(format!("{CONFIG_MAPS}?limit=2&labelSelector=colour%3Dgreen")).await;
    let ask = Ask::get(format!("{CONFIG_MAPS}?limit=2&labelSelector=colour%3Dgreen"));
    s.ask(ask.query("continue", &token(&first))).await;
}

async fn a_token_that_is_none(s: &mut Session) {
    s.get(format!("{CONFIG_MAPS}?limit=2&continue=abc")).await;
    s.get(format!("{CONFIG_MAPS}?limit=2&continue=%25%25")).await;
}

async fn a_token_with_a_version(s: &mut Session) {
    names(s, &["a", "b", "c"]).await;
    let first = s.get(format!("{CONFIG_MAPS}?limit=1")).await;
    let ask = Ask::get(format!("{CONFIG_MAPS}?limit=1&resourceVersion={}", first.version()));
    s.ask(ask.query("continue", &token(&first))).await;
    let ask = Ask::get(format!("{CONFIG_MAPS}?limit=1&resourceVersionMatch=Exact"));
    s.ask(ask.query("continue", &token(&first))).await;
}

async fn limits_that_cannot_be_read(s: &mut Session) {
    s.get(format!("{CONFIG_MAPS}?limit=many")).await;
    s.get(format!("{CONFIG_MAPS}?limit=-1")).await;
    s.get(format!("{CONFIG_MAPS}?limit=")).await;
}

async fn a_list_at_an_exact_version(s: &mut Session) {
    let made = names(s, &["a", "b"]).await;
    s.put(format!("{CONFIG_MAPS}/a"), with(config_map("a"), "/data/key", "2")).await;
    s.delete(format!("{CONFIG_MAPS}/b")).await;
    s.post(CONFIG_MAPS, config_map("c")).await;
    s.get(format!("{CONFIG_MAPS}?resourceVersion={}&resourceVersionMatch=Exact", made.version())).await;
    s.get(format!("{CONFIG_MAPS}?resourceVersion=0&resourceVersionMatch=Exact")).await;
}

async fn a_list_at_an_exact_version_with_limit(s: &mut Session) {
    let made = names(s, &["a", "b", "c"]).await;
    s.delete(format!("{CONFIG_MAPS}/b")).await;
    let at = format!("{CONFIG_MAPS}?limit=2&resourceVersion={}", made.version());
    let first = s.get(&at).await;
    next(s, 2, &first).await;
    s.get(format!("{at}&resourceVersionMatch=Exact")).await;
}

async fn a_list_not_older_than_a_version(s: &mut Session) {
    let made = names(s, &["a", "b"]).await;
    s.get(format!("{CONFIG_MAPS}?resourceVersion={}&resourceVersionMatch=NotOlderThan", made.version())).await;
    s.get(format!("{CONFIG_MAPS}?resourceVersion={}", made.version())).await;
}

async fn a_list_at_version_zero(s: &mut Session) {
    let made = names(s, &["a", "b"]).await;
    // The real server's cache may lag behind: what a read at this version gives, it has.
    s.get(format!("{CONFIG_MAPS}?resourceVersion={}&resourceVersionMatch=NotOlderThan", made.version())).await;
    s.get(format!("{CONFIG_MAPS}?resourceVersion=0")).await;
    s.get(format!("{CONFIG_MAPS}?resourceVersion=0&resourceVersionMatch=NotOlderThan")).await;
    s.get(format!("{CONFIG_MAPS}/a?resourceVersion=0")).await;
}

async fn a_list_from_before_the_objects(s: &mut Session) {
    let first = s.post(CONFIG_MAPS, config_map("a")).await;
    s.post(CONFIG_MAPS, config_map("b")).await;
    s.get(format!("{CONFIG_MAPS}?resourceVersion={}&resourceVersionMatch=Exact", first.version())).await;
}

async fn a_list_at_a_version_of_the_future(s: &mut Session) {
    names(s, &["a"]).await;
    // At an exact version of the future the real server waits for a minute, and so does not this case.
    s.get(format!("{CONFIG_MAPS}?resourceVersion=9999999&timeoutSeconds=1")).await;
}

async fn a_list_at_an_unreadable_version(s: &mut Session) {
    s.get(format!("{CONFIG_MAPS}?resourceVersion=abc")).await;
    s.get(format!("{CONFIG_MAPS}?resourceVersion=5&resourceVersionMatch=Nearly")).await;
}

async fn a_version_match_without_version(s: &mut Session) {
    s.get(format!("{CONFIG_MAPS}?resourceVersionMatch=Exact")).await;
    s.get(format!("{CONFIG_MAPS}?resourceVersionMatch=NotOlderThan")).await;
}

async fn reading_one_object_at_a_version(s: &mut Session) {
    let made = names(s, &["a"]).await;
    s.put(format!("{CONFIG_MAPS}/a"), with(config_map("a"), "/data/key", "2")).await;
    s.get(format!("{CONFIG_MAPS}/a?resourceVersion={}", made.version())).await;
    s.get(format!("{CONFIG_MAPS}/a?resourceVersion=abc")).await;
}
