//! What `kubectl get pods` shows: the state of the containers in one word.

use serde_json::{Value, json};

use super::age;
use super::cells::{int, items, text};
use super::column::Column;
use crate::api::Time;

/// The columns of a Pod.
pub(super) fn columns() -> Vec<Column> {
    vec![
        Column::name(),
        Column::text("Ready", |pod, _| {
            let ready = statuses(pod).filter(|status| status["ready"] == true && running(status)).count();
            json!(format!("{ready}/{}", items(pod, "/spec/containers").count()))
        }),
        Column::text("Status", |pod, _| json!(status(pod))),
        Column::text("Restarts", |pod, now| json!(restarts(pod, now))),
        Column::age(),
        Column::wide("IP", |pod, _| text(pod, "/status/podIP", "<none>")),
        Column::wide("Node", |pod, _| text(pod, "/spec/nodeName", "<none>")),
        Column::wide("Nominated Node", |pod, _| text(pod, "/status/nominatedNodeName", "<none>")),
        Column::wide("Readiness Gates", |pod, _| json!(gates(pod))),
    ]
}

fn statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    items(pod, "/status/containerStatuses")
}

fn running(status: &Value) -> bool {
    status.pointer("/state/running").is_some_and(|running| !running.is_null())
}

fn condition(pod: &Value, kind: &str) -> bool {
    items(pod, "/status/conditions").any(|condition| condition["type"] == kind && condition["status"] == "True")
}

/// One word for the pod. Init containers are not simulated, so theirs are not looked at.
fn status(pod: &Value) -> String {
    let word = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).filter(|word| !word.is_empty());
    let phase = word("/status/phase").unwrap_or_default();
    let own = word("/status/reason");
    if pod.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null()) {
        if own == Some("NodeLost") {
            return "Unknown".to_owned();
        }
        if !matches!(phase, "Succeeded" | "Failed") {
            return "Terminating".to_owned();
        }
    }
    let mut reason = own.unwrap_or(phase).to_owned();
    let mut failed = None;
    // The first container that has something to say wins, so they are read from the last.
    for status in statuses(pod).collect::<Vec<_>>().into_iter().rev() {
        let state = &status["state"];
        if let Some(waiting) = state["waiting"]["reason"].as_str().filter(|reason| !reason.is_empty()) {
            waiting.clone_into(&mut reason);
        } else if let Some(ended) = state["terminated"].as_object() {
            let code = ended.get("exitCode").and_then(Value::as_i64).unwrap_or_default();
            reason = match ended.get("reason").and_then(Value::as_str) {
                Some(reason) if !reason.is_empty() => reason.to_owned(),
                _ => format!("ExitCode:{code}"),
            };
            if code != 0 {
                failed = Some(reason.clone());
            }
        }
    }
    let alive = statuses(pod).any(|status| status["ready"] == true && running(status));
    match (reason.as_str(), failed) {
        ("Completed", _) if alive && condition(pod, "Ready") => "Running".to_owned(),
        ("Completed", Some(failed)) => failed,
        ("Completed", None) if alive => "NotReady".to_owned(),
        _ => reason,
    }
}

/// `3 (5m ago)`
fn restarts(pod: &Value, now: Time) -> String {
    let count: i64 = statuses(pod).map(|status| int(status, "/restartCount")).sum();
    let ended = |status| -> Option<&Value> { Value::pointer(status, "/lastState/terminated/finishedAt") };
    // RFC 3339 in UTC sorts as text.
    let last = statuses(pod).filter_map(ended).max_by_key(|at| at.as_str());
    match last {
        Some(last) if count > 0 => format!("{count} ({} ago)", age::since(Some(last), now)),
        _ => count.to_string(),
    }
}

fn gates(pod: &Value) -> String {
    let gates: Vec<_> = items(pod, "/spec/readinessGates").filter_map(|gate| gate["conditionType"].as_str()).collect();
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    format!("{}/{}", gates.iter().filter(|gate| condition(pod, gate)).count(), gates.len())
}
