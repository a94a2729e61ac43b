//! Two operators in one process that stand for one lock.

use std::path::Path;

use futures::stream;
use kubeops::connect::Environment;
use kubeops::operator::RunError;
use kubeops::settings::{LoadOptions, Settings};

use crate::pages::operator;

/// Of a server that nobody runs: who gets that far waits for it.
const KUBECONFIG: &str = r#"{
    "current-context": "none",
    "contexts": [{ "name": "none", "context": { "cluster": "none", "user": "none" } }],
    "clusters": [{ "name": "none", "cluster": { "server": "http://127.0.0.1:1" } }],
    "users": [{ "name": "none", "user": {} }]
}"#;

async fn serve(name: &str) -> Result<(), RunError> {
    let kubeconfig = Path::new(env!("CARGO_TARGET_TMPDIR")).join("twice.kubeconfig");
    std::fs::write(&kubeconfig, KUBECONFIG).unwrap();
    let set = [
        ("KubeOps:Name", name),
        ("KubeOps:PodUid", "1"),
        ("KubeOps:HealthAddress", "0"),
        ("KubeOps:MetricsAddress", "0"),
    ];
    let set = set.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let settings = Settings::load(LoadOptions { set, ..LoadOptions::default() }).unwrap();
    let environment = Environment { kubeconfig: Some(kubeconfig.into_os_string()), ..Environment::default() };
    operator().serve(settings, &environment, stream::pending()).await
}

#[tokio::test]
async fn the_second_of_two_operators_for_one_lock_is_refused_while_the_first_runs() {
    for name in ["pod", "other"] {
        // Whichever comes first waits for the server.
        let ended = tokio::select! {
            one = serve("pod") => one,
            other = serve(name) => other,
        };
        let Err(RunError::LockTwice { operators, lock }) = ended else { panic!("{ended:?}") };
        assert_eq!((operators, lock.as_str()), (["kubeops", "kubeops"].map(str::to_owned), "default/kubeops-leader"));
    }
}
