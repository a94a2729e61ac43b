use kubeops::prelude::*;

#[derive(Controller)]
struct ConfigMapController {
    client: Client,
}

fn main() {}
