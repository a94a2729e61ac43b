use kubeops::prelude::*;

#[derive(Controller)]
#[controller(entity = ConfigMap)]
enum ConfigMapController {
    One(Client),
}

fn main() {}
