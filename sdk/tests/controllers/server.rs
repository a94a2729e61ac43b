//! An API server in memory: as much of one as controllers can tell apart from a real one.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::channel::mpsc::{UnboundedSender, unbounded};
use http::{Method, Request, Response, StatusCode};
use kube::Client;
use serde_json::{Value, json};
use tower::service_fn;

/// Cheap to clone; clones are the same server.
#[derive(Clone)]
pub(crate) struct Server(Arc<Mutex<State>>);

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Value,
}

#[derive(Default)]
struct State {
    version: u64,
    objects: BTreeMap<Id, Value>,
    watches: Vec<(String, UnboundedSender<Result<Bytes, Infallible>>)>,
    /// Events that wait until watches are let go on.
    held: Option<Vec<(String, Value)>>,
    seen: Vec<Seen>,
    before_write: Vec<BeforeWrite>,
}

/// Happens before the next write, as if somebody else had been faster.
type BeforeWrite = Box<dyn FnOnce(&Server) + Send>;

/// Plural, namespace, name.
type Id = (String, String, String);

/// Where a request goes.
struct Target {
    id: Id,
    status: bool,
}

impl Server {
    pub(crate) fn start() -> Self {
        let server = Self(Arc::default());
        server.lock().version = 100;
        server
    }

    pub(crate) fn client(&self) -> Client {
        let server = self.clone();
        let answer = move |request: Request<kube::client::Body>| {
            let server = server.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                let kind = parts.headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
                let seen = Seen {
                    method: parts.method,
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    body,
                };
                Ok::<_, Infallible>(server.answer(seen, kind.as_deref().unwrap_or_default()))
            }
        };
        Client::new(service_fn(answer), "default")
    }

    /// Creates an object, or replaces what it says.
    pub(crate) fn put(&self, plural: &str, name: &str, object: Value) {
        let id = (plural.to_owned(), "default".to_owned(), name.to_owned());
        let mut state = self.lock();
        let mut new = state.objects.get(&id).cloned().unwrap_or_else(|| json!({ "metadata": {} }));
        json_patch::merge(&mut new, &object);
        state.write(id, new);
    }

    pub(crate) fn get(&self, plural: &str, name: &str) -> Option<Value> {
        self.lock().objects.get(&(plural.to_owned(), "default".to_owned(), name.to_owned())).cloned()
    }

    pub(crate) fn delete(&self, plural: &str, name: &str) {
        let id = (plural.to_owned(), "default".to_owned(), name.to_owned());
        let mut state = self.lock();
        let mut object = state.objects.get(&id).cloned().expect("there is none");
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        state.write(id, object);
    }

    /// Does this before the next write is answered.
    pub(crate) fn before_next_write(&self, act: impl FnOnce(&Self) + Send + 'static) {
        self.lock().before_write.push(Box::new(act));
    }

    /// Watches tell nothing until [`Server::let_watches_go`].
    pub(crate) fn hold_watches(&self) {
        self.lock().held = Some(Vec::new());
    }

    pub(crate) fn let_watches_go(&self) {
        let mut state = self.lock();
        for (plural, event) in state.held.take().unwrap_or_default() {
            state.tell(&plural, event);
        }
    }

    /// The writes so far, as `PATCH shops/a` or `PATCH shops/a/status`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let tell = |seen: &Seen| {
            let path = seen.path.split_once("/namespaces/default/").map_or(seen.path.as_str(), |(_, path)| path);
            format!("{} {path}", seen.method)
        };
        self.lock().seen.iter().filter(|seen| seen.method != Method::GET).map(tell).collect()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn answer(&self, seen: Seen, patch: &str) -> Response<Body> {
        self.lock().seen.push(seen.clone());
        if seen.method != Method::GET {
            let before = std::mem::take(&mut self.lock().before_write);
            before.into_iter().for_each(|act| act(self));
        }
        let mut state = self.lock();
        let Target { id, status } = Target::of(&seen.path);
        if id.2.is_empty() && seen.method == Method::GET {
            return if seen.query.contains("watch=true") { state.watch(&id.0) } else { state.list(&id.0) };
        }
        let answered = match seen.method {
            Method::GET => state.objects.get(&id).cloned().ok_or((404, "NotFound")),
            Method::POST => state.create(id, seen.body),
            _ => state.patch(id, status, patch, seen.body),
        };
        match answered {
            Ok(object) => response(200, &object),
            Err((code, reason)) => response(
                code,
                &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": reason,
                    "reason": reason, "code": code}),
            ),
        }
    }
}

