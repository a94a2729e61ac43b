use kubeops::prelude::*;

#[derive(Clone, State)]
struct AppState {
    first: String,
    second: String,
    #[state(skipp)]
    third: u32,
}

fn main() {}
