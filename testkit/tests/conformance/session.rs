//! A case's conversation with one side, written down as it goes.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::{Response, header};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::ask::Ask;
use crate::case::Case;
use crate::harness::Side;
use crate::kubectl::{Running, Shell};
use crate::normal::Step;

/// A request that gets no answer at all within this time fails.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A case's conversation with one side.
pub(crate) struct Session {
    client: Client,
    patience: Duration,
    namespace: String,
    steps: Vec<Step>,
    /// Whether `managedFields` are a matter of this case.
    pub(crate) compares_managers: bool,
    shell: Option<Shell>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) body: Value,
    /// The server's time, as the header tells it.
    pub(crate) date: String,
}

/// A watch that is open, or was refused: then it is silent.
pub(crate) struct Watch {
    bytes: BoxStream<'static, Bytes>,
    read: Vec<u8>,
}

impl Answer {
    /// Empty if there is none.
    pub(crate) fn version(&self) -> &str {
        self.body["metadata"]["resourceVersion"].as_str().unwrap_or_default()
    }

    pub(crate) fn uid(&self) -> &str {
        self.body["metadata"]["uid"].as_str().unwrap_or_default()
    }
}

impl Session {
    /// Starts in a namespace of the case's own.
    pub(crate) async fn start(side: &Side, case: &Case) -> Self {
        let namespace = namespace_of(case);
        let Side { client, patience, kubectl } = side;
        let shell = kubectl.as_ref().map(|kubectl| Shell::new(kubectl, &namespace));
        let mut session = Self {
            client: client.clone(),
            patience: *patience,
            namespace,
            steps: Vec::new(),
            compares_managers: false,
            shell,
        };
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "$ns"}});
        session.post("/api/v1/namespaces", namespace).await;
        // Kept only if it went wrong: then everything else will, too.
        session.steps.retain(|step| step.told["code"] != 201);
        session
    }

    pub(crate) fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    pub(crate) async fn get(&mut self, path: impl AsRef<str>) -> Answer {
        self.ask(Ask::get(path)).await
    }

    pub(crate) async fn post(&mut self, path: impl AsRef<str>, body: Value) -> Answer {
        self.ask(Ask::new("POST", path).json(&body)).await
    }

    pub(crate) async fn put(&mut self, path: impl AsRef<str>, body: Value) -> Answer {
        self.ask(Ask::new("PUT", path).json(&body)).await
    }

    pub(crate) async fn delete(&mut self, path: impl AsRef<str>) -> Answer {
        self.ask(Ask::new("DELETE", path)).await
    }

    /// A delete with `DeleteOptions`.
    pub(crate) async fn delete_with(&mut self, path: impl AsRef<str>, options: Value) -> Answer {
        self.ask(Ask::new("DELETE", path).json(&options)).await
    }

    pub(crate) async fn merge(&mut self, path: impl AsRef<str>, patch: Value) -> Answer {
        self.ask(Ask::new("PATCH", path).text("application/merge-patch+json", &patch.to_string())).await
    }

    pub(crate) async fn json_patch(&mut self, path: impl AsRef<str>, patch: Value) -> Answer {
        self.ask(Ask::new("PATCH", path).text("application/json-patch+json", &patch.to_string())).await
    }

    /// A server-side apply; the query says by whom.
    pub(crate) async fn apply(&mut self, path: impl AsRef<str>, object: Value) -> Answer {
        self.ask(Ask::new("PATCH", path).text("application/apply-patch+yaml", &object.to_string())).await
    }

    pub(crate) async fn ask(&mut self, ask: Ask) -> Answer {
        let mut date = String::new();
        let (told, body) = match self.send(&ask).await {
            Ok(response) => {
                let said = response.headers().get(header::DATE).and_then(|date| date.to_str().ok());
                said.unwrap_or_default().clone_into(&mut date);
                self.read(response).await
            }
            Err(failed) => (json!({ "failed": failed }), Value::Null),
        };
        self.steps.push(Step { what: ask.title(), told });
        Answer { body, date }
    }

    /// What the case itself makes of an answer, where the answer cannot be compared as it is.
    pub(crate) fn note(&mut self, what: &str, told: impl Into<Value>) {
        self.steps.push(Step { what: what.to_owned(), told: json!({"noted": told.into()}) });
    }

    /// Opens a watch. What is refused stands in the transcript.
    pub(crate) async fn watch(&mut self, path: impl AsRef<str>) -> Watch {
        self.watch_ask(Ask::get(path)).await
    }

    pub(crate) async fn watch_ask(&mut self, ask: Ask) -> Watch {
        let (told, bytes) = match self.send(&ask).await {
            Ok(response) if response.status() == 200 => {
                let stream = response.into_body().into_data_stream().filter_map(async |part| part.ok()).boxed();
                (json!({"code": 200}), stream)
            }
            Ok(response) => (self.read(response).await.0, futures::stream::pending().boxed()),
            Err(failed) => (json!({ "failed": failed }), futures::stream::pending().boxed()),
        };
        self.steps.push(Step { what: ask.title(), told });
        Watch { bytes, read: Vec::new() }
    }

    /// The next event.
    pub(crate) async fn event(&mut self, watch: &mut Watch) -> Value {
        let event = match timeout(self.patience, watch.line()).await {
            Ok(Some(line)) => serde_json::from_slice(&line).unwrap_or_else(|_| String::from_utf8_lossy(&line).into()),
            Ok(None) => json!({"watch": "ended"}),
            Err(_) => json!({"watch": "silent"}),
        };
        self.steps.push(Step { what: "event".to_owned(), told: event.clone() });
        event
    }

    /// All events up to one of the object of this name, or up to the end.
    pub(crate) async fn events_until(&mut self, watch: &mut Watch, name: &str) {
        loop {
            let event = self.event(watch).await;
            if event["watch"].is_string() || event["object"]["metadata"]["name"] == name {
                return;
            }
        }
    }

    /// Waits until the watch has ended, longer than for an event.
    pub(crate) async fn end_of(&mut self, watch: &mut Watch) {
        const END_WITHIN: Duration = Duration::from_secs(10);
        let told = match timeout(END_WITHIN, watch.line()).await {
            Ok(None) => json!({"watch": "ended"}),
            Ok(Some(line)) => String::from_utf8_lossy(&line).into(),
            Err(_) => json!({"watch": "silent"}),
        };
        self.steps.push(Step { what: "the end".to_owned(), told });
    }

    /// Registers a CRD, and waits until what it defines can be listed; only the list stands in the transcript.
    pub(crate) async fn install(&mut self, crd: Value) {
        let version = crd["spec"]["versions"][0]["name"].as_str().unwrap_or_default().to_owned();
        let plural = crd["spec"]["names"]["plural"].as_str().unwrap_or_default().to_owned();
        let start = self.steps.len();
        self.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd).await;
        if self.steps.last().is_some_and(|step| step.told["code"] == 201) {
            self.steps.truncate(start);
        }
        self.until(format!("/apis/$ns.example.com/{version}/{plural}"), 200).await;
    }

    /// Asks until the answer has `code`, as long as patience lasts. Only the last answer stands in the transcript.
    pub(crate) async fn until(&mut self, path: impl AsRef<str>, code: u16) -> Answer {
        self.again(&Ask::get(path), |told| told["code"] == code).await
    }

    /// Asks until the object is as wished, as long as patience lasts. Only the last answer stands in the transcript.
    pub(crate) async fn until_it_is(&mut self, path: impl AsRef<str>, wished: impl Fn(&Value) -> bool) -> Answer {
        self.again(&Ask::get(path), |told| wished(&told["body"])).await
    }

    /// Posts until the answer is as wished, as long as patience lasts. Only the last answer stands in the transcript.
    pub(crate) async fn until_made(&mut self, path: &str, body: Value, wished: impl Fn(&Value) -> bool) -> Answer {
        self.again(&Ask::new("POST", path).json(&body), |told| wished(&told["body"])).await
    }

    async fn again(&mut self, ask: &Ask, wished: impl Fn(&Value) -> bool) -> Answer {
        /// The real server's controllers work for seconds; each look costs it little.
        const LOOK_AGAIN: Duration = Duration::from_millis(50);
        let start = tokio::time::Instant::now();
        loop {
            let answer = self.ask(ask.clone()).await;
            if self.steps.last().is_some_and(|step| wished(&step.told)) || start.elapsed() > self.patience {
                return answer;
            }
            self.steps.pop();
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Runs kubectl to its end.
    pub(crate) async fn kubectl(&mut self, words: &[&str]) {
        self.kubectl_with(words, "").await;
    }

    /// As [`kubectl`](Self::kubectl), with what it finds at `-f -`.
    pub(crate) async fn kubectl_with(&mut self, words: &[&str], input: &str) {
        let running = self.kubectl_start(words, input).await;
        self.kubectl_end(running).await;
    }

    /// Runs kubectl again until it ends well, as long as patience lasts. Only the last run stands in the transcript.
    pub(crate) async fn kubectl_until(&mut self, words: &[&str]) {
        let start = tokio::time::Instant::now();
        loop {
            self.kubectl(words).await;
            if self.steps.last().is_some_and(|step| step.told["exit"] == 0) || start.elapsed() > self.patience {
                return;
            }
            self.steps.pop();
        }
    }

    /// Starts what is to go on.
    pub(crate) async fn kubectl_start(&self, words: &[&str], input: &str) -> Running {
        let shell = self.shell.as_ref().expect("the topics of cases with kubectl begin with its name");
        shell.start(words, input).await
    }

    /// The next line of its output.
    pub(crate) async fn kubectl_line(&mut self, running: &mut Running) {
        let line = timeout(ANSWER_WITHIN, running.line()).await;
        let told = line.unwrap_or_else(|_| json!({"kubectl": "silent"}));
        self.steps.push(Step { what: running.title.clone(), told });
    }

    pub(crate) async fn kubectl_end(&mut self, running: Running) {
        let what = running.title.clone();
        let told = timeout(ANSWER_WITHIN, running.end()).await;
        let told = told.unwrap_or_else(|_| json!({"kubectl": "goes on and on"}));
        self.steps.push(Step { what, told });
    }

    async fn send(&self, ask: &Ask) -> Result<Response<Body>, String> {
        let request = ask.request(&self.namespace).map_err(|error| error.to_string())?;
        match timeout(ANSWER_WITHIN, self.client.send(request)).await {
            Ok(response) => response.map_err(|error| error.to_string()),
            Err(_) => Err("no answer".to_owned()),
        }
    }

    /// Everything of an answer that a client may look at.
    async fn read(&self, response: Response<Body>) -> (Value, Value) {
        let (parts, body) = response.into_parts();
        // What should have been refused may be a watch's endless stream.
        let text = match timeout(self.patience, body.collect_bytes()).await {
            Ok(bytes) => String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned(),
            Err(_) => "never whole".to_owned(),
        };
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        let texts = |name: header::HeaderName| -> Vec<String> {
            parts
                .headers
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect()
        };
        let told = json!({
            "code": parts.status.as_u16(),
            "type": texts(header::CONTENT_TYPE),
            "warning": texts(header::WARNING),
            "dated": parts.headers.contains_key(header::DATE),
            "body": body.clone(),
        });
        (told, body)
    }
}

impl Watch {
    async fn line(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let rest = self.read.split_off(end + 1);
                return Some(std::mem::replace(&mut self.read, rest));
            }
            self.read.extend_from_slice(&self.bytes.next().await?);
        }
    }
}

/// The same on both sides, so that it need not be told apart in what they say.
fn namespace_of(case: &Case) -> String {
    /// A name is a label's value, too, of at most 63 letters; some cases append to it.
    const LONGEST: usize = 60;
    let mut name = format!("{}-{}", case.topic, case.name).replace([' ', '_'], "-");
    name.truncate(LONGEST);
    name.trim_end_matches('-').to_owned()
}
