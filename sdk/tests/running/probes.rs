//! What the probes of a running operator say.

use std::io;
use std::time::Duration;

use crate::pages::{cluster, leads, operator, put, replica, until};

#[tokio::test(start_paused = true)]
async fn verbose_answers_tell_who_leads_and_since_when() {
    let cluster = cluster().await;
    let leader = replica(&cluster, "a").await;
    until("a leads", async || leads(&leader).await).await;
    let standby = replica(&cluster, "b").await;
    tokio::time::sleep(Duration::from_secs(125)).await;
    let (status, text) = leader.get("/readyz?verbose").await;
    assert_eq!(status, 200, "{text}");
    let line = text.lines().find(|line| line.contains("leading")).unwrap();
    assert!(
        line.starts_with("[+]leading ok: a_") && line.contains(" leads for 2m ") && line.ends_with("s, term 1"),
        "{text}"
    );
    let (status, text) = standby.get("/readyz?verbose").await;
    assert_eq!(status, 200, "{text}");
    let line = text.lines().find(|line| line.contains("leading")).unwrap();
    assert!(
        line.starts_with("[-]leading failed: standing by, a_") && line.ends_with(" leads (does not count)"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn every_check_has_a_subpath_and_can_be_left_out() {
    let cluster = cluster().await;
    let running = replica(&cluster, "a").await;
    until("it leads", async || leads(&running).await).await;
    let checks = [
        ("livez", &["caches-alive", "workers", "leader-election"][..]),
        ("healthz", &["caches-alive", "workers", "leader-election"]),
        ("readyz", &["shutdown", "crds", "caches", "leading"]),
        ("startupz", &["api-server", "lock"]),
    ];
    for (probe, checks) in checks {
        let (status, text) = running.get(&format!("/{probe}?verbose")).await;
        let listed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("[+]")?.split(' ').next()).collect();
        assert_eq!((status, &*listed), (200, checks), "{text}");
        for check in checks {
            assert_eq!(running.get(&format!("/{probe}/{check}")).await, (200, "ok".to_owned()));
        }
        let (_, text) = running.get(&format!("/{probe}?verbose&exclude={}", checks[0])).await;
        assert!(text.contains(&format!("[+]{} excluded: ok\n", checks[0])), "{text}");
        assert_eq!(running.get(&format!("/{probe}/nothing")).await.0, 404);
    }
}

#[tokio::test(start_paused = true)]
async fn readiness_may_mean_leading() {
    let cluster = cluster().await;
    let when_leading = [("KubeOps:ReadyWhen", "Leading")];
    let leader = operator().start_replica_on(&cluster, "a", &when_leading).await;
    until("a leads", async || leads(&leader).await).await;
    let standby = operator().start_replica_on(&cluster, "b", &when_leading).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(leader.get("/readyz").await.0, 200);
    let (status, text) = standby.get("/readyz").await;
    assert!(status == 503 && text.starts_with("[-]leading failed: standing by, a_"), "{text}");
    assert_eq!(standby.get("/readyz?exclude=leading").await.0, 200);
    assert_eq!(standby.get("/livez").await, (200, "ok".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn without_election_it_leads_and_says_so() {
    let cluster = cluster().await;
    let alone = operator().start_replica_on(&cluster, "a", &[("KubeOps:EnableLeaderElection", "false")]).await;
    until("it leads", async || leads(&alone).await).await;
    assert_eq!(alone.get("/livez/leader-election").await.0, 404);
    assert_eq!(alone.get("/startupz").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_users_check_counts_in_readiness_with_the_causes_of_its_error() {
    let cluster = cluster().await;
    let refused = || io::Error::new(io::ErrorKind::ConnectionRefused, "smtp.example.com refused");
    let running = kubeops::operator!()
        .with_state(|_| async { Ok(7) })
        .add_health_check("smtp", move |_: i32| async move { Err::<(), _>(refused()) })
        .add_health_check("seven", |state: i32| async move { if state == 7 { Ok(()) } else { Err("not seven") } })
        .start_on(&cluster)
        .await;
    until("the caches are filled", async || running.get("/readyz?exclude=smtp").await.0 == 200).await;
    let failed = "[-]smtp failed: smtp.example.com refused\nreadyz check failed\n";
    assert_eq!(running.get("/readyz").await, (503, failed.to_owned()));
    assert_eq!(running.get("/readyz/seven").await.0, 200);
    assert_eq!(running.get("/livez").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_stops_is_not_ready_and_lives_while_its_work_ends() {
    let cluster = cluster().await;
    let running = replica(&cluster, "a").await;
    put(&cluster, "slow", "{ seconds: 15 }").await;
    until("it is worked on", async || running.get("/livez/workers?verbose").await.1.contains("default/slow")).await;
    assert_eq!(running.get("/readyz").await.0, 200);
    running.begin_stop();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let failed = "[-]shutdown failed: the process is stopping\nreadyz check failed\n";
    assert_eq!(running.get("/readyz").await, (503, failed.to_owned()));
    assert_eq!(running.get("/livez").await.0, 200);
    running.stop().await.unwrap();
    crate::pages::written(&cluster, "slow").await;
}

#[tokio::test]
async fn a_taken_port_is_told_with_the_setting_that_chooses_another() {
    let cluster = cluster().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (key, name) in [("HealthAddress", "health"), ("MetricsAddress", "metrics"), ("StatusAddress", "status")] {
        let (cluster, address, setting) = (cluster.clone(), address.clone(), format!("KubeOps:{key}"));
        let start = async move {
            let _none = operator().start_replica_on(&cluster, "a", &[(&setting, &address)]).await;
        };
        let panic = tokio::spawn(start).await.unwrap_err().into_panic();
        let told = panic.downcast_ref::<String>().unwrap();
        assert!(told.contains(&format!("the server for {name} cannot listen on ")), "{told}");
        assert!(told.ends_with(&format!("; set KubeOps:{key} to another address, or to 0 to do without")), "{told}");
    }
}
