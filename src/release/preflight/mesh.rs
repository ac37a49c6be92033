//! Istio's PeerAuthentications where Tidegate asks the canary over HTTP: it speaks plain HTTP, and STRICT wants mutual TLS.

use std::collections::BTreeMap;

use serde_json::Value;

use super::facts::{Copied, Facts, list, named, text};
use super::{Finding, Reason, Severity};
use crate::api::synthetic::Asks;
use crate::release::ask::ports;
use crate::release::labels::{Labels, selects};
use crate::release::split::Carrier;

/// A policy that the sidecars of the canary take from: it demands mutual TLS on a port that a check asks over HTTP.
pub(super) fn strict(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    // Without a copy the new version runs under labels of the workload, and no check is made over HTTP.
    let Some(canary) = facts.copies.iter().find(|copy| copy.carrier == Carrier::Canary) else { return };
    let mut by_policy: BTreeMap<String, (&Value, Vec<String>)> = BTreeMap::new();
    for check in &facts.seen.release.spec.analysis.checks {
        let Asks::Http(http) = check.asks() else { continue };
        let Some(port) = http.port.or_else(|| ports(facts.seen).first().copied()) else { continue };
        let pod_port = pod_port(facts, port);
        if let Some(policy) = demands_tls(facts, &canary.labels, pod_port) {
            let name = facts.object("PeerAuthentication", policy);
            let port = pod_port.map_or_else(|| port.to_string(), |port| port.to_string());
            by_policy.entry(name).or_insert((policy, Vec::new())).1.push(format!("{} (port {port})", check.name));
        }
    }
    for (policy, checks) in by_policy.into_values() {
        let message = message(canary, &checks);
        found.push(facts.finding(
            Reason::PeerAuthenticationStrict,
            Severity::Warn,
            ("PeerAuthentication", policy),
            message,
        ));
    }
}

fn message(canary: &Copied, checks: &[String]) -> String {
    format!(
        "It demands mutual TLS (STRICT) of whoever calls {}, and Tidegate asks in plain HTTP: {} would get no answer, and hold the stage (CheckNotAsked). Exempt the port (mode PERMISSIVE under spec.portLevelMtls of a PeerAuthentication that selects the canary and the workload), or make it a check with a Job whose pods are in the mesh. Nothing to do where the workload has no proxy of the mesh, or Tidegate's own pods have one.",
        named(&[canary]),
        checks.join(", ")
    )
}

/// The port of a pod behind a port of the Service; None where its name is no container's.
fn pod_port(facts: &Facts<'_>, port: u16) -> Option<u64> {
    let service = &facts.seen.service.as_ref()?.object;
    let of_service = list(service, "/spec/ports").iter().find(|one| one["port"].as_u64() == Some(u64::from(port)))?;
    match &of_service["targetPort"] {
        Value::String(name) => {
            let mut all = list(&facts.workload.template, "/spec/containers").iter();
            all.find_map(|container| {
                let mut ports = list(container, "/ports").iter();
                ports.find(|one| text(one, "/name") == name.as_str())?["containerPort"].as_u64()
            })
        }
        Value::Number(number) => number.as_u64(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Some(u64::from(port)),
    }
}

/// The policy by which pods with these labels take mutual TLS alone on a port. What selects them goes before what binds their
/// namespace, and that before what binds the mesh; whatever says nothing (UNSET) leaves it to the next.
fn demands_tls<'a>(facts: &Facts<'a>, labels: &Labels, port: Option<u64>) -> Option<&'a Value> {
    let mut here: Vec<&Value> = facts.around.peer_authentications.iter().collect();
    // Of several the oldest counts.
    here.sort_by_key(|policy| text(policy, "/metadata/creationTimestamp"));
    let of_pods = here.iter().copied().filter(|policy| selector(policy).is_some_and(|by| selects(Some(by), labels)));
    let of_pods: Vec<&Value> = of_pods.collect();
    let of_port = |policy: &&Value| {
        let mode = port.map(|port| text(policy, &format!("/spec/portLevelMtls/{port}/mode")).to_owned());
        mode.filter(|mode| says(mode))
    };
    let whole = |policy: &&Value| Some(text(policy, "/spec/mtls/mode").to_owned()).filter(|mode| says(mode));
    let mesh = facts.elsewhere(|elsewhere| &elsewhere.peer_authentications);
    // In the mesh's own namespace those with a selector are ignored, but for its own pods.
    let for_all = here.into_iter().chain(mesh).filter(|policy| selector(policy).is_none());
    let by_port = of_pods.iter().find_map(|policy| Some((*policy, of_port(policy)?)));
    let mut general = of_pods.iter().copied().chain(for_all);
    let decides = by_port.or_else(|| general.find_map(|policy| Some((policy, whole(&policy)?))));
    decides.filter(|(_, mode)| mode == "STRICT").map(|(policy, _)| policy)
}

/// An empty one binds the whole namespace, as none does.
fn selector(policy: &Value) -> Option<&Value> {
    policy.pointer("/spec/selector").filter(|by| by.as_object().is_some_and(|by| !by.is_empty()))
}

fn says(mode: &str) -> bool {
    !matches!(mode, "" | "UNSET")
}
