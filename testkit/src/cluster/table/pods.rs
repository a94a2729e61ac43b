//! How pods are.

use serde_json::Value;

use super::builtin::{Column, items, number, or};

pub(super) const COLUMNS: [Column; 3] = [
    ("Ready", "string", 0, |pod, _| {
        let ready = items(&pod["status"]["containerStatuses"]).filter(|status| is_ready(status));
        format!("{}/{}", ready.count(), items(&pod["spec"]["containers"]).count()).into()
    }),
    ("Status", "string", 0, |pod, _| reason(pod).into()),
    ("Restarts", "string", 0, |pod, _| {
        let restarts = items(&pod["status"]["containerStatuses"]).map(|status| number(&status["restartCount"]));
        restarts.sum::<i64>().to_string().into()
    }),
];

pub(super) const WIDE: [Column; 4] = [
    ("IP", "string", 1, |pod, _| or(&pod["status"]["podIPs"][0]["ip"], "<none>")),
    ("Node", "string", 1, |pod, _| or(&pod["spec"]["nodeName"], "<none>")),
    ("Nominated Node", "string", 1, |pod, _| or(&pod["status"]["nominatedNodeName"], "<none>")),
    ("Readiness Gates", "string", 1, |pod, _| {
        let gates: Vec<&Value> = items(&pod["spec"]["readinessGates"]).collect();
        let open = gates.iter().filter(|gate| has_condition(pod, gate["conditionType"].as_str().unwrap_or_default()));
        if gates.is_empty() { "<none>".into() } else { format!("{}/{}", open.count(), gates.len()).into() }
    }),
];

fn is_ready(status: &Value) -> bool {
    status["ready"] == true && status["state"]["running"].is_object()
}

fn has_condition(pod: &Value, name: &str) -> bool {
    items(&pod["status"]["conditions"]).any(|condition| condition["type"] == name && condition["status"] == "True")
}

/// What is the matter with it, in a word: its containers know better than its phase.
fn reason(pod: &Value) -> String {
    let status = &pod["status"];
    // Nobody schedules it; the real server says so at its creation.
    let phase = status["phase"].as_str().unwrap_or("Pending");
    let mut reason = status["reason"].as_str().unwrap_or(phase).to_owned();
    let mut failed = None;
    let mut runs = false;
    for container in items(&status["containerStatuses"]).rev() {
        let (waiting, terminated) = (&container["state"]["waiting"], &container["state"]["terminated"]);
        if let Some(waits) = waiting["reason"].as_str() {
            waits.clone_into(&mut reason);
        } else if terminated.is_object() {
            reason = end(terminated);
            failed = Some(reason.clone()).filter(|_| number(&terminated["exitCode"]) != 0).or(failed);
        } else if is_ready(container) {
            runs = true;
        }
    }
    if reason == "Completed" {
        reason = match (runs, failed) {
            (true, _) if has_condition(pod, "Ready") => "Running".to_owned(),
            (_, Some(failed)) => failed,
            (true, None) => "NotReady".to_owned(),
            (false, None) => reason,
        };
    }
    let is_over = matches!(phase, "Succeeded" | "Failed");
    match pod["metadata"]["deletionTimestamp"].is_string() {
        true if status["reason"] == "NodeLost" => "Unknown".to_owned(),
        true if !is_over => "Terminating".to_owned(),
        _ => reason,
    }
}

/// How a container ended.
fn end(terminated: &Value) -> String {
    match (terminated["reason"].as_str(), number(&terminated["signal"])) {
        (Some(reason), _) => reason.to_owned(),
        (None, 0) => format!("ExitCode:{}", number(&terminated["exitCode"])),
        (None, signal) => format!("Signal:{signal}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn containers_tell_more_than_the_phase() {
        let told = |states: &[Value]| {
            let containers: Vec<Value> = states.iter().map(|state| json!({"ready": true, "state": state})).collect();
            let ready = json!([{"type": "Ready", "status": "True"}]);
            reason(&json!({"status": {"phase": "Running", "containerStatuses": containers, "conditions": ready}}))
        };
        let ended = |code: i64| json!({"terminated": {"exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" }}});
        assert_eq!(told(&[json!({"running": {}})]), "Running");
        assert_eq!(
            told(&[json!({"waiting": {"reason": "CrashLoopBackOff"}}), json!({"running": {}})]),
            "CrashLoopBackOff"
        );
        assert_eq!(told(&[ended(0), json!({"running": {}})]), "Running");
        assert_eq!(told(&[ended(0), ended(1)]), "Error");
        assert_eq!(told(&[json!({"terminated": {"signal": 9}})]), "Signal:9");
        assert_eq!(reason(&json!({"metadata": {"deletionTimestamp": "x"}})), "Terminating");
    }
}
