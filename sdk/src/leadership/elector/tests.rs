use kubeops_testkit::Cluster;
use kubeops_testkit::cluster::Fault;
use tokio::time::sleep;

use super::*;
use crate::leadership::lock::LeaseLock;
use crate::test_log::Log;

/// Follows the lock at once, and stands for it after a minute.
fn late(cluster: &Cluster) -> impl Future<Output = Result<(), ElectorError>> + use<> {
    let lock = LeaseLock::new(cluster.client("a"), "default", "late");
    let options = ElectionOptions::new("a");
    let (elector, _) = Elector::new(lock, options, Clock::tokio(), Metrics::new(), cluster.client("a"));
    elector.run(sleep(Duration::from_secs(60)), CancellationToken::new(), Duration::ZERO)
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_was_free_before_it_stood_is_no_trouble() {
    let log = Log::default();
    let _logged = tracing::subscriber::set_default(log.subscriber());
    let cluster = Cluster::start().await;
    let _goes_on = timeout(Duration::from_secs(90), late(&cluster)).await;
    assert_eq!(log.lines_with("became leader").len(), 1);
    assert_eq!(log.lines_with("nobody leads"), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_it_cannot_take_is_told_of_once_a_minute() {
    let log = Log::default();
    let _logged = tracing::subscriber::set_default(log.subscriber());
    let cluster = Cluster::start().await;
    let forbidden = Fault::Refuse { code: 403, retry_after: None };
    cluster.faults("a").when(|request| request.verb == "update", None, forbidden);
    // The third time is due two minutes after the first, and comes with the next try.
    let _goes_on = timeout(Duration::from_secs(60 + 160), late(&cluster)).await;
    assert_eq!(log.lines_with("nobody leads").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_coordinated_lock_is_an_error_that_is_told_once_a_minute() {
    let log = Log::default();
    let _logged = tracing::subscriber::set_default(log.subscriber());
    let cluster = Cluster::start().await;
    let leases: kube::Api<k8s_openapi::api::coordination::v1::Lease> =
        kube::Api::default_namespaced(cluster.client("x"));
    let lease = serde_json::from_value(serde_json::json!({
        "metadata": { "name": "late" }, "spec": { "strategy": "OldestEmulationVersion" },
    }));
    leases.create(&kube::api::PostParams::default(), &lease.unwrap()).await.unwrap();
    let _goes_on = timeout(Duration::from_secs(150), late(&cluster)).await;
    let told = log.lines_with("left the lock alone");
    assert!(told.len() == 3 && told[0].contains("ERROR") && told[0].contains("OldestEmulationVersion"), "{told:#?}");
    assert_eq!(log.lines_with("reading the lock failed"), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn two_installations_that_share_a_lock_are_told_of_by_the_one_that_stands_by() {
    let log = Log::default();
    let _logged = tracing::subscriber::set_default(log.subscriber());
    let cluster = Cluster::start().await;
    let stand = |name: &str, installation: &str| {
        let client = cluster.client(name);
        let lock = LeaseLock::new(client.clone(), "default", "shared").of_installation(installation);
        let (elector, _) = Elector::new(lock, ElectionOptions::new(name), Clock::tokio(), Metrics::new(), client);
        elector.run(std::future::ready(()), CancellationToken::new(), Duration::ZERO)
    };
    let alike = async { tokio::join!(stand("a", "shop.one"), stand("b", "shop.one")) };
    let _goes_on = timeout(Duration::from_secs(30), alike).await;
    assert_eq!(log.lines_with("another installation"), Vec::<String>::new());
    sleep(Duration::from_secs(60)).await;
    let other = async { tokio::join!(stand("c", "shop.one"), stand("d", "shop.two")) };
    let _goes_on = timeout(Duration::from_secs(90), other).await;
    let told = log.lines_with("another installation");
    assert!((1..=3).contains(&told.len()) && told[0].contains("ERROR") && told[0].contains("shop."), "{told:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_the_server_does_not_take_is_told_of() {
    let log = Log::default();
    let _logged = tracing::subscriber::set_default(log.subscriber());
    let client = Cluster::start().await.client("a");
    let lock = LeaseLock::new(client.clone(), "default", "Nightly_Report");
    let (elector, _) = Elector::new(lock, ElectionOptions::new("a"), Clock::tokio(), Metrics::new(), client);
    let run = elector.run(std::future::ready(()), CancellationToken::new(), Duration::ZERO);
    let _goes_on = timeout(Duration::from_secs(30), run).await;
    let told = log.lines_with("writing the lock failed");
    assert!(told.iter().any(|line| line.contains("metadata.name: Invalid value")), "{told:?}");
}
