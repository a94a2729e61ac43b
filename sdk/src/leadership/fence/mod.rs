//! The fence in the client: no write is begun, or goes on, outside of its term.

mod retry;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use http::header::UPGRADE;
use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use tower::ServiceBuilder;
use tower::retry::RetryLayer;

use self::retry::Retry;
use super::term::Term;
use crate::BoxError;
use crate::chain::causes;
use crate::metrics::Metrics;

/// A write was refused, or given up, because its term is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the write was fenced off, because the term is over{}",
    if *.sent { "; it was on its way, and may have been committed" } else { "" }
)]
#[non_exhaustive]
pub struct Fenced {
    /// Whether it was on its way already: it may have been committed, or may still be.
    pub sent: bool,
}

/// A client that reads as `client` does, and writes only while `term` is valid, whoever holds a clone of it.
///
/// The term is asked before every poll of the sending, so that a token refresh, a connect or a queue below can't delay a
/// write past its end. A refused write is a [`Fenced`] error; [`is_fenced`] finds it. Answers of 429, 503 and 504 are tried
/// again, for two seconds at most; `client` should have no retry policy of its own, because that could go on after the term.
///
/// What was handed to the socket before the term ended may still be committed.
#[must_use]
pub fn fence(client: &Client, term: &Term, metrics: &Metrics) -> Client {
    let (namespace, valid_until) = (client.default_namespace().to_owned(), *client.valid_until());
    let (client, term, metrics) = (client.clone(), term.clone(), metrics.clone());
    let fenced = tower::service_fn(move |request: Request<Body>| {
        let (client, term, metrics) = (client.clone(), term.clone(), metrics.clone());
        async move {
            if only_reads(&request) {
                return client.send(request).await.map_err(BoxError::from);
            }
            let answer = write(&client, &term, request).await;
            answer.inspect_err(|_| metrics.fenced_write())?.map_err(BoxError::from)
        }
    });
    let service = ServiceBuilder::new().layer(RetryLayer::new(Retry::new())).service(fenced);
    Client::new(service, namespace).with_valid_until(valid_until)
}

/// Whether this error, or what caused it, is [`Fenced`]: an ended term's, and no fault of the write.
#[must_use]
pub fn is_fenced(error: &(dyn std::error::Error + 'static)) -> bool {
    causes(error).any(<dyn std::error::Error>::is::<Fenced>)
}

/// Everything else may write: exec, attach and port-forward are GETs that upgrade.
fn only_reads(request: &Request<Body>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && !request.headers().contains_key(UPGRADE)
}

/// Sends a write. One that is left without an answer is remembered by the term: it may still land.
async fn write(client: &Client, term: &Term, request: Request<Body>) -> Result<kube::Result<Response<Body>>, Fenced> {
    if is_event(request.uri().path()) {
        return while_valid(term, client.send(request)).await;
    }
    let write = term.begin_write().ok_or(Fenced { sent: false })?;
    let answer = while_valid(term, client.send(request)).await;
    if is_final(&answer) {
        write.answered();
    }
    answer
}

/// Whether it is known if the write was committed. A server that fails may do so after it has committed; one that is not
/// available did not take the request.
fn is_final(answer: &Result<kube::Result<Response<Body>>, Fenced>) -> bool {
    match answer {
        Ok(Ok(answer)) => !answer.status().is_server_error() || answer.status() == StatusCode::SERVICE_UNAVAILABLE,
        Ok(Err(_)) => false,
        Err(Fenced { sent }) => !sent,
    }
}

/// Events undo nothing, whenever they come, and are often on their way when a term ends.
fn is_event(path: &str) -> bool {
    let core = path.strip_prefix("/api/v1/namespaces/").and_then(|rest| rest.split('/').nth(1)) == Some("events");
    core || path.starts_with("/apis/events.k8s.io/")
}

async fn while_valid<T>(term: &Term, send: impl Future<Output = T>) -> Result<T, Fenced> {
    let mut ended = pin!(term.ended());
    let mut send = pin!(send);
    let mut sent = false;
    poll_fn(|cx| {
        if ended.as_mut().poll(cx).is_ready() || !term.is_valid() {
            return Poll::Ready(Err(Fenced { sent }));
        }
        sent = true;
        send.as_mut().poll(cx).map(Ok)
    })
    .await
}

#[cfg(test)]
mod tests {
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
        for (code, answered) in [(409, true), (503, true), (504, false), (500, false), (502, false)] {
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
        let cluster = server(&[refusal(503)]).await;
        let (control, term) = Term::unending(ME);
        let write = begin_write(&cluster, &term).await;
        control.end(EndReason::Expired);
        assert!(is_fenced(&write.await.unwrap().unwrap_err()));
        assert_eq!(cluster.requests().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_create_succeeds_after_two_short_refusals() {
        for code in [429, 503] {
            let cluster = server(&[]).await;
            cluster.faults(ME).when(|_| true, Some(2), refusal(code));
            let (_control, term) = Term::unending(ME);
            maps(&cluster, &term).create(&PostParams::default(), &map()).await.unwrap();
            assert_eq!(cluster.requests().len(), 3);
        }
    }
}
