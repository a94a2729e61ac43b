//! The control plane gives what tests of operators need: identities, rights, an audit log, a server that comes and goes.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use kubeops_testkit::{ControlPlane, Error, eventually};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Generous: a test that passes does not wait for it.
const SOON: Duration = Duration::from_secs(60);

fn config_map(name: &str) -> ConfigMap {
    ConfigMap { metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }, ..ConfigMap::default() }
}

fn config_maps(client: Client) -> Api<ConfigMap> {
    Api::namespaced(client, "default")
}

fn rule(resource: &str, verbs: &[&str]) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![String::new()]),
        resources: Some(vec![resource.to_owned()]),
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        ..PolicyRule::default()
    }
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn what_a_user_asks_is_in_the_audit_log_under_its_name() -> TestResult {
    let plane = ControlPlane::start().await?;
    let api = config_maps(plane.client_for("replica-a")?);
    api.create(&PostParams::default(), &config_map("page")).await?;
    api.get("page").await?;
    api.patch_status("page", &PatchParams::default(), &Patch::Merge(config_map("page")))
        .await
        .expect_err("has no status");

    let requests = plane.audit().requests_of("replica-a")?;
    let [create, get, patch] = requests.as_slice() else { panic!("three requests, not {requests:#?}") };
    assert_eq!((create.verb.as_str(), create.name.as_str(), create.code), ("create", "page", Some(201)));
    assert_eq!((get.verb.as_str(), get.resource.as_str(), get.namespace.as_str()), ("get", "configmaps", "default"));
    assert_eq!((patch.subresource.as_str(), patch.code), ("status", Some(404)));
    assert!(create.is_write() && !get.is_write());
    assert!(create.received < create.completed.ok_or("the create is complete")?);
    assert_eq!(plane.audit().requests_of("replica-b")?, []);
    Ok(())
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_watch_is_one_request_that_is_complete_when_it_ends() -> TestResult {
    let plane = ControlPlane::start().await?;
    let api = config_maps(plane.client_for("watcher")?);
    {
        let mut events = pin!(api.watch(&WatchParams::default().disable_bookmarks(), "0").await?);
        config_maps(plane.client()?).create(&PostParams::default(), &config_map("page")).await?;
        let event = tokio::time::timeout(SOON, events.try_next()).await??;
        assert!(matches!(&event, Some(WatchEvent::Added(page)) if page.name_any() == "page"), "{event:?}");
        let requests = plane.audit().requests_of("watcher")?;
        let [watch] = requests.as_slice() else { panic!("one request, not {requests:#?}") };
        assert_eq!((watch.verb.as_str(), watch.code, watch.completed), ("watch", Some(200), None));
    }
    eventually("the watch is complete in the log", SOON, async || match plane.audit().requests_of("watcher") {
        Ok(requests) if requests.len() == 1 && requests[0].completed.is_some() => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_limited_user_may_do_what_it_was_granted_and_nothing_else() -> TestResult {
    let plane = ControlPlane::start().await?;
    plane.limited_user("guest", &[rule("configmaps", &["list"])]).await?;
    let api = config_maps(plane.client_for("guest")?);
    eventually("the list is granted", SOON, async || api.list(&ListParams::default()).await).await?;
    let refused = api.create(&PostParams::default(), &config_map("page")).await.expect_err("only lists are granted");
    assert!(matches!(&refused, kube::Error::Api(status) if status.code == 403), "{refused}");

    plane.limited_user("guest", &[rule("configmaps", &["create"])]).await?;
    eventually("the create is granted", SOON, async || api.create(&PostParams::default(), &config_map("page")).await)
        .await?;
    let refused = api.list(&ListParams::default()).await.expect_err("lists are granted no more");
    assert!(matches!(&refused, kube::Error::Api(status) if status.code == 403), "{refused}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn an_admin_cannot_be_limited_afterwards() -> TestResult {
    let plane = ControlPlane::start().await?;
    let _ = plane.client_for("replica-a")?;
    let refused = plane.limited_user("replica-a", &[]).await;
    assert!(matches!(refused, Err(Error::AlreadyAdmin { user }) if user == "replica-a"));
    Ok(())
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn the_api_server_comes_back_on_the_same_port_with_the_same_data() -> TestResult {
    let plane = ControlPlane::start().await?;
    let api = config_maps(plane.client()?);
    let page = api.create(&PostParams::default(), &config_map("page")).await?;
    let mut events = pin!(api.watch(&WatchParams::default(), &page.resource_version().unwrap_or_default()).await?);

    plane.stop_api_server().await;
    assert!(
        !matches!(tokio::time::timeout(SOON, events.try_next()).await?, Ok(Some(_))),
        "the watch ends with the server"
    );
    assert!(api.get("page").await.is_err(), "nobody listens");

    plane.start_api_server().await?;
    assert_eq!(api.get("page").await?.uid(), page.uid());
    assert_eq!(plane.audit().requests_of("admin")?.first().map(|first| first.verb.clone()), Some("create".to_owned()));
    Ok(())
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn kubectl_works_by_a_kubeconfig_also_through_a_proxy() -> TestResult {
    let plane = ControlPlane::start().await?;
    let created = plane.kubectl()?.args(["create", "configmap", "page", "--from-literal=title=Hello"]).output().await?;
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));

    let proxy = plane.proxy()?;
    let mut kubectl = plane.kubectl()?;
    kubectl.env("KUBECONFIG", plane.kubeconfig_via("replica-a", &proxy)?);
    let got = kubectl.args(["get", "configmap", "page", "-o", "jsonpath={.data.title}"]).output().await?;
    assert_eq!(String::from_utf8_lossy(&got.stdout), "Hello");
    let requests = plane.audit().requests_of("replica-a")?;
    assert!(requests.iter().any(|request| request.name == "page" && request.user_agent.starts_with("kubectl/")));
    Ok(())
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn two_control_planes_know_nothing_of_each_other() -> TestResult {
    let start = Instant::now();
    let (one, other) = tokio::try_join!(ControlPlane::start(), ControlPlane::start())?;
    println!("two control planes were ready after {:.1?}", start.elapsed());
    config_maps(one.client()?).create(&PostParams::default(), &config_map("page")).await?;
    assert!(config_maps(other.client()?).get_opt("page").await?.is_none());
    // Nor does one let in whom the other knows.
    let mut stranger = one.config_for("admin")?;
    stranger.cluster_url = other.config_for("admin")?.cluster_url;
    stranger.root_cert = other.config_for("admin")?.root_cert;
    let refused = config_maps(Client::try_from(stranger)?).list(&ListParams::default()).await.expect_err("a stranger");
    assert!(matches!(&refused, kube::Error::Api(status) if status.code == 401), "{refused}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn with_the_controller_manager_children_go_with_their_owner_and_namespaces_are_emptied() -> TestResult {
    let plane = ControlPlane::start().await?;
    plane.start_controller_manager()?;
    let api = config_maps(plane.client()?);
    let owner = api.create(&PostParams::default(), &config_map("owner")).await?;
    let mut child = config_map("child");
    child.metadata.owner_references = owner.controller_owner_ref(&()).map(|owner| vec![owner]);
    api.create(&PostParams::default(), &child).await?;
    api.delete("owner", &DeleteParams::background()).await?;
    eventually("the child is gone", SOON, async || match api.get_opt("child").await {
        Ok(None) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await?;

    let namespaces: Api<Namespace> = Api::all(plane.client()?);
    let metadata = ObjectMeta { name: Some("shop".to_owned()), ..ObjectMeta::default() };
    namespaces.create(&PostParams::default(), &Namespace { metadata, ..Namespace::default() }).await?;
    namespaces.delete("shop", &DeleteParams::default()).await?;
    eventually("the namespace is gone", SOON, async || match namespaces.get_opt("shop").await {
        Ok(None) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_second_server_shows_the_same_objects_and_freezes_alone() -> TestResult {
    let plane = ControlPlane::start().await?;
    let other = plane.add_api_server().await?;
    let (of_first, of_other) = (config_maps(plane.client_for("a")?), config_maps(other.client_for("b")?));
    of_first.create(&PostParams::default(), &config_map("page")).await?;
    of_other.get("page").await?;
    assert!(plane.audit().requests_of("b")?.is_empty() && other.audit().requests_of("a")?.is_empty());
    assert_eq!(other.audit().requests_of("b")?.len(), 1);

    other.freeze().await?;
    let (params, late) = (PostParams::default(), config_map("late"));
    let mut held_back = pin!(of_other.create(&params, &late));
    tokio::time::timeout(Duration::from_millis(300), &mut held_back).await.expect_err("it stands still");
    assert!(of_first.get_opt("late").await?.is_none(), "and the first does not");
    other.resume().await?;
    held_back.await?;
    of_first.get("late").await?;

    other.stop().await;
    other.freeze().await.expect_err("it is stopped");
    other.start().await?;
    // etcd is there for whoever is left.
    drop(plane);
    of_other.get("late").await?;
    Ok(())
}
