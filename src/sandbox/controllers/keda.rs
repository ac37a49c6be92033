//! KEDA, as far as it concerns others: each ScaledObject has an autoscaler of its own, which is written again, whole,
//! whenever either changes. What a trigger says is left out: the autoscaler goes by CPU.

use serde_json::{Value, json};

use super::HPA;
use super::look::{at, integer, leaving, name, namespace, owner_reference, text};
use super::write::{Context, put, tried};
use crate::api::Time;
use crate::cluster::kind::SCALED_OBJECT;

pub(super) fn run(cx: &mut Context<'_>) -> Option<Time> {
    let all: Vec<Value> = cx.objects.list(&SCALED_OBJECT, "").into_iter().filter(|it| !leaving(it)).cloned().collect();
    for scaled in all {
        let (home, called) = (namespace(&scaled), format!("keda-hpa-{}", name(&scaled)));
        let spec = spec(&scaled);
        let owner = owner_reference(&SCALED_OBJECT, &scaled);
        match cx.objects.get(&HPA, home, &called) {
            Some(_) => tried(cx.edit(&cx.users.keda, &HPA, home, &called, |it| put(it, &["spec"], spec))),
            None => {
                let autoscaler = json!({
                    "apiVersion": HPA.api_version(), "kind": HPA.kind,
                    "metadata": {"name": called, "namespace": home, "ownerReferences": [owner]}, "spec": spec,
                });
                tried(cx.objects.create(&cx.users.keda, &HPA, autoscaler));
            }
        }
    }
    None
}

fn spec(scaled: &Value) -> Value {
    let behavior = at(scaled, &["spec", "advanced", "horizontalPodAutoscalerConfig", "behavior"]);
    let mut spec = json!({
        "scaleTargetRef": {
            "apiVersion": "apps/v1", "kind": "Deployment", "name": text(scaled, &["spec", "scaleTargetRef", "name"]),
        },
        "minReplicas": integer(scaled, &["spec", "minReplicaCount"]).unwrap_or(1),
        "maxReplicas": integer(scaled, &["spec", "maxReplicaCount"]).unwrap_or(100),
        "metrics": [{"type": "Resource", "resource": {
            "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60},
        }}],
    });
    if let Some(behavior) = behavior {
        spec["behavior"] = behavior.clone();
    }
    spec
}
