//! A cluster in memory, and somebody who changes what is cached from it.

use std::time::Duration;

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::ApiResource;
use kube::{Client, CustomResource, Resource};
use kubeops_testkit::cluster::{ApiService, Fault, Faults};
use kubeops_testkit::{AuditEvent, Cluster};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Whose caches are tested.
const CACHES: &str = "caches";
const SOMEBODY: &str = "somebody";

/// What the caches hold.
#[derive(CustomResource, Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[kube(group = "example.com", version = "v1", kind = "Note", namespaced)]
pub(super) struct NoteSpec {
    /// Of its type the server knows nothing.
    #[schemars(schema_with = "anything")]
    pub(super) v: String,
}

fn anything(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}

/// Cheap to clone; clones are the same cluster.
#[derive(Clone)]
pub(super) struct Scene(pub(super) Cluster);

impl Scene {
    /// With the namespaces and the kind that tests use.
    pub(super) async fn start() -> Self {
        let scene = Self::start_bare().await;
        scene.0.install::<Note>().await;
        scene
    }

    /// Without the kind.
    pub(super) async fn start_bare() -> Self {
        let cluster = Cluster::start().await;
        for name in ["one", "two", "three"] {
            cluster.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}")).await;
        }
        Self(cluster)
    }

    pub(super) fn client(&self) -> Client {
        self.0.client(CACHES)
    }

    /// What the caches' client talks to.
    pub(super) fn service(&self) -> ApiService {
        self.0.service(CACHES)
    }

    /// Creates a note, or changes it.
    pub(super) async fn put(&self, namespace: &str, name: &str, fields: Value) {
        self.apply::<Note>(namespace, name, fields).await;
    }

    pub(super) async fn delete(&self, namespace: &str, name: &str) {
        self.api::<Note>(namespace).delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Creates an object, or makes it what these fields say; everything else that was said before goes.
    pub(super) async fn apply<K: Resource<DynamicType = ()>>(&self, namespace: &str, name: &str, mut fields: Value) {
        fields["apiVersion"] = K::api_version(&()).into();
        fields["kind"] = K::kind(&()).into();
        fields["metadata"]["name"] = name.into();
        let says = Patch::Apply(fields);
        self.api::<K>(namespace).patch(name, &PatchParams::apply(SOMEBODY).force(), &says).await.unwrap();
    }

    pub(super) fn api<K: Resource<DynamicType = ()>>(&self, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.0.client(SOMEBODY), namespace, &ApiResource::erase::<K>(&()))
    }

    pub(super) fn faults(&self) -> Faults {
        self.0.faults(CACHES)
    }

    /// The caches' watches end in good order.
    pub(super) fn cut(&self) {
        self.faults().end_watches();
    }

    /// The caches' requests of this verb are refused from now on.
    pub(super) fn fail(&self, verb: &'static str, code: u16) {
        self.strike(verb, Fault::Refuse { code, retry_after: None });
    }

    /// The caches' requests of this verb meet this from now on.
    pub(super) fn strike(&self, verb: &'static str, fault: Fault) {
        self.faults().when(move |request| request.verb == verb, None, fault);
    }

    pub(super) fn mend(&self) {
        self.faults().mend();
    }

    /// The caches' requests of this verb.
    pub(super) fn seen(&self, verb: &str) -> Vec<AuditEvent> {
        let mut requests = self.0.requests();
        requests.retain(|request| request.user == CACHES && request.verb == verb);
        requests
    }

    pub(super) fn open_watches(&self) -> usize {
        self.seen("watch").iter().filter(|watch| watch.code == Some(200) && watch.completed.is_none()).count()
    }
}

/// What a request says in its query, as it stands there.
pub(super) fn asked<'a>(request: &'a AuditEvent, name: &str) -> &'a str {
    let query = request.uri.split_once('?').map_or("", |(_, query)| query);
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value)).unwrap_or_default()
}

/// Metadata beside which there is nothing.
pub(super) fn metadata(metadata: &Value) -> Value {
    json!({ "metadata": metadata })
}

/// Lets everything happen that needs no time to speak of.
pub(super) async fn settle() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}
