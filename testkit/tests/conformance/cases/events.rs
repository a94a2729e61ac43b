//! Events: operators write those of events.k8s.io, kubectl reads those of the core group, and they are the same.

use serde_json::{Value, json};

use super::with;
use crate::ask::Ask;
use crate::case::cases;
use crate::session::Session;

cases!("events":
    a_new_one_is_read_as_an_old_one,
    an_old_one_is_read_as_a_new_one,
    both_are_in_both_lists,
    a_watch_tells_both,
    they_are_selected_by_the_fields_of_their_group,
    a_series_is_patched,
    a_count_is_patched,
    one_is_changed_through_the_other_group,
    one_is_deleted_through_the_other_group,
    what_a_new_one_is_stays,
    a_new_one_needs_all_of_this,
    an_old_one_needs_little,
    one_is_applied,
    one_that_is_not_there_is_created_by_an_update,
    names_are_of_one_table,
);

const OLD: &str = "/api/v1/namespaces/$ns/events";
const NEW: &str = "/apis/events.k8s.io/v1/namespaces/$ns/events";

fn about(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "namespace": "$ns", "uid": "11111111-1111-4111-8111-111111111111"})
}

fn new(name: &str) -> Value {
    json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": name}, "eventTime": "2025-01-01T00:00:00.000000Z",
        "regarding": about("x"), "related": about("y"), "note": "it was made", "reason": "Made", "action": "Make", "type": "Normal",
        "reportingController": "example.com/conformance", "reportingInstance": "conformance-1",
    })
}

fn old(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "involvedObject": about("x"), "message": "it was made",
        "reason": "Made", "type": "Normal", "source": {"component": "conformance", "host": "here"}, "count": 2,
        "firstTimestamp": "2025-01-01T00:00:00Z", "lastTimestamp": "2025-01-01T00:00:01Z",
    })
}

async fn a_new_one_is_read_as_an_old_one(s: &mut Session) {
    s.post(NEW, new("a")).await;
    s.get(format!("{NEW}/a")).await;
    s.get(format!("{OLD}/a")).await;
}

async fn an_old_one_is_read_as_a_new_one(s: &mut Session) {
    s.post(OLD, old("a")).await;
    s.get(format!("{OLD}/a")).await;
    s.get(format!("{NEW}/a")).await;
}

async fn both_are_in_both_lists(s: &mut Session) {
    s.post(NEW, new("a")).await;
    s.post(OLD, old("b")).await;
    s.get(NEW).await;
    s.get(OLD).await;
    let metadata = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    s.ask(Ask::get(NEW).header("accept", metadata)).await;
}

async fn a_watch_tells_both(s: &mut Session) {
    let mut watch_new = s.watch(format!("{NEW}?watch=true")).await;
    let mut watch_old = s.watch(format!("{OLD}?watch=true")).await;
    s.post(NEW, new("a")).await;
    s.post(OLD, old("b")).await;
    s.delete(format!("{NEW}/b")).await;
    for watch in [&mut watch_new, &mut watch_old] {
        for _ in 0..3 {
            s.event(watch).await;
        }
    }
}

async fn they_are_selected_by_the_fields_of_their_group(s: &mut Session) {
    s.post(NEW, new("a")).await;
    s.post(OLD, with(old("b"), "/involvedObject/name", "z")).await;
    for field in [
        "regarding.name=x",
        "reportingController=example.com/conformance",
        "type=Normal",
        "involvedObject.name=x",
        "note=x",
    ] {
        s.ask(Ask::get(NEW).query("fieldSelector", field)).await;
    }
    for field in ["involvedObject.name=z", "source=conformance", "reportingComponent=conformance", "regarding.name=x"] {
        s.ask(Ask::get(OLD).query("fieldSelector", field)).await;
    }
}

async fn a_series_is_patched(s: &mut Session) {
    s.post(NEW, new("a")).await;
    let series = json!({"series": {"count": 2, "lastObservedTime": "2025-01-01T00:00:02.000000Z"}});
    s.merge(format!("{NEW}/a"), series.clone()).await;
    s.get(format!("{OLD}/a")).await;
    let more = json!({"series": {"count": 3}}).to_string();
    s.ask(Ask::new("PATCH", format!("{NEW}/a")).text("application/strategic-merge-patch+json", &more)).await;
}

