//! NetworkPolicies of other pods, in this namespace and in others, that name the user's pods as a peer by the label that is
//! rewritten.

use serde_json::Value;

use super::facts::{Copied, Facts, list, named, text};
use super::network::{Side, governs, is_cloned, means, own, rules, sides};
use super::{Finding, Reason, Severity};
use crate::release::clones::is_made;
use crate::release::labels::{Labels, selects};

/// A policy of other pods lets the user's pods in, or the other way round, and not their copies: they could not reach a
/// database, say. Where the policy is the workload's own, it is pods among themselves.
pub(super) fn here(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let all = own(facts);
    for policy in &all {
        let missed: Vec<_> = cut_off(facts, &all, policy).filter(|copy| !is_cloned(facts, policy, copy)).collect();
        if missed.is_empty() {
            continue;
        }
        let own = facts.copies.iter().any(|copy| means(policy, &copy.plain));
        let severity = if own { Severity::Warn } else { Severity::Refuse };
        let message = format!(
            "Its rules name the workload's pods as a peer and not {}, whose connections would be closed. Add them as a peer, or set spec.traffic.cloneNetworkPolicies: true.",
            named(&missed)
        );
        found.push(facts.finding(Reason::NetworkPolicyPeerMissesCanary, severity, ("NetworkPolicy", policy), message));
    }
}

/// The same of policies in other namespaces, which Tidegate never copies.
pub(super) fn elsewhere(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let all = facts.elsewhere(|elsewhere| &elsewhere.network_policies);
    let all: Vec<_> = all.into_iter().filter(|policy| !is_made(policy)).collect();
    for policy in &all {
        let missed: Vec<_> = cut_off(facts, &all, policy).collect();
        if missed.is_empty() {
            continue;
        }
        let message = format!(
            "Its rules name the workload's pods, of namespace {}, as a peer and not {}, whose connections would be closed. Whoever looks after {} adds them as a peer; or name a label that it does not select by in spec.traffic.canaryLabel. Policies of other namespaces are not copied.",
            facts.namespace(),
            named(&missed),
            text(policy, "/metadata/namespace"),
        );
        found.push(facts.finding(
            Reason::NetworkPolicyPeerMissesCanary,
            Severity::Refuse,
            ("NetworkPolicy", policy),
            message,
        ));
    }
}

/// Copies that a policy's peers leave out although they mean the user's pods.
fn cut_off<'f>(facts: &'f Facts<'_>, all: &'f [&Value], policy: &'f Value) -> impl Iterator<Item = &'f Copied> {
    let ruled = move |side: Side| if governs(policy, side) { rules(policy, side) } else { &[] };
    facts.copies.iter().filter(move |copy| {
        sides().any(|side| ruled(side).iter().any(|rule| is_cut_off(facts, all, policy, side, rule, copy)))
    })
}

/// Whether a rule's peers mean the user's pods, and neither it nor a like one of a policy over at least the same pods the copy's.
fn is_cut_off(facts: &Facts<'_>, all: &[&Value], policy: &Value, side: Side, rule: &Value, copy: &Copied) -> bool {
    let lets = |of: &Value, rule: &Value, labels: &Labels| {
        let peers = rule.get(side.peers).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        peers.is_empty() || peers.iter().any(|peer| is_peer(facts, of, peer, labels))
    };
    if !lets(policy, rule, &copy.plain) || lets(policy, rule, &copy.labels) {
        return false;
    }
    !all.iter().filter(|other| covers(other, policy) && governs(other, side)).any(|other| {
        rules(other, side).iter().any(|more| {
            let ports = more.get("ports").filter(|ports| !ports.as_array().is_some_and(Vec::is_empty));
            (ports.is_none() || ports == rule.get("ports")) && lets(other, more, &copy.labels)
        })
    })
}

/// Whether a policy of the same namespace is over all the pods of another for sure: each of its terms is one of the other's.
fn covers(wide: &Value, narrow: &Value) -> bool {
    let namespace = |policy| text(policy, "/metadata/namespace");
    let labels = |policy: &Value| policy.pointer("/spec/podSelector/matchLabels").and_then(Value::as_object).cloned();
    let within = labels(narrow).unwrap_or_default();
    let terms = |policy| list(policy, "/spec/podSelector/matchExpressions");
    namespace(wide) == namespace(narrow)
        && labels(wide).unwrap_or_default().iter().all(|(key, value)| within.get(key) == Some(value))
        && terms(wide).iter().all(|term| terms(narrow).contains(term))
}

/// Whether a peer of a policy means pods with these labels in the release's namespace.
fn is_peer(facts: &Facts<'_>, policy: &Value, peer: &Value, labels: &Labels) -> bool {
    let spaces = peer.get("namespaceSelector");
    let here = match spaces {
        Some(selector) => selects(Some(selector), &facts.home),
        None => facts.is_home(policy),
    };
    match peer.get("podSelector") {
        Some(pods) => here && selects(Some(pods), labels),
        None => here && spaces.is_some(),
    }
}
