use k8s_openapi::api::core::v1::ConfigMap;
use kubeops::prelude::*;

#[derive(Controller)]
#[controller(entity = ConfigMap)]
struct ConfigMapController;

fn main() {}
