use kubeops::prelude::*;

#[derive(Controller)]
#[controller(
    entity = ConfigMap,
    rbac(groups = "apps/v1", resources = "deployments", verbs = "get"),
    rbac(groups = ["core"], resources = ["Pods", "pods/"], verbs = ["get", "lst"]),
    rbac(resources = [], verbs = get, names = ["a/b"]),
    rbac(groups = "apps", verbs = "get"),
    rbac(resources = "pods", verbs = "get", cluster = 3)
)]
struct ConfigMapController;

fn main() {}