async fn a_count_is_patched(s: &mut Session) {
    s.post(OLD, old("a")).await;
    let patch = json!({"count": 3, "lastTimestamp": "2025-01-01T00:00:05Z"}).to_string();
    s.ask(Ask::new("PATCH", format!("{OLD}/a")).text("application/strategic-merge-patch+json", &patch)).await;
    s.get(format!("{NEW}/a")).await;
}

async fn one_is_changed_through_the_other_group(s: &mut Session) {
    s.post(OLD, old("a")).await;
    s.merge(format!("{NEW}/a"), json!({"note": "it was changed"})).await;
    s.post(NEW, new("b")).await;
    let mut read = s.get(format!("{OLD}/b")).await.body;
    read["message"] = "it was changed".into();
    s.put(format!("{OLD}/b"), read).await;
    s.get(format!("{NEW}/b")).await;
}

async fn one_is_deleted_through_the_other_group(s: &mut Session) {
    s.post(NEW, new("a")).await;
    s.delete(format!("{OLD}/a")).await;
    s.get(format!("{NEW}/a")).await;
    s.post(OLD, old("b")).await;
    s.delete(format!("{NEW}/b")).await;
    s.delete(format!("{NEW}/b")).await;
}

async fn what_a_new_one_is_stays(s: &mut Session) {
    s.post(NEW, new("a")).await;
    for patch in [
        json!({"note": "another"}),
        json!({"reason": "Another"}),
        json!({"regarding": {"name": "another"}}),
        json!({"metadata": {"labels": {"a": "b"}}}),
    ] {
        s.merge(format!("{NEW}/a"), patch).await;
    }
}

async fn a_new_one_needs_all_of_this(s: &mut Session) {
    for field in
        ["eventTime", "regarding", "note", "reason", "action", "type", "reportingController", "reportingInstance"]
    {
        let mut event = new("a");
        event.as_object_mut().expect("an object").remove(field);
        s.post(format!("{NEW}?dryRun=All"), event).await;
    }
    for (field, value) in [
        ("type", json!("Odd")),
        ("deprecatedCount", json!(1)),
        ("deprecatedFirstTimestamp", json!("2025-01-01T00:00:00Z")),
        ("note", json!("x".repeat(1025))),
        ("reportingController", json!("not a name")),
        ("series", json!({"count": 1, "lastObservedTime": "2025-01-01T00:00:00.000000Z"})),
        ("eventTime", json!("yesterday")),
    ] {
        s.post(format!("{NEW}?dryRun=All"), with(new("a"), &format!("/{field}"), value)).await;
    }
    s.post(format!("{NEW}?dryRun=All"), with(new("a"), "/regarding/namespace", "default")).await;
}

async fn an_old_one_needs_little(s: &mut Session) {
    let bare = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "a"}});
    s.post(OLD, bare.clone()).await;
    s.post(OLD, with(bare, "/involvedObject", json!({"namespace": "$ns"}))).await;
    s.post(OLD, with(old("b"), "/involvedObject/namespace", "default")).await;
    s.post(OLD, with(old("c"), "/eventTime", "2025-01-01T00:00:00.000000Z")).await;
}

async fn one_is_applied(s: &mut Session) {
    s.apply(format!("{NEW}/a?fieldManager=a"), new("a")).await;
    s.apply(format!("{NEW}/a?fieldManager=a"), new("a")).await;
    s.apply(format!("{OLD}/b?fieldManager=a"), old("b")).await;
    s.get(format!("{NEW}/b")).await;
}

async fn one_that_is_not_there_is_created_by_an_update(s: &mut Session) {
    s.put(format!("{NEW}/a"), new("a")).await;
    s.put(format!("{OLD}/b"), old("b")).await;
}

async fn names_are_of_one_table(s: &mut Session) {
    s.post(NEW, new("a")).await;
    s.post(OLD, old("a")).await;
    s.post(NEW, new("a")).await;
    s.get(format!("{NEW}/none")).await;
}
