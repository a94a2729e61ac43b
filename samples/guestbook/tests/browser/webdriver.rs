//! As much of [WebDriver](https://www.w3.org/TR/webdriver2/) as these tests need. The crates for it bring a crate under the MPL, or
//! make serde_json keep the order of keys in whatever is built beside them.

use http::Request;
use kube::{Client, Config};
use serde_json::{Value, json};

/// One session of a driver at a port of this machine.
pub(crate) struct WebDriver {
    client: Client,
    session: String,
}

impl WebDriver {
    pub(crate) async fn connect(port: u16, capabilities: &Value) -> Self {
        let url = format!("http://127.0.0.1:{port}").parse().expect("a URL");
        // Any client for JSON over HTTP will do.
        let client = Client::try_from(Config::new(url)).expect("a client");
        let mut driver = Self { client, session: "/session".to_owned() };
        let session = driver.send("", &json!({ "capabilities": { "alwaysMatch": capabilities } })).await;
        driver.session = format!("/session/{}", session["sessionId"].as_str().expect("a session"));
        driver
    }

    /// A command of the session, by its path.
    pub(crate) async fn post(&self, command: &str, parameters: &Value) -> Value {
        self.send(&format!("/{command}"), parameters).await
    }

    /// A command of the [DevTools protocol](https://chromedevtools.github.io/devtools-protocol/).
    pub(crate) async fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await
    }

    async fn send(&self, path: &str, parameters: &Value) -> Value {
        let request = Request::post(format!("{}{path}", self.session)).header("content-type", "application/json");
        let request = request.body(parameters.to_string().into_bytes()).expect("a request");
        let answer: Result<Value, _> = self.client.request(request).await;
        answer.unwrap_or_else(|error| panic!("{path} {parameters}: {error}"))["value"].take()
    }
}
