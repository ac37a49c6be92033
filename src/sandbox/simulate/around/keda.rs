//! An autoscaler that KEDA makes, from a ScaledObject as Git has it.

use serde_json::{Value, json};

use crate::cluster::kind::SCALED_OBJECT;
use crate::sandbox::api::ApiServer;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::{NAME, NAMESPACE};
use crate::sandbox::simulate::people::{apply, delete};
use crate::sandbox::user::User;

const SCALED_OBJECTS: &str = "/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects";

/// KEDA's kind, with as much of its schema as tells fields apart.
fn definition() -> Value {
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "scaledobjects.keda.sh"},
        "spec": {
            "group": "keda.sh", "scope": "Namespaced",
            "names": {"kind": "ScaledObject", "listKind": "ScaledObjectList", "plural": "scaledobjects", "singular": "scaledobject"},
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": anything, "status": anything}}},
            }],
        },
    })
}

/// Makes the cluster serve KEDA's kind.
pub(super) fn define(api: &mut ApiServer, admin: &User) -> u16 {
    apply(api, admin, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition())
}

/// Puts the workload under a ScaledObject of two pods up to so many.
pub(super) fn scale(api: &mut ApiServer, flux: &User, most: u32) -> u16 {
    let object = json!({
        "apiVersion": SCALED_OBJECT.api_version(), "kind": SCALED_OBJECT.kind,
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "scaleTargetRef": {"name": NAME}, "minReplicaCount": 2, "maxReplicaCount": most,
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 20}}}},
            "triggers": [{"type": "cpu", "metricType": "Utilization", "metadata": {"value": "60"}}],
        },
    });
    apply(api, flux, SCALED_OBJECTS, &object)
}

/// Takes it away; none where there is none.
pub(super) fn leave(api: &mut ApiServer, flux: &User) -> Option<u16> {
    let there = !api.list(&SCALED_OBJECT, NAMESPACE).is_empty();
    there.then(|| delete(api, flux, &format!("{SCALED_OBJECTS}/{NAME}")))
}
