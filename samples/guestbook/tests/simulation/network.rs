//! The network between the clients and the cluster. What is on its way does not care whether its sender is frozen, gone, or has
//! given up: it arrives, or is lost, by itself.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use futures::stream;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use kube::client::Body;
use kubeops_testkit::cluster::{Cut, ResponseBody};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tower::Service;

use super::Author;
use super::world::World;

/// Nobody waits for the answer any more: the server may go on for this long.
const LONGEST_LINGER: u64 = 20_000;
/// What of a watch is on its way at once.
const WINDOW: usize = 64;

type AnswerBody = UnsyncBoxBody<Bytes, Cut>;
type Answer = Result<Response<AnswerBody>, Cut>;

/// One process' way to the cluster.
pub(super) fn way(
    world: &World,
    author: Author,
) -> impl Service<Request<Body>, Response = Response<AnswerBody>, Error = Cut, Future: Send> + Clone + Send + 'static {
    let world = world.clone();
    tower::service_fn(move |request| send(world.clone(), author, request))
}

/// What the client waits for. A frozen client does not get on with it, and one that gives up drops it.
async fn send(world: World, author: Author, request: Request<Body>) -> Answer {
    let (parts, body) = request.into_parts();
    // Here the last fence has its say: a body that is not to be sent any more is an error.
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let request = Request::from_parts(parts, body);
    let waiting = Waiting { id: world.begun(author, &request), world: world.clone(), over: false };
    let (tell, told) = oneshot::channel();
    tokio::spawn(carry(world, author, waiting.id, request, tell));
    match told.await {
        Ok(answer) => waiting.over(answer),
        Err(_) => waiting.over(Err(Cut)),
    }
}

/// Notes how a request ended for its client: unless it is told, the client has given up.
struct Waiting {
    world: World,
    id: usize,
    over: bool,
}

impl Waiting {
    fn over(mut self, answer: Answer) -> Answer {
        self.over = true;
        self.world.answered(self.id, answer.as_ref().ok().map(|answer| answer.status().as_u16()));
        answer
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.over {
            self.world.answered(self.id, None);
        }
    }
}

async fn carry(world: World, author: Author, id: usize, request: Request<Bytes>, mut tell: oneshot::Sender<Answer>) {
    let (there, back) = world.travel(author);
    sleep(there).await;
    if tell.is_closed() && world.draw(Rng::bool) {
        // The connection was closed before the server had read all of it.
        return;
    }
    let answer = tokio::select! {
        biased;
        answer = serve(&world, author, id, request) => answer,
        () = async {
            tell.closed().await;
            sleep(world.draw(|random| Duration::from_millis(random.u64(0..LONGEST_LINGER)))).await;
        } => return,
    };
    sleep(back).await;
    let _client_is_gone = tell.send(match answer {
        Ok((answer, true)) => Ok(answer.map(|body| watched(world, author, body))),
        Ok((answer, false)) => whole(answer).await,
        Err(cut) => Err(cut),
    });
}

/// The server's answer, and whether it is a watch that goes on.
async fn serve(
    world: &World,
    author: Author,
    id: usize,
    mut request: Request<Bytes>,
) -> Result<(Response<ResponseBody>, bool), Cut> {
    let is_watch = request.uri().query().is_some_and(|query| query.contains("watch="));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    // By it the cluster's own record tells what became of a request whose answer is never seen.
    request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_str(&mark(id)).unwrap());
    let mut service = world.service(author);
    let mut call = pin!(service.call(request.map(Full::new)));
    let answer = poll_fn(|cx| {
        let before = world.version_of(&method, &path);
        let answer = call.as_mut().poll(cx);
        // Whether or not it will ever answer: what it does now is done.
        world.served(id, author, (&method, &path), before.as_ref());
        answer
    })
    .await?;
    let goes_on = is_watch && answer.status() == StatusCode::OK;
    Ok((answer, goes_on))
}

/// What the client calls itself in the cluster's record.
pub(super) fn mark(id: usize) -> String {
    format!("simulation/{id}")
}

async fn whole(answer: Response<ResponseBody>) -> Answer {
    let (parts, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Response::from_parts(parts, Full::new(body).map_err(|never| match never {}).boxed_unsync()))
}

/// The events of a watch, in order, each as late as the network is at that time.
fn watched(world: World, author: Author, body: ResponseBody) -> AnswerBody {
    let (out, events) = mpsc::channel(WINDOW);
    tokio::spawn(async move {
        let mut body = pin!(body);
        loop {
            let frame = tokio::select! {
                biased;
                () = out.closed() => return,
                frame = body.frame() => frame,
            };
            let Some(frame) = frame else { return };
            sleep(world.travel(author).1).await;
            if out.send(frame).await.is_err() {
                return;
            }
        }
    });
    let events = stream::unfold(events, |mut events| async move { Some((events.recv().await?, events)) });
    StreamBody::new(events).boxed_unsync()
}

/// Whether it asks for a change of what replicas work on: neither of the lock nor of Events.
pub(super) fn is_work(method: &Method, path: &str) -> bool {
    !matches!(*method, Method::GET | Method::HEAD) && !path.contains("/leases") && !path.contains("/events")
}
