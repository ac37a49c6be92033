//! The objects of a canary or previous version as JSON, and their sizes: Deployment, Service, PodDisruptionBudget, and
//! copies of NetworkPolicies.

use serde_json::{Map, Value, json};

use super::clones::clones;
use super::disruption;
use super::labels::{Labels, labels};
use super::problem::Problem;
use super::snapshot::{Side, SideDeployment, Snapshot, Workload};
use super::split::Carrier;
use super::template::{self, Relabel};
use super::tracking::{asks_for_the_outside, belongs_to_tools, service_labels};
use crate::api::names::{CANARY_SUFFIX, GATED, POD_TEMPLATE_HASH, PREVIOUS_SUFFIX, RELEASE, REVISION, ROLE};
use crate::api::{Percent, Weight};

/// Labels that are tried for telling canary from stable, best first.
const LABELS: [&str; 5] =
    ["app.kubernetes.io/instance", "app.kubernetes.io/component", "app.kubernetes.io/name", "app", "k8s-app"];

/// What a copy of the user's Service has of its `spec`, beside ports and selector. What leads in from outside is not among it.
const FOLLOWED: [&str; 7] = [
    "sessionAffinity",
    "sessionAffinityConfig",
    "trafficDistribution",
    "internalTrafficPolicy",
    "ipFamilies",
    "ipFamilyPolicy",
    "publishNotReadyAddresses",
];

/// Pods that a canary needs for a weight: its share of the replicas and a quarter more, at least one, at most all.
pub fn canary_size(replicas: u32, weight: Weight) -> u32 {
    let share = u64::from(replicas) * u64::from(weight.get()) * 125;
    u32::try_from(share.div_ceil(10_000)).unwrap_or(u32::MAX).clamp(1, replicas.max(1))
}

/// Pods of the previous version: the asked share of the replicas, at least one.
pub fn previous_size(replicas: u32, fallback: Percent) -> u32 {
    // Both factors are small and not negative, so the conversion is exact enough and in range.
    ((f64::from(replicas) * fallback.ratio()).ceil() as u32).max(1)
}

/// The ending of a carrier's names and label value.
pub const fn suffix(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Workload => "",
        Carrier::Canary => CANARY_SUFFIX,
        Carrier::Previous => PREVIOUS_SUFFIX,
    }
}

/// The label to rewrite for a carrier: it must stand in the selectors of both the Service and the Deployment, so that
/// the user's Service, HPA and PDB keep meaning the user's pods alone.
pub fn relabel(seen: &Snapshot, workload: &Workload, carrier: Carrier) -> Result<Relabel, Problem> {
    let service = seen.service.as_ref().map(|service| &service.selector);
    let own = workload.selector.get("matchLabels").and_then(Value::as_object);
    let value_of = |key: &str| {
        let value = own?.get(key)?.as_str()?;
        (service?.get(key).map(String::as_str) == Some(value)).then(|| value.to_owned())
    };
    let wanted = seen.release.spec.traffic.canary_label.as_deref();
    let (key, from) = match wanted {
        Some(key) => value_of(key).map(|value| (key.to_owned(), value)),
        None => LABELS.iter().find_map(|key| value_of(key).map(|value| ((*key).to_owned(), value))),
    }
    .ok_or_else(|| Problem::no_canary_label(seen, wanted))?;
    let to = format!("{from}{}", suffix(carrier));
    if to.len() > 63 {
        return Err(Problem::label_too_long(seen, &key, &to));
    }
    Ok(Relabel { key, from, to })
}

