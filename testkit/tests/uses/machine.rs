//! A kind of the uses' own.

use kube::CustomResource;
use kube::api::ObjectMeta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "uses.example.com",
    version = "v1",
    kind = "Machine",
    namespaced,
    status = "MachineStatus",
    shortname = "mc",
    derive = "PartialEq",
    scale(spec_replicas_path = ".spec.wheels", status_replicas_path = ".status.turning")
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MachineSpec {
    #[schemars(length(min = 1))]
    pub(crate) label: String,
    #[serde(default = "four")]
    #[schemars(range(min = 0, max = 18))]
    pub(crate) wheels: i32,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MachineStatus {
    #[serde(default)]
    pub(crate) turning: i32,
}

const fn four() -> i32 {
    4
}

pub(crate) fn machine(name: &str) -> Machine {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    Machine { metadata, spec: MachineSpec { label: format!("the {name}"), wheels: 4 }, status: None }
}
