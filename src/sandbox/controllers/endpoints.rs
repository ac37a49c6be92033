//! EndpointSlices: one for each Service with a selector, a moment after its pods change.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::look::{
    at, controller_uid, integer, is_over, is_ready, is_set, items, labels, leaving, matches_map, name, namespace,
    owner_reference, text, uid,
};
use super::write::{Context, Place, place, put, tried};
use crate::api::Time;
use crate::cluster::kind::{ENDPOINT_SLICE, POD, SERVICE};

const SERVICE_NAME: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const MANAGER: &str = "endpointslice-controller.k8s.io";

/// Since when the slice of a Service has been behind.
#[derive(Debug, Default)]
pub(super) struct Endpoints(BTreeMap<Place, Time>);

/// What a slice says of a pod.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Endpoint<'a> {
    pod: &'a str,
    address: &'a str,
    ready: bool,
    serving: bool,
    terminating: bool,
}

struct Write {
    service: Place,
    /// The slice that is there; none where one has to be created.
    slice: Option<String>,
    endpoints: Value,
    ports: Value,
}

impl Endpoints {
    pub(super) fn run(&mut self, cx: &mut Context<'_>) -> Option<Time> {
        let mut behind = BTreeMap::new();
        let mut writes = Vec::new();
        {
            let pods = cx.objects.list(&POD, "");
            let slices = cx.objects.list(&ENDPOINT_SLICE, "");
            for service in cx.objects.list(&SERVICE, "") {
                if at(service, &["spec", "selector"]).is_none() || text(service, &["spec", "type"]) == "ExternalName" {
                    continue;
                }
                let chosen = chosen(service, &pods);
                let wanted = endpoints(service, &chosen);
                let ports = ports(service, chosen.first().copied());
                let slice = slices.iter().copied().find(|slice| is_of(slice, service));
                if slice.is_some_and(|slice| said(slice) == wanted && at(slice, &["ports"]) == Some(&ports)) {
                    continue;
                }
                let service_place = place(service);
                let since = self.0.get(&service_place).copied().unwrap_or(cx.now);
                if since.plus(cx.timing.endpoints) > cx.now {
                    behind.insert(service_place, since);
                    continue;
                }
                let endpoints = chosen.iter().zip(&wanted).map(|(pod, endpoint)| written(pod, endpoint)).collect();
                let slice = slice.map(|slice| name(slice).to_owned());
                writes.push(Write { service: service_place, slice, endpoints, ports });
            }
        }
        self.0 = behind;
        for write in writes {
            carry_out(cx, write);
        }
        self.0.values().map(|since| since.plus(cx.timing.endpoints)).min()
    }
}

/// The pods behind a Service that have an address, by name.
fn chosen<'a>(service: &Value, pods: &[&'a Value]) -> Vec<&'a Value> {
    let selector = at(service, &["spec", "selector"]);
    let fits = |pod: &&&Value| {
        namespace(pod) == namespace(service)
            && matches_map(selector, labels(pod))
            && !is_over(pod)
            && !text(pod, &["status", "podIP"]).is_empty()
    };
    pods.iter().filter(fits).copied().collect()
}

fn endpoints<'a>(service: &Value, pods: &[&'a Value]) -> Vec<Endpoint<'a>> {
    let all = is_set(service, &["spec", "publishNotReadyAddresses"]);
    let of = |pod: &&'a Value| {
        let (serving, terminating) = (is_ready(pod), leaving(pod));
        Endpoint {
            pod: name(pod),
            address: text(pod, &["status", "podIP"]),
            ready: all || (serving && !terminating),
            serving: all || serving,
            terminating,
        }
    };
    pods.iter().map(of).collect()
}

/// What a slice says now.
fn said(slice: &Value) -> Vec<Endpoint<'_>> {
    let of = |endpoint| Endpoint {
        pod: text(endpoint, &["targetRef", "name"]),
        address: items(endpoint, &["addresses"]).first().and_then(Value::as_str).unwrap_or_default(),
        ready: is_set(endpoint, &["conditions", "ready"]),
        serving: is_set(endpoint, &["conditions", "serving"]),
        terminating: is_set(endpoint, &["conditions", "terminating"]),
    };
    items(slice, &["endpoints"]).iter().map(of).collect()
}

fn written(pod: &Value, endpoint: &Endpoint<'_>) -> Value {
    json!({
        "addresses": [endpoint.address],
        "conditions": {"ready": endpoint.ready, "serving": endpoint.serving, "terminating": endpoint.terminating},
        "nodeName": text(pod, &["spec", "nodeName"]),
        "targetRef": {"kind": "Pod", "namespace": namespace(pod), "name": endpoint.pod, "uid": uid(pod)},
    })
}

fn is_of(slice: &Value, service: &Value) -> bool {
    namespace(slice) == namespace(service)
        && text(slice, &["metadata", "labels", SERVICE_NAME]) == name(service)
        && controller_uid(slice) == uid(service)
}

/// The ports of a Service with their numbers in a pod; those that a pod does not name are left out.
fn ports(service: &Value, pod: Option<&Value>) -> Value {
    let number = |port: &Value| {
        let target = at(port, &["targetPort"]).or_else(|| at(port, &["port"]))?;
        if let Some(number) = target.as_i64() {
            return Some(number);
        }
        let containers = items(pod?, &["spec", "containers"]).iter();
        let mut named = containers.flat_map(|container| items(container, &["ports"]));
        integer(named.find(|one| at(one, &["name"]) == Some(target))?, &["containerPort"])
    };
    let one = |port: &Value| {
        let protocol = at(port, &["protocol"]).and_then(Value::as_str).unwrap_or("TCP");
        let mut out = json!({"name": text(port, &["name"]), "port": number(port)?, "protocol": protocol});
        if let Some(app) = at(port, &["appProtocol"]) {
            put(&mut out, &["appProtocol"], app.clone());
        }
        Some(out)
    };
    items(service, &["spec", "ports"]).iter().filter_map(one).collect()
}

fn carry_out(cx: &mut Context<'_>, write: Write) {
    let by = &cx.users.endpoints;
    let Write { service: (home, called), slice, endpoints, ports } = write;
    if let Some(slice) = slice {
        tried(cx.edit(by, &ENDPOINT_SLICE, &home, &slice, |slice| {
            put(slice, &["endpoints"], endpoints);
            put(slice, &["ports"], ports);
        }));
        return;
    }
    let Some(service) = cx.objects.get(&SERVICE, &home, &called) else { return };
    if leaving(service) {
        return;
    }
    let mut labels = labels(service).and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    labels.insert(SERVICE_NAME.to_owned(), called.clone().into());
    labels.insert(MANAGED_BY.to_owned(), MANAGER.into());
    if text(service, &["spec", "clusterIP"]) == "None" {
        labels.insert("service.kubernetes.io/headless".to_owned(), "".into());
    }
    let slice = json!({
        "apiVersion": ENDPOINT_SLICE.api_version(), "kind": ENDPOINT_SLICE.kind,
        "metadata": {
            "generateName": format!("{called}-"), "namespace": home, "labels": labels,
            "ownerReferences": [owner_reference(&SERVICE, service)],
        },
        "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
    });
    tried(cx.objects.create(by, &ENDPOINT_SLICE, slice));
}
