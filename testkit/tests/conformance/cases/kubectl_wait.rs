//! `kubectl wait`.

use serde_json::{Value, json};

use super::kubectl_get::{THINGS, with_things};
use super::{CONFIG_MAPS, config_map, things, with};
use crate::case::cases;
use crate::session::Session;

cases!("kubectl wait":
    for_a_condition_that_is_there,
    for_a_condition_that_comes,
    for_a_condition_that_does_not_come,
    for_a_value,
    for_a_value_that_comes,
    for_a_deletion,
    for_a_creation,
    for_nothing_at_all,
);

fn ready(status: &str) -> Value {
    json!({"status": {"conditions": [{"type": "Ready", "status": status}]}})
}

async fn with_a_thing(s: &mut Session) {
    with_things(s, things::crd()).await;
    s.post(things::ALL, things::thing("x")).await;
}

async fn set_ready(s: &mut Session, status: &str) {
    s.merge(format!("{}/x/status", things::ALL), ready(status)).await;
}

async fn for_a_condition_that_is_there(s: &mut Session) {
    with_a_thing(s).await;
    set_ready(s, "True").await;
    s.kubectl(&["wait", "--for=condition=Ready", THINGS, "x"]).await;
    s.kubectl(&["wait", "--for=condition=Ready=True", THINGS, "--all"]).await;
    set_ready(s, "False").await;
    s.kubectl(&["wait", "--for=condition=Ready=False", THINGS, "x"]).await;
    s.kubectl(&["wait", "--for=condition=Established", "crd", THINGS]).await;
}

async fn for_a_condition_that_comes(s: &mut Session) {
    with_a_thing(s).await;
    let waiting = s.kubectl_start(&["wait", "--for=condition=Ready", THINGS, "x", "--timeout=60s"], "").await;
    set_ready(s, "False").await;
    set_ready(s, "True").await;
    s.kubectl_end(waiting).await;
}

async fn for_a_condition_that_does_not_come(s: &mut Session) {
    with_a_thing(s).await;
    set_ready(s, "False").await;
    s.kubectl(&["wait", "--for=condition=Ready", THINGS, "x", "--timeout=1s"]).await;
    s.kubectl(&["wait", "--for=condition=Ready", THINGS, "x", "--timeout=0"]).await;
}

async fn for_a_value(s: &mut Session) {
    with_a_thing(s).await;
    s.kubectl(&["wait", "--for=jsonpath={.spec.replicas}=1", THINGS, "x"]).await;
    s.kubectl(&["wait", "--for=jsonpath={.spec.title}", THINGS, "x"]).await;
    s.kubectl(&["wait", "--for=jsonpath={.spec.replicas}=2", THINGS, "x", "--timeout=0"]).await;
    s.kubectl(&["wait", "--for=jsonpath={.spec", THINGS, "x"]).await;
}

async fn for_a_value_that_comes(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    let waiting = s.kubectl_start(&["wait", "--for=jsonpath={.data.key}=2", "cm/x", "--timeout=60s"], "").await;
    s.merge(format!("{CONFIG_MAPS}/x"), json!({"data": {"key": "2"}})).await;
    s.kubectl_end(waiting).await;
}

async fn for_a_deletion(s: &mut Session) {
    s.kubectl(&["wait", "--for=delete", "cm/gone"]).await;
    s.post(CONFIG_MAPS, with(config_map("x"), "/metadata/finalizers", json!(["example.com/held"]))).await;
    s.delete(format!("{CONFIG_MAPS}/x")).await;
    s.kubectl(&["wait", "--for=delete", "cm/x", "--timeout=1s"]).await;
    s.merge(format!("{CONFIG_MAPS}/x"), json!({"metadata": {"finalizers": null}})).await;
    s.kubectl(&["wait", "--for=delete", "cm/x", "--timeout=60s"]).await;
}

async fn for_a_creation(s: &mut Session) {
    let waiting = s.kubectl_start(&["wait", "--for=create", "cm/x", "--timeout=60s"], "").await;
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.kubectl_end(waiting).await;
    s.kubectl(&["wait", "--for=create", "cm/gone", "--timeout=1s"]).await;
}

async fn for_nothing_at_all(s: &mut Session) {
    s.kubectl(&["wait", "--for=condition=Ready", "cm/gone"]).await;
    s.kubectl(&["wait", "--for=condition=Ready", "cm", "--all"]).await;
    s.kubectl(&["wait", "cm/gone"]).await;
}
