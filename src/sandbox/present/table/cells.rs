//! The columns of the built-in kinds, as `pkg/printers/internalversion/printers.go` of Kubernetes 1.36 prints them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::column::Column;
use super::{autoscaler, event, pods};

/// The columns of a built-in kind; none for one that has no printer of its own.
pub(super) fn built_in(group: &str, kind: &str) -> Option<Vec<Column>> {
    let columns = match (group, kind) {
        ("apps", "Deployment") => deployment(),
        ("apps", "ReplicaSet") => replica_set(),
        ("", "Pod") => pods::columns(),
        ("", "Service") => service(),
        ("", "Event") | ("events.k8s.io", "Event") => event::columns(),
        ("", "Namespace") => {
            vec![Column::name(), Column::text("Status", |object, _| text(object, "/status/phase", "")), Column::age()]
        }
        ("", "ConfigMap") => vec![
            Column::name(),
            Column::number("Data", |object, _| json!(size(&object["data"]) + size(&object["binaryData"]))),
            Column::age(),
        ],
        ("", "Secret") => vec![
            Column::name(),
            Column::text("Type", |object, _| text(object, "/type", "")),
            Column::number("Data", |object, _| json!(size(&object["data"]))),
            Column::age(),
        ],
        ("", "ServiceAccount") => vec![Column::name(), Column::age()],
        ("", "ResourceQuota") => vec![
            Column::name(),
            Column::text("Request", |object, _| quota(object, false)),
            Column::text("Limit", |object, _| quota(object, true)),
            Column::age(),
        ],
        ("discovery.k8s.io", "EndpointSlice") => vec![
            Column::name(),
            Column::text("AddressType", |object, _| text(object, "/addressType", "")),
            Column::text("Ports", |object, _| slice_ports(object)),
            Column::text("Endpoints", |object, _| slice_addresses(object)),
            Column::age(),
        ],
        ("policy", "PodDisruptionBudget") => vec![
            Column::name(),
            Column::text("Min Available", |object, _| text(object, "/spec/minAvailable", "N/A")),
            Column::text("Max Unavailable", |object, _| text(object, "/spec/maxUnavailable", "N/A")),
            Column::number("Allowed Disruptions", |object, _| json!(int(object, "/status/disruptionsAllowed"))),
            Column::age(),
        ],
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaler::columns(),
        ("coordination.k8s.io", "Lease") => vec![
            Column::name(),
            Column::text("Holder", |object, _| text(object, "/spec/holderIdentity", "")),
            Column::age(),
        ],
        ("networking.k8s.io", "NetworkPolicy") => vec![
            Column::name(),
            Column::text("Pod-Selector", |object, _| json!(selector(&object["spec"]["podSelector"]))),
            Column::age(),
        ],
        ("gateway.networking.k8s.io", "HTTPRoute") => vec![
            Column::name(),
            Column::text("Hostnames", |object, _| json!(object.pointer("/spec/hostnames").map(Value::to_string))),
            Column::age(),
        ],
        ("gateway.networking.k8s.io", "Gateway") => gateway(),
        _ => return None,
    };
    Some(columns)
}

/// What the API server prints of a kind that has no printer.
pub(super) fn fallback() -> Vec<Column> {
    vec![Column::name(), Column::text("Created At", |object, _| text(object, "/metadata/creationTimestamp", ""))]
}

fn deployment() -> Vec<Column> {
    vec![
        Column::name(),
        Column::text("Ready", |object, _| {
            json!(format!("{}/{}", int(object, "/status/readyReplicas"), int(object, "/spec/replicas")))
        }),
        Column::text("Up-to-date", |object, _| json!(int(object, "/status/updatedReplicas"))),
        Column::text("Available", |object, _| json!(int(object, "/status/availableReplicas"))),
        Column::age(),
        Column::wide("Containers", |object, _| containers(object, "name")),
        Column::wide("Images", |object, _| containers(object, "image")),
        Column::wide("Selector", |object, _| json!(selector(&object["spec"]["selector"]))),
    ]
}

fn replica_set() -> Vec<Column> {
    vec![
        Column::name(),
        Column::number("Desired", |object, _| json!(int(object, "/spec/replicas"))),
        Column::number("Current", |object, _| json!(int(object, "/status/replicas"))),
        Column::number("Ready", |object, _| json!(int(object, "/status/readyReplicas"))),
        Column::age(),
        Column::wide("Containers", |object, _| containers(object, "name")),
        Column::wide("Images", |object, _| containers(object, "image")),
        Column::wide("Selector", |object, _| json!(selector(&object["spec"]["selector"]))),
    ]
}