impl State {
    fn list(&self, plural: &str) -> Response<Body> {
        let items: Vec<_> =
            self.objects.iter().filter(|((of, ..), _)| of == plural).map(|(_, object)| object).collect();
        let metadata = json!({ "resourceVersion": self.version.to_string() });
        response(200, &json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items}))
    }

    fn watch(&mut self, plural: &str) -> Response<Body> {
        let (lines, body) = unbounded();
        self.watches.push((plural.to_owned(), lines));
        Response::new(Body::from_stream(body))
    }

    fn create(&mut self, (plural, namespace, _): Id, object: Value) -> Result<Value, (u16, &'static str)> {
        let name = object["metadata"]["name"].as_str().expect("no name").to_owned();
        let id = (plural, namespace, name);
        if self.objects.contains_key(&id) {
            return Err((409, "AlreadyExists"));
        }
        Ok(self.write(id, object))
    }

    fn patch(&mut self, id: Id, status: bool, kind: &str, patch: Value) -> Result<Value, (u16, &'static str)> {
        let old = self.objects.get(&id).cloned();
        let mut new = match (&old, kind) {
            (Some(old), _) => old.clone(),
            (None, "application/apply-patch+yaml") => json!({ "metadata": {} }),
            (None, _) => return Err((404, "NotFound")),
        };
        if kind == "application/json-patch+json" {
            // A test for null passes where there is nothing.
            let metadata = new["metadata"].as_object_mut().unwrap();
            metadata.entry("finalizers").or_insert(Value::Null);
            let patch: json_patch::Patch = serde_json::from_value(patch).unwrap();
            json_patch::patch(&mut new, &patch).map_err(|_| (422, "Invalid"))?;
            if new["metadata"]["finalizers"].is_null() {
                new["metadata"].as_object_mut().unwrap().remove("finalizers");
            }
        } else {
            let version = &patch["metadata"]["resourceVersion"];
            if !version.is_null() && *version != new["metadata"]["resourceVersion"] {
                return Err((409, "Conflict"));
            }
            json_patch::merge(&mut new, &patch);
        }
        if let Some(old) = &old {
            let kept = if status { "spec" } else { "status" };
            match old.get(kept) {
                Some(part) => new[kept] = part.clone(),
                None => drop(new.as_object_mut().unwrap().remove(kept)),
            }
        }
        Ok(self.write(id, new))
    }

    fn write(&mut self, id: Id, mut new: Value) -> Value {
        let old = self.objects.get(&id).cloned();
        if old.as_ref() == Some(&new) {
            return new;
        }
        self.version += 1;
        let (plural, namespace, name) = id.clone();
        let metadata = &mut new["metadata"];
        metadata["namespace"] = namespace.into();
        metadata["name"] = name.into();
        metadata["resourceVersion"] = self.version.to_string().into();
        if metadata["uid"].is_null() {
            metadata["uid"] = format!("uid-{}", self.version).into();
        }
        let generation = old.as_ref().map_or(0, |old| old["metadata"]["generation"].as_u64().unwrap());
        let same_spec = old.as_ref().is_some_and(|old| old["spec"] == new["spec"]);
        new["metadata"]["generation"] = (generation + u64::from(!same_spec)).into();
        let is_held = new["metadata"]["finalizers"].as_array().is_some_and(|names| !names.is_empty());
        let event = if !new["metadata"]["deletionTimestamp"].is_null() && !is_held {
            self.objects.remove(&id);
            "DELETED"
        } else {
            self.objects.insert(id, new.clone());
            if old.is_some() { "MODIFIED" } else { "ADDED" }
        };
        self.tell(&plural, json!({ "type": event, "object": new }));
        new
    }

    fn tell(&mut self, plural: &str, event: Value) {
        if let Some(held) = &mut self.held {
            held.push((plural.to_owned(), event));
            return;
        }
        for (_, watch) in self.watches.iter().filter(|(of, _)| of == plural) {
            let _closed = watch.unbounded_send(Ok(Bytes::from(format!("{event}\n"))));
        }
    }
}

impl Target {
    /// `/apis/example.com/v1/namespaces/default/shops/a/status`
    fn of(path: &str) -> Self {
        let group = if path.starts_with("/api/") { 2 } else { 3 };
        let mut parts = path.split('/').skip(1 + group).peekable();
        let mut namespace = String::new();
        if parts.next_if_eq(&"namespaces").is_some() {
            namespace = parts.next().unwrap_or_default().to_owned();
        }
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (plural, name, subresource) = (next(), next(), next());
        Self { id: (plural, namespace, name), status: subresource == "status" }
    }
}

/// Lets everything happen that needs no time to speak of.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

fn response(code: u16, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}
