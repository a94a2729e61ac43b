//! An API server for one kind, ConfigMap, that does what a test tells it to.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::channel::mpsc::{UnboundedSender, unbounded};
use http::{Request, Response, StatusCode};
use kube::Client;
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::service_fn;

/// Cheap to clone; clones are the same server.
#[derive(Clone)]
pub(super) struct FakeApi(Arc<Mutex<State>>);

/// Of the body of a watch's answer.
type Lines = UnboundedSender<Result<Bytes, Infallible>>;

#[derive(Default)]
struct State {
    version: u64,
    objects: BTreeMap<(String, String), Value>,
    /// What happened: version, namespace, event.
    history: Vec<(u64, String, Value)>,
    /// Watches from before this version get a 410.
    compacted: u64,
    open: Vec<(Option<String>, Lines)>,
    requests: Vec<Seen>,
    /// What lists and watches are answered with instead.
    failing: HashMap<&'static str, u16>,
    /// Watches get their answer's head and then end, perhaps with an error.
    ending: Option<Option<u16>>,
    /// A 410 is the answer to the request itself, not an event.
    refuses_old_versions: bool,
    page: Option<usize>,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) verb: &'static str,
    pub(super) path: String,
    pub(super) query: HashMap<String, String>,
    pub(super) accept: String,
    pub(super) at: Instant,
}

impl FakeApi {
    pub(super) fn new() -> Self {
        let api = Self(Arc::default());
        api.lock().version = 100;
        api
    }

    pub(super) fn client(&self) -> Client {
        let api = self.clone();
        let answer = move |request: Request<kube::client::Body>| {
            let answer = api.answer(&request);
            async move { Ok::<_, Infallible>(answer) }
        };
        Client::new(service_fn(answer), "default")
    }

    /// Creates or changes an object. `fields` go beside its metadata.
    pub(super) fn put(&self, namespace: &str, name: &str, fields: Value) {
        self.put_with(namespace, name, json!({}), fields);
    }

    pub(super) fn put_with(&self, namespace: &str, name: &str, metadata: Value, fields: Value) {
        let mut state = self.lock();
        state.version += 1;
        let id = (namespace.to_owned(), name.to_owned());
        let old = state.objects.get(&id);
        let uid = old.map_or_else(|| format!("uid-{}", state.version).into(), |old| old["metadata"]["uid"].clone());
        let event = if old.is_some() { "MODIFIED" } else { "ADDED" };
        let mut object = fields;
        object["metadata"] = metadata;
        object["metadata"]["name"] = name.into();
        object["metadata"]["namespace"] = namespace.into();
        object["metadata"]["uid"] = uid;
        object["metadata"]["resourceVersion"] = state.version.to_string().into();
        object["metadata"]["managedFields"] = json!([{"manager": "me"}]);
        state.objects.insert(id, object.clone());
        state.happened(namespace, event, &object);
    }

    pub(super) fn delete(&self, namespace: &str, name: &str) {
        let mut state = self.lock();
        state.version += 1;
        let mut object = state.objects.remove(&(namespace.to_owned(), name.to_owned())).expect("there is none");
        object["metadata"]["resourceVersion"] = state.version.to_string().into();
        state.happened(namespace, "DELETED", &object);
    }

