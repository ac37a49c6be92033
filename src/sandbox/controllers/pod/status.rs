//! The status of a pod.

use serde_json::{Value, json};

use super::super::look::{at, condition, items, stamp, text};
use super::address;
use super::life::{Shown, Stage};
use crate::api::Time;

/// The status of a pod that shows this.
pub(super) fn status(pod: &Value, shown: Shown, started: Time, now: Time) -> Value {
    let conditions: Vec<Value> = [
        ("PodReadyToStartContainers", shown.stage != Stage::Creating),
        ("Initialized", true),
        ("Ready", shown.ready),
        ("ContainersReady", shown.ready),
        ("PodScheduled", true),
    ]
    .into_iter()
    .map(|(kind, holds)| {
        let status = if holds { "True" } else { "False" };
        let stands = condition(pod, kind).filter(|stands| text(stands, &["status"]) == status);
        let since = stands.map_or_else(|| stamp(now), |stands| text(stands, &["lastTransitionTime"]).to_owned());
        let mut condition = json!({"type": kind, "status": status, "lastTransitionTime": since});
        if !holds
            && kind != "PodReadyToStartContainers"
            && let Some(fields) = condition.as_object_mut()
        {
            fields.insert("reason".to_owned(), "ContainersNotReady".into());
            let names: Vec<&str> = containers(pod).iter().map(|one| text(one, &["name"])).collect();
            let message = format!("containers with unready status: [{}]", names.join(" "));
            fields.insert("message".to_owned(), message.into());
        }
        condition
    })
    .collect();
    let all: Vec<Value> = containers(pod).iter().map(|one| container(pod, one, shown, now)).collect();
    let mut status = json!({
        "phase": if shown.stage == Stage::Creating { "Pending" } else { "Running" },
        "conditions": conditions, "containerStatuses": all,
        "hostIP": "192.0.2.1", "startTime": stamp(started), "qosClass": "BestEffort",
    });
    if shown.stage != Stage::Creating
        && let Some(fields) = status.as_object_mut()
    {
        let address = address(pod);
        fields.insert("podIPs".to_owned(), json!([{"ip": address}]));
        fields.insert("podIP".to_owned(), address.into());
    }
    status
}

fn containers(pod: &Value) -> &[Value] {
    items(pod, &["spec", "containers"])
}

fn container(pod: &Value, container: &Value, shown: Shown, now: Time) -> Value {
    let name = text(container, &["name"]);
    let stands = items(pod, &["status", "containerStatuses"]).iter().find(|one| text(one, &["name"]) == name);
    let restarted = stands.is_none_or(|one| one["restartCount"] != shown.restarts);
    let since = stands
        .filter(|_| !restarted)
        .and_then(|one| at(one, &["state", "running", "startedAt"]))
        .and_then(Value::as_str)
        .map_or_else(|| stamp(now), str::to_owned);
    let exited = json!({"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": stamp(now)}});
    let last = match shown.stage {
        Stage::BackOff => exited.clone(),
        Stage::Creating | Stage::Running => {
            stands.and_then(|one| at(one, &["lastState"])).cloned().unwrap_or_else(|| json!({}))
        }
    };
    let state = match shown.stage {
        Stage::Creating => json!({"waiting": {"reason": "ContainerCreating"}}),
        Stage::Running => json!({"running": {"startedAt": since}}),
        Stage::BackOff if shown.restarts == 0 => exited,
        Stage::BackOff => {
            let message =
                format!("back-off restarting failed container={name} pod={}", text(pod, &["metadata", "name"]));
            json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}})
        }
    };
    json!({
        "name": name, "image": text(container, &["image"]), "imageID": "", "ready": shown.ready,
        "started": shown.stage == Stage::Running, "restartCount": shown.restarts, "state": state, "lastState": last,
    })
}
