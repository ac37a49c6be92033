//! The Deployment itself: whether it is settled, who else has a hand in it.

use serde_json::Value;

use super::facts::{Facts, list, text};
use super::{Finding, Severity};
use crate::api::names::MANAGER;
use crate::release::labels::labels;

/// The field that belongs to the gate.
const PAUSED: &str = "/fieldsV1/f:spec/f:paused";

/// Which version serves is not known while several ReplicaSets have pods. A workload that is adopted already may roll by
/// itself, as after a restart.
pub(super) fn settled(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let adopted = facts.seen.record.is_some() && !facts.workload.paused;
    if adopted || facts.is_under_way() {
        return;
    }
    let active: Vec<_> = facts.workload.sets.iter().filter(|set| set.is_active()).collect();
    if active.len() < 2 {
        return;
    }
    let names: Vec<_> = active.iter().map(|set| set.name.as_str()).collect();
    let message = format!(
        "ReplicaSets {} are both active, so none of them is stable for sure. Let the rollout end (kubectl rollout status deployment/{} -n {}), or undo it.",
        names.join(" and "),
        facts.seen.release.spec.workload_ref.name,
        facts.namespace()
    );
    found.push(facts.of_workload("NotSettled", Severity::Refuse, message));
}

/// Somebody who owns `spec.paused` writes it at every apply.
pub(super) fn paused_by_others(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for manager in paused_owners(&facts.around.deployment) {
        let message = format!(
            "Field manager {manager} owns spec.paused, which belongs to the gate: what it says has no effect, or stops a promotion half-way. Remove `paused` from the manifest that {manager} applies."
        );
        found.push(facts.of_workload("PausedOwned", Severity::Warn, message));
    }
}

/// The field managers that own `spec.paused` of a Deployment, other than Tidegate.
pub fn paused_owners(deployment: &Value) -> Vec<String> {
    let entries = list(deployment, "/metadata/managedFields").iter();
    let mut names: Vec<_> = entries
        .filter(|entry| entry.pointer(PAUSED).is_some())
        .map(|entry| text(entry, "/manager").to_owned())
        .filter(|manager| manager != MANAGER)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// In a sync with waves or hooks Argo CD waits for ever for a Deployment that is held.
pub(super) fn argo(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let annotations = labels(&facts.around.deployment, "/metadata/annotations");
    if let Some(wave) = annotations.get("argocd.argoproj.io/sync-wave") {
        let message = format!(
            "It is in Argo CD's sync wave {wave}: a held Deployment shows as Suspended, and the sync waits for it before it goes on to later waves and PostSync hooks; not even a revert is applied meanwhile. Put it into the last wave, or see docs/gitops.md."
        );
        found.push(facts.of_workload("ArgoSyncWave", Severity::Warn, message));
    }
    if let Some(hook) = annotations.get("argocd.argoproj.io/hook") {
        let message = format!(
            "It is an Argo CD hook ({hook}): hooks are deleted and created anew, and what is created is not held. Make it an ordinary resource."
        );
        found.push(facts.of_workload("ArgoHook", Severity::Warn, message));
    }
}

/// One autoscaler is fine; two fight, and one that is made by another controller takes no setting of ours.
pub(super) fn autoscalers(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let name = &facts.seen.release.spec.workload_ref.name;
    let ours: Vec<_> = facts
        .around
        .autoscalers
        .iter()
        .filter(|one| {
            text(one, "/spec/scaleTargetRef/kind") == "Deployment" && text(one, "/spec/scaleTargetRef/name") == name
        })
        .collect();
    if let [_, second, ..] = ours.as_slice() {
        let names: Vec<_> = ours.iter().map(|one| text(one, "/metadata/name")).collect();
        let message = format!(
            "HorizontalPodAutoscalers {} scale one Deployment: they undo each other's size, and with it the canary's. Keep one.",
            names.join(" and ")
        );
        found.push(facts.finding("TwoAutoscalers", Severity::Warn, ("HorizontalPodAutoscaler", second), message));
    }
    for one in ours {
        let owner = list(one, "/metadata/ownerReferences").iter().find(|owner| text(owner, "/kind") == "ScaledObject");
        if let Some(owner) = owner {
            let message = format!(
                "KEDA makes it from ScaledObject {}: for the time of a release Tidegate applies selectPolicy Disabled in spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown there, because KEDA would put back what is set in the autoscaler. A ScaledObject that scales to zero (minReplicaCount 0) does so all the same: raise it for the time of a release.",
                text(owner, "/name")
            );
            found.push(facts.finding("AutoscalerOwned", Severity::Warn, ("HorizontalPodAutoscaler", one), message));
        }
    }
}
