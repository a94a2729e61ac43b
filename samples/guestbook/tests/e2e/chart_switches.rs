//! What the chart brings when it is asked to, and how that fits the pods: ServiceMonitor, NetworkPolicy, PodDisruptionBudget.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Container, Service};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::Api;
use serde_json::{Value, json};

use crate::harness::{Cluster, DEMO};

type Labels = BTreeMap<String, String>;

const SWITCHES: [&str; 4] = [
    "metrics.serviceMonitor.enabled=true",
    "metrics.serviceMonitor.labels.release=prometheus",
    "networkPolicy.enabled=true",
    "networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.team=monitoring",
];

/// Of the Prometheus operator's CRD what charts use, in its shape: what is not there is unknown, and refused.
fn service_monitors() -> Value {
    let labels = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let endpoint = json!({ "type": "object", "properties": {
        "interval": { "type": "string", "pattern": "^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$" },
        "path": { "type": "string" },
        "port": { "type": "string" },
    } });
    let spec = json!({ "type": "object", "required": ["endpoints", "selector"], "properties": {
        "endpoints": { "type": "array", "items": endpoint },
        "selector": { "type": "object", "properties": { "matchLabels": labels } },
    } });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "servicemonitors.monitoring.coreos.com" },
        "spec": {
            "group": "monitoring.coreos.com",
            "scope": "Namespaced",
            "names": { "kind": "ServiceMonitor", "plural": "servicemonitors" },
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": {
                    "type": "object", "required": ["spec"], "properties": { "spec": spec },
                } },
            }],
        },
    })
}

async fn install_service_monitors(cluster: &Cluster) {
    let file = cluster.directory().join("servicemonitors.json");
    std::fs::write(&file, service_monitors().to_string()).expect("write");
    cluster.kubectl(&["apply", "--filename", file.to_str().expect("UTF-8")]).await;
    cluster.kubectl(&["wait", "--for=condition=Established", "crd/servicemonitors.monitoring.coreos.com"]).await;
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Option<&'a Value> {
    objects.iter().find(|object| object["kind"] == kind)
}

/// The server takes each object as it was rendered: no field is unknown to it.
async fn assert_strictly_valid(cluster: &Cluster, objects: &[Value]) {
    let file = cluster.directory().join("objects.json");
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    std::fs::write(&file, list.to_string()).expect("write");
    let file = file.to_str().expect("UTF-8");
    let arguments =
        ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "--filename", file];
    let told = cluster.kubectl(&arguments).await;
    assert_eq!(told.lines().count(), objects.len(), "{told}");
}

fn labels(selector: &Value) -> Labels {
    serde_json::from_value(selector.clone()).expect("labels")
}

fn container(deployment: &Deployment) -> Container {
    let pod = deployment.spec.clone().and_then(|spec| spec.template.spec).expect("a pod");
    pod.containers.into_iter().next().expect("a container")
}

fn labels_of_pods(deployment: &Deployment) -> Labels {
    let template = &deployment.spec.as_ref().expect("a spec").template;
    template.metadata.as_ref().and_then(|meta| meta.labels.clone()).expect("labels")
}

