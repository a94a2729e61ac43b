//! The fence against a cluster in memory, and, in its parts, against sockets and servers of their own.

mod denials;
mod late;
mod socket;
mod streams;
mod upgrades;

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Event};
use kube::Api;
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};
use kubeops_testkit::Cluster;
use kubeops_testkit::cluster::Fault;
use tokio::time::timeout;

use super::*;
use crate::leadership::EndReason;

const ME: &str = "me";

/// A server that may be in trouble.
async fn server(trouble: &[Fault]) -> Cluster {
    let cluster = Cluster::start().await;
    for fault in trouble {
        cluster.faults(ME).next(fault.clone());
    }
    cluster
}

const fn refusal(code: u16) -> Fault {
    Fault::Refuse { code, retry_after: None }
}

fn fenced(cluster: &Cluster, term: &Term) -> Client {
    fence(&cluster.client(ME), term, &Metrics::default())
}

fn maps(cluster: &Cluster, term: &Term) -> Api<ConfigMap> {
    Api::default_namespaced(fenced(cluster, term))
}

fn map() -> ConfigMap {
    let metadata = ObjectMeta { name: Some("a".to_owned()), ..ObjectMeta::default() };
    ConfigMap { metadata, ..ConfigMap::default() }
}

/// Writes, until it was received.
async fn begin_write(cluster: &Cluster, term: &Term) -> tokio::task::JoinHandle<kube::Result<ConfigMap>> {
    let maps = maps(cluster, term);
    let write = tokio::spawn(async move { maps.create(&PostParams::default(), &map()).await });
    while cluster.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    write
}

#[tokio::test(start_paused = true)]
async fn writes_pass_during_the_term_and_none_after_it_but_reads_do() {
    let cluster = server(&[]).await;
    let (control, term) = Term::unending(ME);
    let maps = maps(&cluster, &term);
    maps.create(&PostParams::default(), &map()).await.unwrap();
    control.end(EndReason::Expired);
    let error = maps.delete("a", &DeleteParams::default()).await.unwrap_err();
    assert!(is_fenced(&error), "{error:?}");
    assert_eq!(cluster.requests().len(), 1);
    assert_eq!(maps.get("a").await.unwrap().metadata.name.as_deref(), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn a_write_without_an_answer_is_given_up_when_the_term_ends() {
    let cluster = server(&[Fault::Hang]).await;
    let (control, term) = Term::unending(ME);
    let write = begin_write(&cluster, &term).await;
    assert!(control.unanswered().is_some(), "on its way");
    control.end(EndReason::Expired);
    let error = write.await.unwrap().unwrap_err();
    assert!(is_fenced(&error) && format!("{error:?}").contains("sent: true"), "{error:?}");
    assert!(control.unanswered().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_write_is_on_its_way_until_it_is_known_if_it_was_committed() {
    for (code, answered) in [(409, true), (429, true), (503, false), (504, false), (500, false), (502, false)] {
        let cluster = server(&[]).await;
        cluster.faults(ME).always(refusal(code));
        let (control, term) = Term::unending(ME);
        maps(&cluster, &term).create(&PostParams::default(), &map()).await.unwrap_err();
        assert_eq!(control.unanswered().is_none(), answered, "{code}");
    }
    for (trouble, answered) in [(&[][..], true), (&[Fault::LoseAnswer], false), (&[Fault::LoseRequest], false)] {
        let cluster = server(trouble).await;
        let (control, term) = Term::unending(ME);
        let _answer = maps(&cluster, &term).create(&PostParams::default(), &map()).await;
        assert_eq!(control.unanswered().is_none(), answered, "{trouble:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_dropped_may_still_land_and_one_that_was_never_sent_can_not() {
    let cluster = server(&[Fault::Hang]).await;
    let (control, term) = Term::unending(ME);
    let maps = maps(&cluster, &term);
    let (params, map) = (PostParams::default(), map());
    drop(maps.create(&params, &map));
    assert_eq!(control.unanswered(), None, "never polled");
    let _elapsed = timeout(Duration::from_secs(1), maps.create(&params, &map)).await;
    assert!(control.unanswered().is_some());
}

#[tokio::test(start_paused = true)]
async fn events_and_reads_do_not_keep_the_lock_from_being_released() {
    let cluster = server(&[]).await;
    cluster.faults(ME).hang();
    let (control, term) = Term::unending(ME);
    let fenced = fenced(&cluster, &term);
    let (events, maps): (Api<Event>, Api<ConfigMap>) = (Api::namespaced(fenced.clone(), "a"), Api::all(fenced));
    let _elapsed = timeout(Duration::from_secs(1), events.create(&PostParams::default(), &Event::default())).await;
    let _elapsed = timeout(Duration::from_secs(1), maps.list(&ListParams::default())).await;
    assert_eq!((cluster.requests().len(), control.unanswered()), (2, None));
    assert!(!is_event("/apis/example.com/v1/namespaces/a/events"), "not everything of this name is one");
}

#[tokio::test(start_paused = true)]
async fn a_retry_does_not_go_on_after_the_term() {
    let cluster = server(&[refusal(429)]).await;
    let (control, term) = Term::unending(ME);
    let write = begin_write(&cluster, &term).await;
    control.end(EndReason::Expired);
    assert!(is_fenced(&write.await.unwrap().unwrap_err()));
    assert_eq!(cluster.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_create_succeeds_after_two_short_refusals() {
    for (code, retry_after) in [(429, None), (429, Some(1)), (503, Some(1))] {
        let cluster = server(&[]).await;
        cluster.faults(ME).when(|_| true, Some(2), Fault::Refuse { code, retry_after });
        let (_control, term) = Term::unending(ME);
        maps(&cluster, &term).create(&PostParams::default(), &map()).await.unwrap();
        assert_eq!(cluster.requests().len(), 3);
    }
}