/// The NetworkPolicies that are copied, where that is asked for, and the Deployment, Service and PodDisruptionBudget that
/// carry `template` as `carrier`, in the order to apply them.
pub fn side(
    seen: &Snapshot,
    workload: &Workload,
    carrier: Carrier,
    template: &Value,
    revision: &str,
    replicas: u32,
) -> Result<Vec<Value>, Problem> {
    let relabel = relabel(seen, workload, carrier)?;
    let service = seen.service.as_ref().ok_or_else(|| Problem::service_missing(seen))?;
    let selector = relabel.selector(&workload.selector);
    let name = format!("{}{}", seen.release.spec.workload_ref.name, suffix(carrier));
    let metadata = |name: &str, labels, annotations| metadata(seen, carrier, name, labels, annotations);

    let own_labels = own_labels(workload);
    let mut spec = json!({
        "replicas": replicas,
        "selector": selector,
        "template": relabel.template(template),
        "revisionHistoryLimit": 1,
    });
    for field in ["minReadySeconds", "progressDeadlineSeconds"] {
        if let Some(value) = workload.spec.get(field) {
            spec[field] = value.clone();
        }
    }
    let marks = json!({REVISION: revision}).as_object().cloned().unwrap_or_default();
    let floor = seen.side(carrier).and_then(Side::floor).map_or(replicas, |floor| floor.max(replicas));
    let stable = labels(template, "/metadata/labels");
    // Before the pods: what may reach them, and what they may reach, holds from their first moment.
    let mut all = clones(seen, carrier, &relabel, &stable)?;
    all.extend([
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(&name, own_labels.clone(), marks), "spec": spec}),
        service_copy(&service.object, &relabel, metadata, &seen.service_of(carrier)),
        disruption_budget(seen, workload, carrier, &relabel, &stable),
    ]);
    all.extend(autoscaler(seen, workload, carrier, floor));
    Ok(all)
}

/// The copy of the workload's autoscaler for the previous version, which leaves it `floor` pods at least. Where the user took theirs
/// away, a copy that stands goes on; `None` where there is neither, and for the canary, whose size its weight gives.
pub fn autoscaler(seen: &Snapshot, workload: &Workload, carrier: Carrier, floor: u32) -> Option<Value> {
    if carrier != Carrier::Previous {
        return None;
    }
    let theirs = seen.autoscalers.first().map(|one| &one.spec);
    let spec = theirs.or_else(|| seen.side(carrier)?.autoscaler.as_ref())?;
    let name = format!("{}{}", seen.release.spec.workload_ref.name, suffix(carrier));
    Some(json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(seen, carrier, &name, own_labels(workload), Map::new()),
        "spec": autoscaler_copy(spec, &name, floor),
    }))
}

/// The metadata of an object beside the workload: by its labels Tidegate knows it again.
fn metadata(
    seen: &Snapshot,
    carrier: Carrier,
    name: &str,
    mut labels: Map<String, Value>,
    annotations: Map<String, Value>,
) -> Value {
    labels.insert(RELEASE.to_owned(), Value::from(seen.release.name.as_str()));
    labels.insert(ROLE.to_owned(), Value::from(carrier.as_str()));
    json!({"name": name, "namespace": seen.release.namespace, "labels": labels, "annotations": annotations})
}

/// What stands around the pods of a carrier that is there already, as it should be now: what it is copied from may have been
/// edited, and the workload scaled.
pub fn around(
    seen: &Snapshot,
    workload: &Workload,
    there: &SideDeployment,
    carrier: Carrier,
) -> Result<Vec<Value>, Problem> {
    let relabel = relabel(seen, workload, carrier)?;
    let stable = labels(&relabel.back().template(&there.template), "/metadata/labels");
    let mut all = clones(seen, carrier, &relabel, &stable)?;
    all.push(disruption_budget(seen, workload, carrier, &relabel, &stable));
    if let Some(service) = &seen.service {
        let metadata = |name: &str, labels, annotations| metadata(seen, carrier, name, labels, annotations);
        all.push(service_copy(&service.object, &relabel, metadata, &seen.service_of(carrier)));
    }
    let floor = seen.side(carrier).and_then(Side::floor);
    all.extend(floor.and_then(|floor| autoscaler(seen, workload, carrier, floor)));
    Ok(all)
}

fn disruption_budget(
    seen: &Snapshot,
    workload: &Workload,
    carrier: Carrier,
    relabel: &Relabel,
    stable: &Labels,
) -> Value {
    let mut labels = own_labels(workload);
    labels.insert(RELEASE.to_owned(), Value::from(seen.release.name.as_str()));
    labels.insert(ROLE.to_owned(), Value::from(carrier.as_str()));
    let mut spec = disruption::limits(seen, stable, workload.replicas);
    spec["selector"] = relabel.selector(&workload.selector);
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {
            "name": format!("{}{}", seen.release.spec.workload_ref.name, suffix(carrier)),
            "namespace": seen.release.namespace, "labels": labels, "annotations": {},
        },
        "spec": spec,
    })
}

