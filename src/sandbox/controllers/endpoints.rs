//! EndpointSlices: which pods of a Service are ready.

use serde_json::{Value, json};

use super::pods::{address, is_ready};
use super::{controller, matches, name, namespace, owned_by, tried};
use crate::cluster::kind::{ENDPOINT_SLICE, POD, SERVICE};
use crate::sandbox::objects::Objects;

pub(super) fn sync_all(objects: &mut dyn Objects) {
    let by = controller("endpointslice-controller");
    let services: Vec<Value> = objects.list(&SERVICE, "").into_iter().cloned().collect();
    for service in &services {
        let selector = service.pointer("/spec/selector");
        let endpoints: Vec<_> = objects
            .list(&POD, namespace(service))
            .into_iter()
            .filter(|pod| matches(selector, pod.pointer("/metadata/labels")))
            .map(|pod| {
                json!({
                    "addresses": [address(name(pod))],
                    "conditions": {"ready": is_ready(pod), "serving": is_ready(pod), "terminating": false},
                    "targetRef": {"kind": "Pod", "name": name(pod), "namespace": namespace(pod)},
                })
            })
            .collect();
        let slice = format!("{}-sandbox", name(service));
        match objects.get(&ENDPOINT_SLICE, namespace(service), &slice) {
            Some(known) if known["endpoints"] == Value::Array(endpoints.clone()) => {}
            Some(known) => {
                let mut known = known.clone();
                known["endpoints"] = Value::Array(endpoints);
                tried(objects.update(&by, &ENDPOINT_SLICE, known));
            }
            None => {
                let made = json!({
                    "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                    "metadata": {
                        "name": slice, "namespace": namespace(service),
                        "labels": {"kubernetes.io/service-name": name(service)},
                        "ownerReferences": owned_by(&SERVICE, service),
                    },
                    "endpoints": endpoints, "ports": service["spec"]["ports"],
                });
                tried(objects.create(&by, &ENDPOINT_SLICE, made));
            }
        }
    }
}
