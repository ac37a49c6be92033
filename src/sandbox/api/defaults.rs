//! Defaults of built-in kinds, as far as anybody here reads them.

use serde_json::{Map, Value, json};

use super::resource::{NAMESPACE, Resource};
use crate::cluster::kind::{DEPLOYMENT, HTTP_ROUTE, PDB, POD, REPLICA_SET, SERVICE, STATEFUL_SET};

type Fields = Map<String, Value>;

/// Sets what is missing. `old` keeps what a server has chosen once: the address of a Service.
pub(super) fn set(resource: &Resource, object: &mut Value, old: Option<&Value>, address: impl FnOnce() -> String) {
    let kind = resource.kind;
    let Some(fields) = object.as_object_mut() else { return };
    if kind == NAMESPACE {
        namespace(fields, old.is_none());
        return;
    }
    if ![DEPLOYMENT, STATEFUL_SET, REPLICA_SET, POD, SERVICE, HTTP_ROUTE, PDB].contains(&kind) {
        return;
    }
    let labels = fields.get("spec").and_then(|spec| spec.pointer("/template/metadata/labels")).cloned();
    let Some(spec) = map(fields, "spec") else { return };
    if kind == DEPLOYMENT {
        deployment(spec);
    } else if kind == STATEFUL_SET {
        stateful_set(spec);
    } else if kind == REPLICA_SET {
        default(spec, "replicas", || json!(1));
        if let (None, Some(labels)) = (spec.get("selector"), labels) {
            spec.insert("selector".to_owned(), json!({"matchLabels": labels}));
        }
        template(spec);
    } else if kind == POD {
        pod(spec);
        default(spec, "enableServiceLinks", || json!(true));
        default(spec, "preemptionPolicy", || json!("PreemptLowerPriority"));
    } else if kind == SERVICE {
        service(spec, old, address);
    } else if kind == HTTP_ROUTE {
        http_route(spec);
    }
}

fn default(fields: &mut Fields, key: &str, value: impl FnOnce() -> Value) {
    if fields.get(key).is_none_or(Value::is_null) {
        fields.insert(key.to_owned(), value());
    }
}

/// A field that is a map; made where it is missing.
fn map<'a>(fields: &'a mut Fields, key: &str) -> Option<&'a mut Fields> {
    default(fields, key, || json!({}));
    fields.get_mut(key)?.as_object_mut()
}

fn each<'a>(fields: &'a mut Fields, key: &str) -> impl Iterator<Item = &'a mut Fields> {
    fields.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

fn namespace(fields: &mut Fields, new: bool) {
    if new && let Some(spec) = map(fields, "spec") {
        default(spec, "finalizers", || json!(["kubernetes"]));
    }
    if let Some(status) = map(fields, "status") {
        default(status, "phase", || json!("Active"));
    }
    let name = fields.get("metadata").and_then(|metadata| metadata.get("name")).cloned();
    if let (Some(name), Some(metadata)) = (name, map(fields, "metadata"))
        && let Some(labels) = map(metadata, "labels")
    {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name);
    }
}

fn deployment(spec: &mut Fields) {
    default(spec, "replicas", || json!(1));
    default(spec, "revisionHistoryLimit", || json!(10));
    default(spec, "progressDeadlineSeconds", || json!(600));
    if let Some(strategy) = map(spec, "strategy") {
        default(strategy, "type", || json!("RollingUpdate"));
        if strategy.get("type").is_some_and(|kind| kind == "RollingUpdate")
            && let Some(rolling) = map(strategy, "rollingUpdate")
        {
            default(rolling, "maxSurge", || json!("25%"));
            default(rolling, "maxUnavailable", || json!("25%"));
        }
    }
    // An un-paused Deployment does not show the field.
    if spec.get("paused").is_some_and(|paused| paused == false) {
        spec.remove("paused");
    }
    template(spec);
}

