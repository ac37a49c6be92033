//! The cases of the policies themselves are run through the webhook too: `admission::tests` asks both doors.

mod door;
#[cfg(feature = "sandbox")]
mod keep;
mod rotation;
mod tls;

use std::sync::Arc;

use serde_json::{Value, json};

use super::door::Door;
use crate::admission::{Override, Policies};
use crate::server::Metrics;

/// A door to the chart's own policies, and the metrics behind it.
fn door() -> (Arc<Door>, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::default());
    (Door::new(Policies::shipped(Override::Audit).unwrap().for_webhook().unwrap(), metrics.clone()), metrics)
}

/// An API server's question about a gated Deployment whose image changes from `before` to `after`.
fn question(before: &str, after: &str) -> Value {
    let deployment = |image: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "labels": {"tidegate.io/gated": ""}},
            "spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": image}]}}},
        })
    };
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5", "operation": "UPDATE", "dryRun": false, "namespace": "shop", "name": "web",
            "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
            "resource": {"group": "apps", "version": "v1", "resource": "deployments"},
            "userInfo": {"username": "dana", "groups": ["system:authenticated"]},
            "object": deployment(after), "oldObject": deployment(before),
        },
    })
}

/// The same about a StatefulSet.
fn question_of_a_set(before: &str, after: &str) -> Value {
    let mut question = question(before, after);
    let request = &mut question["request"];
    request["kind"]["kind"] = json!("StatefulSet");
    request["resource"]["resource"] = json!("statefulsets");
    for object in ["object", "oldObject"] {
        request[object]["kind"] = json!("StatefulSet");
        request[object]["spec"]["updateStrategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}});
    }
    question
}
