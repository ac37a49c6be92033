//! ReplicaSets and their pods, from their start to their end.

use serde_json::{Value, json};

use super::{Pods, controller, name, namespace, number, owned_by, owner, set_status, text, tried};
use crate::api::{Span, Time};
use crate::cluster::kind::{POD, REPLICA_SET};
use crate::sandbox::objects::Objects;

/// How long a crashed container stays away before it is started again.
const BACK_OFF: Span = Span::seconds(10);

pub(super) fn sync_all(objects: &mut dyn Objects, world: &dyn Pods, names: &mut u64, now: Time) -> Option<Time> {
    let mut next: Option<Time> = None;
    let mut at = |time: Time| next = Some(next.map_or(time, |known| if time.0 < known.0 { time } else { known }));
    let sets: Vec<Value> = objects.list(&REPLICA_SET, "").into_iter().cloned().collect();
    for set in &sets {
        let uid = text(set, "/metadata/uid");
        let pods: Vec<Value> =
            objects.list(&POD, namespace(set)).into_iter().filter(|pod| owner(pod) == uid).cloned().collect();
        size(objects, set, &pods, names, now);
        let pods: Vec<Value> =
            objects.list(&POD, namespace(set)).into_iter().filter(|pod| owner(pod) == uid).cloned().collect();
        let behaviour = set.pointer("/spec/template").map(|template| world.behaviour(template));
        let mut ready = 0;
        for pod in &pods {
            let Some(behaviour) = behaviour else { continue };
            let started = started(pod, now);
            let due = started.plus(behaviour.ready_after);
            let up = due.0 <= now.0;
            if !up {
                at(due);
            }
            let flaps = world.flaps(name(pod), now);
            if flaps {
                at(now.plus(Span::seconds(1)));
            }
            let is_ready = up && behaviour.ready && !behaviour.crashes && !flaps;
            ready += i64::from(is_ready);
            let restarts = if behaviour.crashes { now.since(started).as_millis() / BACK_OFF.as_millis() } else { 0 };
            if behaviour.crashes {
                at(started.plus(Span::from_millis(BACK_OFF.as_millis() * (restarts + 1))));
            }
            let by = controller("kubelet");
            set_status(objects, &by, &POD, pod, pod_status(pod, is_ready, behaviour.crashes && up, restarts));
        }
        let total = pods.len();
        let status = json!({
            "replicas": total, "fullyLabeledReplicas": total, "readyReplicas": ready, "availableReplicas": ready,
            "observedGeneration": set["metadata"]["generation"],
        });
        set_status(objects, &controller("replicaset-controller"), &REPLICA_SET, set, status);
    }
    next
}

/// When a pod started: in milliseconds, which creation timestamps do not have.
fn started(pod: &Value, now: Time) -> Time {
    let noted = text(pod, "/metadata/annotations/sandbox.tidegate.io~1started");
    noted.parse().map_or(now, Time)
}

fn size(objects: &mut dyn Objects, set: &Value, pods: &[Value], names: &mut u64, now: Time) {
    let by = controller("replicaset-controller");
    let wanted = usize::try_from(number(set, "/spec/replicas")).unwrap_or(0);
    for _ in pods.len()..wanted {
        *names += 1;
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": set["spec"]["template"]["metadata"],
            "spec": set["spec"]["template"]["spec"],
        });
        let ending = format!("{:05x}", names.wrapping_mul(0x9e37_79b1) & 0xf_ffff);
        pod["metadata"]["name"] = json!(format!("{}-{ending}", name(set)));
        pod["metadata"]["namespace"] = json!(namespace(set));
        pod["metadata"]["annotations"]["sandbox.tidegate.io/started"] = json!(now.0.to_string());
        pod["metadata"]["ownerReferences"] = owned_by(&REPLICA_SET, set);
        pod["spec"]["nodeName"] = json!("sandbox");
        tried(objects.create(&by, &POD, pod));
    }
    // Those that are not ready go first, then the youngest.
    let mut last_first: Vec<&Value> = pods.iter().collect();
    last_first.sort_by_key(|pod| (is_ready(pod), std::cmp::Reverse(started(pod, now).0)));
    for pod in last_first.into_iter().take(pods.len().saturating_sub(wanted)) {
        tried(objects.delete(&by, &POD, namespace(pod), name(pod)));
    }
}

/// Whether a pod's condition Ready is true.
pub(super) fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    conditions.is_some_and(|all| all.iter().any(|one| text(one, "/type") == "Ready" && text(one, "/status") == "True"))
}

fn pod_status(pod: &Value, ready: bool, crashed: bool, restarts: u64) -> Value {
    let truth = if ready { "True" } else { "False" };
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
    let state = if crashed {
        json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}})
    } else {
        json!({"running": {"startedAt": pod["metadata"]["creationTimestamp"]}})
    };
    let statuses: Vec<_> = containers
        .into_iter()
        .flatten()
        .map(|one| {
            json!({
                "name": one["name"], "image": one["image"], "imageID": "", "ready": ready, "started": !crashed,
                "restartCount": restarts, "state": state,
            })
        })
        .collect();
    let since = &pod["metadata"]["creationTimestamp"];
    let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "lastTransitionTime": since});
    json!({
        "phase": "Running", "podIP": address(name(pod)), "startTime": since, "containerStatuses": statuses,
        "conditions": [condition("PodScheduled", "True"), condition("Initialized", "True"),
            condition("ContainersReady", truth), condition("Ready", truth)],
    })
}

/// An address that is the pod's own.
pub(super) fn address(pod: &str) -> String {
    let hash = pod.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("10.{}.{}.{}", (hash >> 16) & 0x7f, (hash >> 8) & 0xff, hash & 0xff)
}
