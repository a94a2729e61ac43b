//! The kind `{{ kind }}`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The condition that says whether all is as the spec wants it.
const READY: &str = "Ready";

/// What its users wish for. The CustomResourceDefinition is made from it.
#[derive(CustomResource, Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[kube(
    group = "{{ group }}",
    version = "v1",
    kind = "{{ kind }}",
    namespaced,
    status = "{{ kind }}Status",
    doc = "A page that is kept in a ConfigMap.",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct {{ kind }}Spec {
    /// Text of the page.
    #[schemars(length(min = 1, max = 1000))]
    pub(crate) message: String,
}

/// What the operator says of it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct {{ kind }}Status {
    /// The generation of the spec that the rest is about.
    pub(crate) observed_generation: Option<i64>,
    /// `Ready`: all is as the spec wants it.
    #[serde(default)]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub(crate) conditions: Vec<Condition>,
}

impl {{ kind }} {
    /// Whether its status says that all is as this generation of the spec wants it.
    pub(crate) fn is_ready(&self) -> bool {
        let generation = self.metadata.generation;
        self.ready_condition()
            .is_some_and(|ready| ready.observed_generation == generation)
    }

    /// The status when all is as the spec wants it; the one that it has, if it says so already.
    pub(crate) fn ready_status(&self, now: Timestamp) -> {{ kind }}Status {
        let since = self
            .ready_condition()
            .map(|ready| ready.last_transition_time.clone());
        let generation = self.metadata.generation;
        let ready = Condition {
            type_: READY.to_owned(),
            status: "True".to_owned(),
            reason: "Applied".to_owned(),
            message: "the page is as the spec wants it".to_owned(),
            last_transition_time: since.unwrap_or(Time(now)),
            observed_generation: generation,
        };
        {{ kind }}Status {
            observed_generation: generation,
            conditions: vec![ready],
        }
    }

    fn ready_condition(&self) -> Option<&Condition> {
        let mut conditions = self.status.iter().flat_map(|status| &status.conditions);
        conditions.find(|condition| condition.type_ == READY && condition.status == "True")
    }
}