    pub(super) fn bookmark(&self) {
        let mut state = self.lock();
        state.version += 1;
        let version = state.version.to_string();
        let bookmark = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"resourceVersion": version}});
        state.send(None, &json!({"type": "BOOKMARK", "object": bookmark}));
    }

    /// All watches end.
    pub(super) fn cut(&self) {
        self.lock().open.clear();
    }

    /// What happened so far can't be watched from any more; open watches are told so.
    pub(super) fn compact(&self) {
        let mut state = self.lock();
        state.version += 1;
        state.compacted = state.version;
        state.history.clear();
        let gone = status(410, "Expired");
        state.send(None, &json!({"type": "ERROR", "object": gone}));
        state.open.clear();
    }

    /// `verb` is answered with `code` from now on.
    pub(super) fn fail(&self, verb: &'static str, code: u16) {
        self.lock().failing.insert(verb, code);
    }

    pub(super) fn mend(&self) {
        let mut state = self.lock();
        state.failing.clear();
        state.ending = None;
    }

    /// Watches end right after they were opened.
    pub(super) fn end_watches_at_once(&self) {
        self.lock().ending = Some(None);
    }

    /// Watches end right after they were opened, with this error.
    pub(super) fn end_watches_with(&self, code: u16) {
        self.lock().ending = Some(Some(code));
    }

    pub(super) fn refuse_old_versions(&self) {
        self.lock().refuses_old_versions = true;
    }

    pub(super) fn pages_of(&self, size: usize) {
        self.lock().page = Some(size);
    }

    pub(super) fn seen(&self, verb: &str) -> Vec<Seen> {
        self.lock().requests.iter().filter(|seen| seen.verb == verb).cloned().collect()
    }

    pub(super) fn open_watches(&self) -> usize {
        self.lock().open.iter().filter(|(_, watch)| !watch.is_closed()).count()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn answer(&self, request: &Request<kube::client::Body>) -> Response<Body> {
        let mut state = self.lock();
        let seen = Seen::of(request);
        let namespace = seen.path.split_once("/namespaces/").and_then(|(_, rest)| rest.split('/').next());
        let namespace = namespace.map(str::to_owned);
        state.requests.push(seen.clone());
        if let Some(code) = state.failing.get(seen.verb) {
            return json(*code, &status(*code, "NotToday"));
        }
        match seen.verb {
            "list" => state.list(&seen, namespace.as_deref()),
            _ => state.watch(&seen, namespace),
        }
    }
}

impl State {
    fn happened(&mut self, namespace: &str, event: &str, object: &Value) {
        let event = json!({"type": event, "object": object});
        self.send(Some(namespace), &event);
        self.history.push((self.version, namespace.to_owned(), event));
    }

    fn send(&self, namespace: Option<&str>, event: &Value) {
        for (of, watch) in &self.open {
            if namespace.is_none() || of.is_none() || of.as_deref() == namespace {
                let _gone = watch.unbounded_send(Ok(line(event)));
            }
        }
    }

    fn list(&self, seen: &Seen, namespace: Option<&str>) -> Response<Body> {
        let all: Vec<&Value> =
            self.objects.iter().filter(|((of, _), _)| namespace.is_none_or(|it| of == it)).map(|(_, it)| it).collect();
        let from = seen.query.get("continue").map_or(0, |from| from.parse().unwrap());
        let to = self.page.map_or(all.len(), |size| all.len().min(from + size));
        let more = if to < all.len() { to.to_string() } else { String::new() };
        let metadata = json!({"resourceVersion": self.version.to_string(), "continue": more});
        json(200, &json!({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": all[from..to]}))
    }

    fn watch(&mut self, seen: &Seen, namespace: Option<String>) -> Response<Body> {
        let from: u64 = seen.query["resourceVersion"].parse().unwrap();
        if from < self.compacted && self.refuses_old_versions {
            return json(410, &status(410, "Expired"));
        }
        let (watch, lines) = unbounded();
        let error = if from < self.compacted { Some(Some(410)) } else { self.ending };
        if let Some(error) = error {
            if let Some(code) = error {
                let error = json!({"type": "ERROR", "object": status(code, "NotToday")});
                watch.unbounded_send(Ok(line(&error))).unwrap();
            }
        } else {
            for (version, of, event) in &self.history {
                if *version > from && namespace.as_ref().is_none_or(|it| it == of) {
                    watch.unbounded_send(Ok(line(event))).unwrap();
                }
            }
            self.open.push((namespace, watch));
        }
        Response::new(Body::from_stream(lines))
    }
}

impl Seen {
    fn of(request: &Request<kube::client::Body>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let query: HashMap<_, _> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self {
            verb: if query.contains_key("watch") { "watch" } else { "list" },
            path: request.uri().path().to_owned(),
            query,
            accept: request.headers().get("accept").map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default(),
            at: Instant::now(),
        }
    }
}

/// Lets everything happen that needs no time to speak of.
pub(super) async fn settle() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "so it is",
        "reason": reason, "code": code})
}

fn json(code: u16, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

fn line(event: &Value) -> Bytes {
    Bytes::from(format!("{event}\n"))
}