/// Whether a selector finds the pods of the operator, and not those of a guestbook that is called like the release.
fn assert_finds_the_operator_alone(selector: &Labels, operator: &Deployment, guestbook: &Deployment) {
    let finds = |pods: &Labels| selector.iter().all(|(label, value)| pods.get(label) == Some(value));
    assert!(!selector.is_empty() && finds(&labels_of_pods(operator)), "{selector:?}");
    assert!(!finds(&labels_of_pods(guestbook)), "{selector:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn what_is_switched_on_is_accepted_and_fits_the_pods() {
    let cluster = Cluster::start_bare().await;
    install_service_monitors(&cluster).await;
    let chart = cluster.chart(&[]).await;
    cluster.release(&chart, &SWITCHES).await;
    let objects = cluster.rendered(&chart, "one", &SWITCHES).await;
    assert_strictly_valid(&cluster, &objects).await;
    let operator = cluster.deployment("one", DEMO).await;
    let pod = cluster.pod_of("one", DEMO, "pod-a").await.start();
    pod.wait_ready().await;
    cluster.guestbooks.create("demo", json!({ "title": "Named like the release" })).await.expect("create");
    cluster.guestbooks.wait_settled("demo").await;
    let guestbook = cluster.guestbooks.deployments().get("demo").await.expect("the guestbook's Deployment");

    // From the ServiceMonitor to the Service, to the pod's port, to what is told there.
    let monitor = of_kind(&objects, "ServiceMonitor").expect("a ServiceMonitor");
    assert_eq!(monitor["metadata"]["labels"]["release"], "prometheus");
    let services: Api<Service> = Api::namespaced(cluster.client.clone(), "one");
    let service = services.get(&format!("{DEMO}-metrics")).await.expect("the Service");
    let wanted = labels(&monitor["spec"]["selector"]["matchLabels"]);
    let has = service.metadata.labels.clone().expect("labels");
    assert!(wanted.iter().all(|(label, value)| has.get(label) == Some(value)), "{wanted:?} of {has:?}");
    let endpoint = &monitor["spec"]["endpoints"][0];
    let spec = service.spec.expect("a spec");
    let ports = spec.ports.unwrap_or_default();
    let port = ports.iter().find(|port| port.name.as_deref() == endpoint["port"].as_str()).expect("the named port");
    let target = port.target_port.clone();
    let named = container(&operator).ports.unwrap_or_default();
    let target = named.iter().find(|port| port.name.clone().map(IntOrString::String) == target).expect("its target");
    assert_eq!(target.name.as_deref(), Some("metrics"));
    let (status, told) = pod.metrics(endpoint["path"].as_str().expect("a path")).await.expect("ask for metrics");
    assert!(status == 200 && told.contains("leader_election_master_status"), "{told}");
    assert_finds_the_operator_alone(&spec.selector.expect("a selector"), &operator, &guestbook);

    // Whom the NetworkPolicy lets in: probes from anywhere, metrics for those who were named, and no other port.
    let policy = &of_kind(&objects, "NetworkPolicy").expect("a NetworkPolicy")["spec"];
    assert_eq!(policy["policyTypes"], json!(["Ingress"]));
    let of_pod: BTreeSet<_> = named.iter().map(|port| i64::from(port.container_port)).collect();
    let let_in = policy["ingress"].as_array().expect("rules");
    let from = |rule: &Value| (rule["ports"][0]["port"].as_i64().expect("a port"), rule["from"].clone());
    let let_in: BTreeMap<_, _> = let_in.iter().map(from).collect();
    assert_eq!(let_in.keys().copied().collect::<BTreeSet<_>>(), of_pod);
    let of_metrics = json!([{ "namespaceSelector": { "matchLabels": { "team": "monitoring" } } }]);
    for (port, from) in let_in {
        let expected = if port == i64::from(target.container_port) { &of_metrics } else { &Value::Null };
        assert_eq!(from, *expected, "{port}");
    }
    assert_finds_the_operator_alone(&labels(&policy["podSelector"]["matchLabels"]), &operator, &guestbook);

    let budget = &of_kind(&objects, "PodDisruptionBudget").expect("a PodDisruptionBudget")["spec"];
    assert_eq!(budget["maxUnavailable"], 1);
    assert_finds_the_operator_alone(&labels(&budget["selector"]["matchLabels"]), &operator, &guestbook);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn what_is_not_switched_on_is_not_there() {
    let cluster = Cluster::start_bare().await;
    let chart = cluster.chart(&[]).await;
    let kinds = async |values: &[&str]| -> BTreeSet<String> {
        let objects = cluster.rendered(&chart, "default", values).await;
        assert_strictly_valid(&cluster, &objects).await;
        objects.iter().map(|object| object["kind"].as_str().expect("a kind").to_owned()).collect()
    };
    let by_default = kinds(&[]).await;
    assert!(!by_default.contains("ServiceMonitor") && !by_default.contains("NetworkPolicy"), "{by_default:?}");
    let gone = async |values: &[&str]| -> Vec<String> {
        let left = kinds(values).await;
        by_default.difference(&left).cloned().collect()
    };
    assert_eq!(gone(&["podDisruptionBudget.enabled=false"]).await, ["PodDisruptionBudget"]);
    assert_eq!(gone(&["leaderElection.flowSchema=false"]).await, ["FlowSchema"]);
    assert_eq!(gone(&["metrics.service.create=false"]).await, ["Service"]);
    assert_eq!(gone(&["appsettings.KubeOps.MetricsAddress=0"]).await, ["Service"]);
    assert_eq!(gone(&["crds.install=false"]).await, ["CustomResourceDefinition"]);
    assert_eq!(gone(&["serviceAccount.create=false"]).await, ["ServiceAccount"]);
    // Of a single pod a budget would allow every eviction, or none.
    let alone = gone(&["leaderElection.enabled=false", "deployment.replicas=1"]).await;
    assert_eq!(alone, ["FlowSchema", "PodDisruptionBudget", "Role", "RoleBinding"]);
}
