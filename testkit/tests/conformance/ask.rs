//! One HTTP request, as a case writes it.

use http::Request;
use kube::client::Body;
use serde_json::Value;

/// The case's own namespace, in paths and bodies.
pub(crate) const NAMESPACE: &str = "$ns";

/// One request. `$ns` in its path and body stands for the namespace of the case.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Ask {
    pub(crate) fn new(method: &'static str, path: impl AsRef<str>) -> Self {
        // Without it, who wrote would be named after the client library in `managedFields`.
        let headers = vec![("user-agent", "conformance/1".to_owned()), ("accept", "application/json".to_owned())];
        Self { method, path: path.as_ref().to_owned(), headers, body: String::new() }
    }

    pub(crate) fn get(path: impl AsRef<str>) -> Self {
        Self::new("GET", path)
    }

    /// `value` is percent-encoded.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        // The placeholder stays one.
        let value = value.replace("%24ns", NAMESPACE);
        let mark = if self.path.contains('?') { '&' } else { '?' };
        self.path = format!("{}{mark}{name}={value}", self.path);
        self
    }

    /// Sets a header, in place of what stood there.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text("application/json", &body.to_string())
    }

    pub(crate) fn text(mut self, media: &str, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self.header("content-type", media)
    }

    /// As it is shown.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(crate) fn request(&self, namespace: &str) -> Result<Request<Body>, http::Error> {
        let mut request = Request::builder().method(self.method).uri(self.path.replace(NAMESPACE, namespace));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(Body::from(self.body.replace(NAMESPACE, namespace).into_bytes()))
    }
}
