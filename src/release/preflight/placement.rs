//! Where the copies' pods may run, and what they learn of their own labels.

use serde_json::{Value, json};

use super::facts::{Facts, Way, list, named, text};
use super::{Finding, Reason, Severity};
use crate::api::names::POD_TEMPLATE_HASH;
use crate::release::labels::{labels, selects};

const ANTI_AFFINITY: &str = "/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution";

/// A port of the node is taken once a node. A StatefulSet gets no pods more than it has.
pub(super) fn ports(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(who) = facts.way.alongside() else { return };
    let spec = &facts.workload.template["spec"];
    let own_network = spec.get("hostNetwork").and_then(Value::as_bool).unwrap_or(false);
    let containers = list(spec, "/containers").iter().chain(list(spec, "/initContainers"));
    let mut taken: Vec<_> = containers
        .flat_map(|container| list(container, "/ports"))
        .filter_map(|port| {
            let place = if own_network { "containerPort" } else { "hostPort" };
            port.get(place).and_then(Value::as_u64).filter(|port| *port > 0)
        })
        .collect();
    taken.sort_unstable();
    taken.dedup();
    if taken.is_empty() {
        return;
    }
    let taken: Vec<_> = taken.iter().map(u64::to_string).collect();
    let message = format!(
        "Its pods take port {} of their node ({}): pods of {who} find no place on a node where one of the workload's runs. Leave the ports of nodes alone, or keep as many nodes free as the canary has pods.",
        taken.join(", "),
        if own_network { "hostNetwork" } else { "hostPort" }
    );
    found.push(facts.of_workload(Reason::HostPortTaken, Severity::Warn, message));
}

/// A required term that keeps the copies' pods away from the workload's, because the label cannot be rewritten in it or
/// another one says the same.
pub(super) fn affinity(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for term in list(&facts.workload.template, ANTI_AFFINITY) {
        let Some(selector) = term.get("labelSelector") else { continue };
        let away: Vec<_> = facts
            .copies
            .iter()
            .filter(|copy| {
                !told_apart(term, |key| copy.labels.get(key) != copy.plain.get(key))
                    && selects(Some(&copy.relabel.selector(selector)), &copy.plain)
            })
            .collect();
        if away.is_empty() {
            continue;
        }
        let message = format!(
            "Its required podAntiAffinity over {} keeps {} away from wherever the workload's pods run: they need as many free places as the workload has. Let the term select by {} with In or matchLabels, or make it preferred.",
            text(term, "/topologyKey"),
            named(&away),
            away.first().map(|copy| copy.relabel.key.as_str()).unwrap_or_default()
        );
        found.push(facts.of_workload(Reason::AffinityKeepsCanaryAway, Severity::Warn, message));
    }
    beside(facts, found);
    together(facts, found);
}

/// A canary under the workload's own labels is kept away from its pods by whatever keeps these from each other.
fn beside(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    if facts.way != Way::Beside {
        return;
    }
    let own = labels(&facts.workload.template, "/metadata/labels");
    let terms = list(&facts.workload.template, ANTI_AFFINITY).iter();
    for term in terms.filter(|term| selects(term.get("labelSelector"), &own) && !told_apart(term, |_| false)) {
        let message = format!(
            "Its required podAntiAffinity over {} keeps the canary, whose pods carry the workload's labels, away from wherever the workload's pods run: it needs as many free places as a stage gives it pods, up to as many as the workload has. Make the term preferred, or let matchLabelKeys of it name pod-template-hash.",
            text(term, "/topologyKey")
        );
        found.push(facts.of_workload(Reason::AffinityKeepsCanaryAway, Severity::Warn, message));
    }
}

/// Whether `matchLabelKeys`, which puts the pod's own value of a label to the selector, tells the copy's pods from the
/// workload's. The hash differs between any two Deployments.
fn told_apart(term: &Value, differs: impl Fn(&str) -> bool) -> bool {
    let mut keys = list(term, "/matchLabelKeys").iter().filter_map(Value::as_str);
    keys.any(|key| key == POD_TEMPLATE_HASH || differs(key))
}

/// A required podAffinity that binds the copies to the workload's pods.
fn together(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let place = "/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution";
    for term in list(&facts.workload.template, place) {
        let Some(selector) = term.get("labelSelector") else { continue };
        // Rewritten it selects nobody: neither the user's pods nor the copy's own, which may be the first of their kind.
        let alone: Vec<_> = facts
            .copies
            .iter()
            .filter(|copy| {
                let rewritten = copy.relabel.selector(selector);
                selects(Some(selector), &copy.plain)
                    && !selects(Some(&rewritten), &copy.plain)
                    && !selects(Some(&rewritten), &copy.labels)
            })
            .collect();
        if alone.is_empty() {
            continue;
        }
        let message = format!(
            "Its required podAffinity over {} selects the workload's pods in a way that cannot be said of {}, whose pods would find no place. Let the term select by {} with In or matchLabels.",
            text(term, "/topologyKey"),
            named(&alone),
            alone.first().map(|copy| copy.relabel.key.as_str()).unwrap_or_default()
        );
        found.push(facts.of_workload(Reason::AffinityUnsatisfiable, Severity::Refuse, message));
    }
}

/// A program that reads the rewritten label sees another value in the canary.
pub(super) fn field_refs(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(copy) = facts.copies.first() else { return };
    let key = &copy.relabel.key;
    let spec = &facts.workload.template["spec"];
    let wanted = [json!("metadata.labels"), json!(format!("metadata.labels['{key}']"))];
    let containers = list(spec, "/containers").iter().chain(list(spec, "/initContainers"));
    let by_env = containers.flat_map(|container| {
        let refs = list(container, "/env")
            .iter()
            .filter(|env| env.pointer("/valueFrom/fieldRef/fieldPath").is_some_and(|path| wanted.contains(path)));
        refs.map(|env| format!("env {} of container {}", text(env, "/name"), text(container, "/name")))
    });
    let by_volume = list(spec, "/volumes").iter().filter(|volume| {
        let projected = list(volume, "/projected/sources").iter().flat_map(|source| list(source, "/downwardAPI/items"));
        let items = list(volume, "/downwardAPI/items").iter().chain(projected);
        items.into_iter().any(|item| item.pointer("/fieldRef/fieldPath").is_some_and(|path| wanted.contains(path)))
    });
    let by_volume = by_volume.map(|volume| format!("volume {}", text(volume, "/name")));
    let places: Vec<_> = by_env.chain(by_volume).collect();
    if places.is_empty() {
        return;
    }
    let message = format!(
        "It hands the label {key} to its program ({}), which reads {} in the canary instead of {}. Make sure that nothing hangs on that value, such as the name of a queue or a lock, or name another label in spec.traffic.canaryLabel.",
        places.join(", "),
        copy.relabel.to,
        copy.relabel.from
    );
    found.push(facts.of_workload(Reason::LabelIsRead, Severity::Warn, message));
}
