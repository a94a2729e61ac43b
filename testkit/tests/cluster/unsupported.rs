//! What the in-memory cluster does not do, and says so.

use http::Request;
use kube::Client;
use kube::client::Body;
use kubeops_testkit::Cluster;
use serde_json::{Value, json};

/// The message of the 501 that this gets.
async fn refusal(client: &Client, method: &str, path: &str, body: &Value) -> String {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let response = client.send(request.body(Body::from(body.to_string().into_bytes())).unwrap()).await.unwrap();
    let code = response.status();
    let status: Value = serde_json::from_slice(&response.into_body().collect_bytes().await.unwrap()).unwrap();
    assert_eq!((code.as_u16(), &status["reason"]), (501, &json!("NotImplemented")), "{status}");
    status["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn what_is_not_simulated_is_refused_by_its_name() {
    let cluster = Cluster::start().await;
    let client = cluster.client("a");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": []}});
    let create = Request::post("/api/v1/namespaces/default/pods").header("content-type", "application/json");
    client.send(create.body(Body::from(pod.to_string().into_bytes())).unwrap()).await.unwrap();
    let x = "/api/v1/namespaces/default/pods/x";
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "x"}});
    let scalers = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
    for (method, path, body, named) in [
        ("POST", format!("{x}/eviction"), json!({"kind": "Eviction"}), "pods/eviction"),
        ("GET", format!("{x}/log"), Value::Null, "pods/log"),
        ("PUT", format!("{x}/ephemeralcontainers"), pod.clone(), "pods/ephemeralcontainers"),
        ("POST", "/apis/authentication.k8s.io/v1/tokenreviews".to_owned(), review, "tokenreviews"),
        ("GET", scalers.to_owned(), Value::Null, "autoscaling/v2"),
        ("GET", format!("{scalers}?watch=true"), Value::Null, "autoscaling/v2"),
    ] {
        let message = refusal(&client, method, &path, &body).await;
        assert!(message.contains(named), "{method} {path}: {message}");
    }
}
