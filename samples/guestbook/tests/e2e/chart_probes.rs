//! Readiness that means leading, as the chart's settings have it, and asked by the probes of the chart's Deployment.

use crate::harness::{Cluster, DEMO, LOCK_OF_DEMO, Probes, Replica};

/// The answer to a probe with all of its checks.
async fn verbose(replica: &Replica, path: &str) -> (u16, String) {
    replica.health(&format!("{path}?verbose")).await.expect("ask the probe")
}

fn line<'a>(text: &'a str, check: &str) -> &'a str {
    text.lines().find(|line| line.contains(check)).unwrap_or_else(|| panic!("no {check} in {text}"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_release_may_be_ready_only_where_it_leads() {
    let cluster = Cluster::start_bare().await;
    let chart = cluster.chart(&[]).await;
    cluster.release(&chart, &["appsettings.KubeOps.ReadyWhen=Leading"]).await;
    let pod = cluster.deployment("one", DEMO).await.spec.and_then(|spec| spec.template.spec).expect("a pod");
    let Probes { startup, liveness, readiness } = Probes::of(&pod.containers[0]);
    let mut leader = cluster.pod_of("one", DEMO, "pod-a").await.start();
    startup.wait(&leader).await;
    cluster.wait_holder("one", LOCK_OF_DEMO, "pod-a").await;
    readiness.wait(&leader).await;
    let standby = cluster.pod_of("one", DEMO, "pod-b").await.start();
    startup.wait(&standby).await;
    // Its caches are full and it watches the lock: what is missing is only that it leads.
    standby.wait_health("/readyz?exclude=leading", 200).await;

    let (of_leader, of_standby, lives) =
        tokio::join!(readiness.row(&leader), readiness.row(&standby), liveness.ask(&standby));
    assert!(of_leader.iter().all(Result::is_ok), "{of_leader:?}");
    let identity = cluster.identity_of("pod-a");
    let is_standing_by = |answer: &Result<(), String>| {
        answer.as_ref().is_err_and(|why| why.starts_with(&format!("[-]leading failed: standing by, {identity} leads")))
    };
    assert!(of_standby.iter().all(is_standing_by), "{of_standby:?}");
    assert_eq!(lives, Ok(()), "nobody restarts it for that");

    let (status, text) = verbose(&leader, &readiness.path).await;
    assert_eq!(status, 200, "{text}");
    assert!(line(&text, "leading").starts_with(&format!("[+]leading ok: {identity} leads for ")), "{text}");
    let (status, text) = verbose(&standby, &readiness.path).await;
    assert_eq!(status, 503, "{text}");
    let told = line(&text, "leading");
    assert!(told.contains(&format!("{identity} leads")) && !told.contains("does not count"), "{text}");
    for (pod, expected) in [(&leader, 200), (&standby, 503)] {
        let (status, text) = verbose(pod, &format!("{}/leading", readiness.path)).await;
        assert_eq!(status, expected, "{} says {text}", pod.name());
    }

    assert_eq!(leader.stop().await, 0);
    cluster.wait_holder("one", LOCK_OF_DEMO, "pod-b").await;
    readiness.wait(&standby).await;
}