/// What was judged as a ReplicaSet of the workload itself, which has a newer template already and stays paused: the way in
/// which the Deployment controller would have made it, had it been let go in time.
pub fn judged_set(
    seen: &Snapshot,
    workload: &Workload,
    canary: &SideDeployment,
    revision: &str,
) -> Result<Value, Problem> {
    let (back, hash) = (relabel(seen, workload, Carrier::Canary)?.back(), template::short_of(revision));
    let mut template = back.template(&canary.template);
    template["metadata"]["labels"][POD_TEMPLATE_HASH] = Value::from(hash);
    let mut selector = workload.selector.clone();
    selector["matchLabels"][POD_TEMPLATE_HASH] = Value::from(hash);
    let workload_name = &seen.release.spec.workload_ref.name;
    let mut spec = json!({"replicas": workload.replicas, "selector": selector, "template": template});
    if let Some(value) = workload.spec.get("minReadySeconds") {
        spec["minReadySeconds"] = value.clone();
    }
    Ok(json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{workload_name}-{hash}"),
            "namespace": seen.release.namespace,
            "labels": spec["template"]["metadata"]["labels"],
            "annotations": {"deployment.kubernetes.io/desired-replicas": workload.replicas.to_string()},
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": workload_name, "uid": workload.uid, "controller": true,
            }],
        },
        "spec": spec,
    }))
}

/// The workload's autoscaler for the copy's pods: it may add as the workload's may, and never goes below what Tidegate wants there,
/// because the copy has no traffic until it is needed.
fn autoscaler_copy(spec: &Value, name: &str, floor: u32) -> Value {
    let mut copy = spec.clone();
    copy["scaleTargetRef"] = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name});
    copy["minReplicas"] = json!(floor);
    let most = spec.get("maxReplicas").and_then(Value::as_u64).unwrap_or(0);
    copy["maxReplicas"] = json!(most.max(u64::from(floor)));
    if let Some(down) = copy.pointer_mut("/behavior/scaleDown").and_then(Value::as_object_mut) {
        // Tidegate's own leaf is meant for the workload.
        down.remove("selectPolicy");
    }
    copy
}

/// The user's Service for the copy's pods: same ports and labels, so that ServiceMonitors find it; never a second load balancer.
fn service_copy(
    service: &Value,
    relabel: &Relabel,
    metadata: impl Fn(&str, Map<String, Value>, Map<String, Value>) -> Value,
    name: &str,
) -> Value {
    let labels = service_labels(service).into_iter().map(|(key, value)| (key, Value::from(value))).collect();
    let mut annotations =
        service.pointer("/metadata/annotations").and_then(Value::as_object).cloned().unwrap_or_default();
    annotations.retain(|key, _| !belongs_to_tools(key) && !asks_for_the_outside(key));
    let mut selector = service.pointer("/spec/selector").and_then(Value::as_object).cloned().unwrap_or_default();
    relabel.map(&mut selector);
    let mut ports = service.pointer("/spec/ports").cloned().unwrap_or_else(|| json!([]));
    for port in ports.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        port.remove("nodePort");
    }
    let mut spec = json!({"type": "ClusterIP", "selector": selector, "ports": ports});
    if service.pointer("/spec/clusterIP").and_then(Value::as_str) == Some("None") {
        spec["clusterIP"] = json!("None");
    }
    for field in FOLLOWED {
        if let Some(value) = service.pointer("/spec").and_then(|spec| spec.get(field)) {
            spec[field] = value.clone();
        }
    }
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": metadata(name, labels, annotations),
        "spec": spec,
    })
}

/// The workload's own labels, for an object beside it. Nothing selects such an object by its labels but tools that prune.
pub(super) fn own_labels(workload: &Workload) -> Map<String, Value> {
    let own = workload.labels.iter().filter(|(key, _)| !belongs_to_tools(key) && key.as_str() != GATED);
    own.map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(4, 5, 1)]
    #[case(4, 25, 2)]
    #[case(4, 50, 3)]
    #[case(4, 100, 4)]
    #[case(20, 5, 2)]
    #[case(100, 1, 2)]
    #[case(100, 50, 63)]
    #[case(1, 100, 1)]
    #[case(0, 50, 1)]
    fn a_canary_has_its_share_and_a_quarter_more(#[case] replicas: u32, #[case] weight: u8, #[case] pods: u32) {
        assert_eq!(canary_size(replicas, Weight::whole(weight)), pods);
    }

    #[rstest]
    #[case(4, 100, 4)]
    #[case(4, 50, 2)]
    #[case(3, 50, 2)]
    #[case(3, 1, 1)]
    fn previous_is_never_empty(#[case] replicas: u32, #[case] percent: u8, #[case] pods: u32) {
        assert_eq!(previous_size(replicas, Percent::whole(percent)), pods);
    }
}
