use k8s_openapi::api::core::v1::ConfigMap;
use kubeops::prelude::*;

#[derive(Clone, State)]
struct AppState {
    first: String,
    second: String,
    #[state(skipp)]
    third: u32,
}

fn main() {}