fn service() -> Vec<Column> {
    vec![
        Column::name(),
        Column::text("Type", |object, _| text(object, "/spec/type", "")),
        Column::text("Cluster-IP", |object, _| text(object, "/spec/clusterIP", "<none>")),
        Column::text("External-IP", |object, _| json!(external_address(object))),
        Column::text("Port(s)", |object, _| {
            let port = |port: &Value| {
                let node = port["nodePort"].as_i64().map(|node| format!(":{node}")).unwrap_or_default();
                format!("{}{node}/{}", port["port"], port["protocol"].as_str().unwrap_or("TCP"))
            };
            json!(or_none(items(object, "/spec/ports").map(port).collect::<Vec<_>>().join(",")))
        }),
        Column::age(),
        Column::wide("Selector", |object, _| json!(pairs(&object["spec"]["selector"]))),
    ]
}

fn external_address(object: &Value) -> String {
    let external: Vec<_> = items(object, "/spec/externalIPs").filter_map(Value::as_str).collect();
    match object["spec"]["type"].as_str() {
        Some("ExternalName") => object["spec"]["externalName"].as_str().unwrap_or_default().to_owned(),
        Some("LoadBalancer") => {
            let balancers = items(object, "/status/loadBalancer/ingress");
            let address = |entry| -> Option<&str> {
                let entry: &Value = entry;
                entry["ip"].as_str().or_else(|| entry["hostname"].as_str())
            };
            let all: Vec<_> =
                balancers.filter_map(address).collect::<BTreeSet<_>>().into_iter().chain(external).collect();
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        _ => or_none(external.join(",")),
    }
}

fn gateway() -> Vec<Column> {
    vec![
        Column::name(),
        Column::text("Class", |object, _| text(object, "/spec/gatewayClassName", "")),
        Column::text("Address", |object, _| json!(object.pointer("/status/addresses/0/value"))),
        Column::text("Programmed", |object, _| {
            let programmed = items(object, "/status/conditions").find(|condition| condition["type"] == "Programmed");
            json!(programmed.map(|condition| &condition["status"]))
        }),
        Column::age(),
    ]
}

fn slice_ports(object: &Value) -> Value {
    let port = |port: &Value| match (&port["port"], &port["name"]) {
        (Value::Number(number), _) => number.to_string(),
        (_, Value::String(name)) => name.clone(),
        _ => "*".to_owned(),
    };
    few(items(object, "/ports").map(port))
}

fn slice_addresses(object: &Value) -> Value {
    few(items(object, "/endpoints")
        .flat_map(|endpoint| items(endpoint, "/addresses"))
        .filter_map(Value::as_str)
        .map(str::to_owned))
}

/// At most three, and how many more there are.
fn few(all: impl Iterator<Item = String>) -> Value {
    const SHOWN: usize = 3;
    let all: Vec<_> = all.collect();
    let shown = all.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(",");
    json!(match all.len() {
        0 => "<unset>".to_owned(),
        1..=SHOWN => shown,
        more => format!("{shown} + {} more...", more - SHOWN),
    })
}

fn quota(object: &Value, limits: bool) -> Value {
    let Some(hard) = object.pointer("/status/hard").and_then(Value::as_object) else { return json!("") };
    let used = |name: &str| object["status"]["used"][name].as_str().unwrap_or("0");
    let entry =
        |(name, hard): (&String, &Value)| format!("{name}: {}/{}", used(name), hard.as_str().unwrap_or_default());
    let mut entries: Vec<_> =
        hard.iter().filter(|(name, _)| name.starts_with("limits.") == limits).map(entry).collect();
    entries.sort();
    json!(entries.join(", "))
}

fn containers(object: &Value, key: &str) -> Value {
    let all = items(object, "/spec/template/spec/containers").filter_map(|container| container[key].as_str());
    json!(all.collect::<Vec<_>>().join(","))
}

/// `app=web,tier in (a,b)`; `<none>` for one that selects nothing by label.
fn selector(selector: &Value) -> String {
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let mut parts: Vec<_> =
        labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    for term in items(selector, "/matchExpressions") {
        let key = term["key"].as_str().unwrap_or_default();
        let mut values: Vec<_> = items(term, "/values").filter_map(Value::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        parts.push(match term["operator"].as_str() {
            Some("In") => format!("{key} in ({values})"),
            Some("NotIn") => format!("{key} notin ({values})"),
            Some("DoesNotExist") => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    parts.sort();
    or_none(parts.join(","))
}

fn pairs(map: &Value) -> String {
    let all = map.as_object().into_iter().flatten();
    let all: Vec<_> = all.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    or_none(all.join(","))
}

fn or_none(text: String) -> String {
    if text.is_empty() { "<none>".to_owned() } else { text }
}

fn size(map: &Value) -> usize {
    map.as_object().map_or(0, serde_json::Map::len)
}

/// The elements of a list; nothing where there is none.
pub(super) fn items<'v>(object: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    object.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// A number, 0 where there is none.
pub(super) fn int(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// A text or a number as text.
pub(super) fn text(object: &Value, pointer: &str, absent: &str) -> Value {
    match object.pointer(pointer) {
        None | Some(Value::Null) => json!(absent),
        Some(Value::String(text)) => json!(text),
        Some(other) => json!(other.to_string()),
    }
}
