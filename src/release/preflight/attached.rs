//! Policies that are attached to the Service by its name: the copies have other names.

use serde_json::Value;

use super::facts::{Facts, Way, list, text};
use super::{Finding, Reason, Severity};
use crate::release::split::Carrier;

/// Without it the gateway talks another protocol to the copies than to the workload: every request would fail.
const BREAKS: &str = "BackendTLSPolicy";

fn targets(policy: &Value) -> impl Iterator<Item = &Value> {
    policy.pointer("/spec/targetRef").into_iter().chain(list(policy, "/spec/targetRefs"))
}

fn names(policy: &Value, service: &str) -> bool {
    targets(policy).any(|target| text(target, "/kind") == "Service" && text(target, "/name") == service)
}

/// Gateway API policies by `targetRef`.
pub(super) fn policies(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    // Without routes all pods stand behind the one Service.
    if facts.way != Way::Routes {
        return;
    }
    let all = &facts.around.attached;
    for policy in all.iter().filter(|policy| names(policy, facts.service())) {
        let kind = text(policy, "/kind");
        let missed: Vec<_> = [Carrier::Canary, Carrier::Previous]
            .map(|carrier| facts.seen.service_of(carrier))
            .into_iter()
            .filter(|service| !all.iter().any(|other| text(other, "/kind") == kind && names(other, service)))
            .collect();
        if missed.is_empty() {
            continue;
        }
        let severity = if kind == BREAKS { Severity::Refuse } else { Severity::Warn };
        let message = format!(
            "It is attached to Service {} by name and not to Service {}, which would be served without it. Add them to spec.targetRefs.",
            facts.service(),
            missed.join(" and Service ")
        );
        found.push(facts.finding(Reason::PolicyMissesCanary, severity, (kind, policy), message));
    }
}

/// Istio's DestinationRules by host.
pub(super) fn destinations(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    if facts.way != Way::Routes {
        return;
    }
    let all = &facts.around.destinations;
    for rule in all.iter().filter(|rule| is_host(rule, facts.service(), facts.namespace())) {
        let missed: Vec<_> = [Carrier::Canary, Carrier::Previous]
            .map(|carrier| facts.seen.service_of(carrier))
            .into_iter()
            .filter(|service| !all.iter().any(|other| is_host(other, service, facts.namespace())))
            .collect();
        if missed.is_empty() {
            continue;
        }
        let message = format!(
            "Its host is Service {}; Service {} would be called without its traffic policy. Add a DestinationRule for each.",
            facts.service(),
            missed.join(" and Service ")
        );
        found.push(facts.finding(
            Reason::DestinationRuleMissesCanary,
            Severity::Warn,
            ("DestinationRule", rule),
            message,
        ));
    }
}

/// A host as people write it: short, with the namespace, or in full; a wildcard means all.
fn is_host(rule: &Value, service: &str, namespace: &str) -> bool {
    let host = text(rule, "/spec/host");
    let full = format!("{service}.{namespace}.svc.cluster.local");
    let plain =
        [service.to_owned(), format!("{service}.{namespace}"), format!("{service}.{namespace}.svc"), full.clone()];
    plain.iter().any(|name| name == host) || host.strip_prefix('*').is_some_and(|end| full.ends_with(end))
}