fn stateful_set(spec: &mut Fields) {
    default(spec, "replicas", || json!(1));
    default(spec, "podManagementPolicy", || json!("OrderedReady"));
    default(spec, "revisionHistoryLimit", || json!(10));
    if let Some(strategy) = map(spec, "updateStrategy") {
        default(strategy, "type", || json!("RollingUpdate"));
        if strategy.get("type").is_some_and(|kind| kind == "RollingUpdate")
            && let Some(rolling) = map(strategy, "rollingUpdate")
        {
            default(rolling, "partition", || json!(0));
        }
    }
    template(spec);
}

fn template(spec: &mut Fields) {
    if let Some(spec) = map(spec, "template").and_then(|template| map(template, "spec")) {
        pod(spec);
    }
}

fn pod(spec: &mut Fields) {
    default(spec, "restartPolicy", || json!("Always"));
    default(spec, "terminationGracePeriodSeconds", || json!(30));
    default(spec, "dnsPolicy", || json!("ClusterFirst"));
    default(spec, "schedulerName", || json!("default-scheduler"));
    default(spec, "securityContext", || json!({}));
    for key in ["initContainers", "containers"] {
        for container in each(spec, key) {
            default_container(container);
        }
    }
}

fn default_container(container: &mut Fields) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let latest = !image.contains('@') && (name.ends_with(":latest") || !name.contains(':'));
    default(container, "imagePullPolicy", || if latest { json!("Always") } else { json!("IfNotPresent") });
    default(container, "terminationMessagePath", || json!("/dev/termination-log"));
    default(container, "terminationMessagePolicy", || json!("File"));
    default(container, "resources", || json!({}));
    for port in each(container, "ports") {
        default(port, "protocol", || json!("TCP"));
    }
    for env in each(container, "env") {
        if let Some(field) = env.get_mut("valueFrom").and_then(|from| from.get_mut("fieldRef"))
            && let Some(field) = field.as_object_mut()
        {
            default(field, "apiVersion", || json!("v1"));
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get_mut(probe).and_then(Value::as_object_mut) else { continue };
        for (key, value) in
            [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
        {
            default(probe, key, || json!(value));
        }
        if let Some(get) = probe.get_mut("httpGet").and_then(Value::as_object_mut) {
            default(get, "path", || json!("/"));
            default(get, "scheme", || json!("HTTP"));
        }
    }
}

fn service(spec: &mut Fields, old: Option<&Value>, address: impl FnOnce() -> String) {
    default(spec, "type", || json!("ClusterIP"));
    default(spec, "sessionAffinity", || json!("None"));
    if spec.get("type").is_some_and(|kind| kind != "ExternalName") {
        default(spec, "clusterIP", || {
            let stands = old.and_then(|old| old.pointer("/spec/clusterIP")).cloned();
            stands.unwrap_or_else(|| address().into())
        });
        let ip = spec.get("clusterIP").cloned().unwrap_or_default();
        default(spec, "clusterIPs", || json!([ip]));
        default(spec, "ipFamilies", || json!(["IPv4"]));
        default(spec, "ipFamilyPolicy", || json!("SingleStack"));
        default(spec, "internalTrafficPolicy", || json!("Cluster"));
    }
    for port in each(spec, "ports") {
        default(port, "protocol", || json!("TCP"));
        let number = port.get("port").cloned().unwrap_or_default();
        default(port, "targetPort", || number);
    }
}

fn http_route(spec: &mut Fields) {
    for parent in each(spec, "parentRefs") {
        default(parent, "group", || json!("gateway.networking.k8s.io"));
        default(parent, "kind", || json!("Gateway"));
    }
    if spec.get("rules").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        spec.insert("rules".to_owned(), json!([{}]));
    }
    for rule in each(spec, "rules") {
        default(rule, "matches", || json!([{}]));
        for one in each(rule, "matches") {
            if let Some(path) = map(one, "path") {
                default(path, "type", || json!("PathPrefix"));
                default(path, "value", || json!("/"));
            }
        }
        for backend in each(rule, "backendRefs") {
            default(backend, "group", || json!(""));
            default(backend, "kind", || json!("Service"));
            default(backend, "weight", || json!(1));
        }
    }
}
