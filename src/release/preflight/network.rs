//! NetworkPolicies and AuthorizationPolicies that mean the user's pods by the label that is rewritten.

use serde_json::Value;

use super::facts::{Copied, Facts, list, named, text};
use super::{Finding, Reason, Severity};
use crate::release::clones::{DIRECTIONS, clone, is_made};
use crate::release::labels::{Labels, selects};

/// One direction of a policy.
#[derive(Clone, Copy)]
pub(super) struct Side {
    pub(super) name: &'static str,
    pub(super) rules: &'static str,
    /// Where a rule lists its peers.
    pub(super) peers: &'static str,
}

pub(super) fn sides() -> impl Iterator<Item = Side> {
    DIRECTIONS.into_iter().map(|(name, rules, peers)| Side { name, rules, peers })
}

/// Whether a policy closes its pods in a direction but for what it allows.
pub(super) fn governs(policy: &Value, side: Side) -> bool {
    match policy.pointer("/spec/policyTypes").and_then(Value::as_array) {
        Some(types) => types.iter().any(|name| name == side.name),
        None => side.name == "Ingress" || policy.pointer("/spec/egress").is_some(),
    }
}

pub(super) fn means(policy: &Value, labels: &Labels) -> bool {
    selects(policy.pointer("/spec/podSelector"), labels)
}

pub(super) fn rules(policy: &Value, side: Side) -> &[Value] {
    policy.get("spec").and_then(|spec| spec.get(side.rules)).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn is_cloned(facts: &Facts<'_>, policy: &Value, copy: &Copied) -> bool {
    facts.seen.release.spec.traffic.clone_network_policies
        && clone(facts.seen, policy, copy.carrier, &copy.relabel, &copy.plain).is_some()
}

/// The user's own policies.
pub(super) fn own<'a>(facts: &Facts<'a>) -> Vec<&'a Value> {
    facts.around.network_policies.iter().filter(|policy| !is_made(policy)).collect()
}

/// A policy selects the user's pods and not their copies: it lets them through where another closes all, or closes them
/// where nothing closes the copies.
pub(super) fn policies(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let all = own(facts);
    for policy in &all {
        let missed: Vec<_> = facts.missed(|labels| means(policy, labels));
        let missed: Vec<_> = missed.into_iter().filter(|copy| !is_cloned(facts, policy, copy)).collect();
        let shut: Vec<_> = missed.iter().copied().filter(|copy| shuts_out(&all, policy, copy)).collect();
        let open: Vec<_> = missed.iter().copied().filter(|copy| leaves_open(&all, policy, copy)).collect();
        if !shut.is_empty() {
            let message = format!(
                "What it allows to the workload's pods it does not allow to {}, which other policies close: they would be cut off. Let its podSelector select them too, or set spec.traffic.cloneNetworkPolicies: true, or name a label that it does not select by in spec.traffic.canaryLabel.",
                named(&shut)
            );
            found.push(facts.finding(
                Reason::NetworkPolicyMissesCanary,
                Severity::Refuse,
                ("NetworkPolicy", policy),
                message,
            ));
        } else if !open.is_empty() {
            let message = format!(
                "It restricts the workload's pods and not {}, which would be open. Let its podSelector select them too, or set spec.traffic.cloneNetworkPolicies: true.",
                named(&open)
            );
            found.push(facts.finding(
                Reason::NetworkPolicyNotBinding,
                Severity::Warn,
                ("NetworkPolicy", policy),
                message,
            ));
        }
    }
}

/// Whether others close the copy's pods in a direction in which this one allows what none of them allows.
fn shuts_out(all: &[&Value], policy: &Value, copy: &Copied) -> bool {
    sides().filter(|side| governs(policy, *side)).any(|side| {
        let binding: Vec<_> = all.iter().filter(|other| governs(other, side) && means(other, &copy.labels)).collect();
        let allowed = |rule: &Value| {
            binding.iter().flat_map(|other| rules(other, side)).any(|other| other == rule || is_all(other))
        };
        !binding.is_empty() && !rules(policy, side).iter().all(allowed)
    })
}

/// An empty rule allows everything.
fn is_all(rule: &Value) -> bool {
    rule.as_object().is_some_and(|rule| rule.values().all(|list| list.as_array().is_some_and(Vec::is_empty)))
}

/// Whether nothing closes the copy's pods in a direction in which this one closes the user's.
fn leaves_open(all: &[&Value], policy: &Value, copy: &Copied) -> bool {
    sides()
        .filter(|side| governs(policy, *side) && !rules(policy, *side).iter().any(is_all))
        .any(|side| !all.iter().any(|other| governs(other, side) && means(other, &copy.labels)))
}

/// Istio's: without any ALLOW over a pod all is allowed; with one, only what they name. Those of the root namespace bind pods of all.
pub(super) fn authorization(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let mut all: Vec<_> = facts.around.authorizations.iter().collect();
    all.extend(facts.elsewhere(|elsewhere| &elsewhere.authorizations));
    let action = |policy: &Value| match text(policy, "/spec/action") {
        "" => "ALLOW".to_owned(),
        other => other.to_owned(),
    };
    // Without a selector and without targets it binds the whole namespace, or the whole mesh.
    let binds = |policy: &Value, labels: &Labels| match policy.pointer("/spec/selector") {
        Some(selector) => selects(Some(selector), labels),
        None => list(policy, "/spec/targetRefs").is_empty() && policy.pointer("/spec/targetRef").is_none(),
    };
    for policy in &all {
        let missed = facts.missed(|labels| binds(policy, labels));
        if missed.is_empty() {
            continue;
        }
        let closed = |copy: &&&Copied| all.iter().any(|other| action(other) == "ALLOW" && binds(other, &copy.labels));
        let shut: Vec<_> = missed.iter().filter(closed).copied().collect();
        let remedy =
            "Let its selector select them too, or name a label that it does not select by in spec.traffic.canaryLabel.";
        let (severity, message) = if action(policy) == "ALLOW" && !shut.is_empty() {
            let shut = named(&shut);
            (
                Severity::Refuse,
                format!(
                    "What it allows to the workload's pods stays denied to {shut}, which other ALLOW policies bind. {remedy}"
                ),
            )
        } else {
            (Severity::Warn, format!("It binds the workload's pods and not {}. {remedy}", named(&missed)))
        };
        found.push(facts.finding(
            Reason::AuthorizationPolicyMissesCanary,
            severity,
            ("AuthorizationPolicy", policy),
            message,
        ));
    }
}
