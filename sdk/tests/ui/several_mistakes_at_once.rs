use kubeops::prelude::*;

#[derive(Controller)]
#[controller(entitty = ConfigMap, finalizer = "cleanup", name = "Config Maps", concurrency = 0, watches(Node))]
struct ConfigMapController<T> {
    client: T,
}

fn main() {}
