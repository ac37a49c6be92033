//! The workload itself: whether it is settled, who else has a hand in it.

use serde_json::Value;

use super::facts::{Facts, Way, list, text};
use super::{Finding, Reason, Severity};
use crate::api::gated_release::WorkloadKind;
use crate::api::names::{BREAK_GLASS, MANAGER};
use crate::release::labels::labels;
use crate::release::snapshot::Ordinals;
use crate::release::wording::{self, at_most};

/// The field of a Deployment that belongs to the gate.
const PAUSED: &str = "/fieldsV1/f:spec/f:paused";
/// The same of a StatefulSet.
const PARTITION: &str = "/fieldsV1/f:spec/f:updateStrategy/f:rollingUpdate/f:partition";

/// Which version serves is not known while several ReplicaSets have pods. A workload that is adopted already may roll by
/// itself, as after a restart.
pub(super) fn settled(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let adopted = facts.seen.record.is_some() && !facts.workload.paused;
    if adopted || facts.is_under_way() {
        return;
    }
    if let Some(ordinals) = facts.ordinals() {
        settled_ordinals(facts, ordinals, found);
        return;
    }
    let active: Vec<_> = facts.workload.sets.iter().filter(|set| set.is_active()).collect();
    if active.len() < 2 {
        return;
    }
    let names: Vec<_> = active.iter().map(|set| set.name.as_str()).collect();
    let (namespace, name) = (facts.namespace(), &facts.seen.release.spec.workload_ref.name);
    let remedy = match &facts.workload.paused_because {
        // Nothing rolls any more, whichever template it was given.
        Some(_) if facts.workload.paused => format!(
            "It is held in the middle of a rollout, which goes on when it is let go: {} (its template then runs ungated)",
            wording::let_go(WorkloadKind::Deployment, namespace, name)
        ),
        Some(_) | None => {
            format!("Let the rollout end (kubectl rollout status deployment/{name} -n {namespace}), or undo it")
        }
    };
    let message =
        format!("ReplicaSets {} are both active, so none of them is stable for sure. {remedy}.", names.join(" and "));
    found.push(facts.of_workload(Reason::NotSettled, Severity::Refuse, message));
}

/// While a Deployment is held stable's ReplicaSet is an old one of it, and has the only copy of stable's template.
pub(super) fn history(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    if !facts.workload.keeps_no_history() || facts.is_under_way() {
        return;
    }
    let message = "Its revisionHistoryLimit is 0: when it is scaled to nothing while it is held, Kubernetes deletes the ReplicaSet of stable, and nothing starts any more when it is scaled up. Set spec.revisionHistoryLimit to 1 or more, or leave it out (10).";
    found.push(facts.of_workload(Reason::HistoryTooShort, Severity::Refuse, message));
}

/// A StatefulSet whose pods are of two revisions, and that Tidegate does not hold. What it holds it brings to one by itself.
fn settled_ordinals(facts: &Facts<'_>, ordinals: &Ordinals, found: &mut Vec<Finding>) {
    let ours = ordinals.partition > 0 && facts.workload.paused_because.is_some();
    if ours || ordinals.current == ordinals.update {
        return;
    }
    let (namespace, name) = (facts.namespace(), &facts.seen.release.spec.workload_ref.name);
    let remedy = match ordinals.partition {
        0 => format!(
            "Let the rollout end (kubectl rollout status statefulset/{name} -n {namespace}), or undo it (kubectl rollout undo statefulset/{name} -n {namespace})"
        ),
        partition => {
            let let_go = wording::let_go(WorkloadKind::StatefulSet, namespace, name);
            format!(
                "Its partition {partition} keeps it there. Let it end ({let_go}), or give it the template of the first pods"
            )
        }
    };
    let message = format!(
        "ControllerRevisions {} (current) and {} (update) both stand, so neither of them is stable for sure. {remedy}.",
        ordinals.current, ordinals.update
    );
    found.push(facts.of_workload(Reason::NotSettled, Severity::Refuse, message));
}

/// A partition that Tidegate did not set keeps pods from every template, released or not.
pub(super) fn partition_by_others(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(ordinals) = facts.ordinals().filter(|ordinals| ordinals.partition > 0) else { return };
    if facts.workload.paused_because.is_some() || facts.is_under_way() {
        return;
    }
    let message = format!(
        "Its partition is {}, and Tidegate did not set it: some pods never get a template. Leave spec.updateStrategy.rollingUpdate.partition out of the manifest, and set it to 0: {}",
        ordinals.partition,
        wording::let_go(WorkloadKind::StatefulSet, facts.namespace(), &facts.seen.release.spec.workload_ref.name)
    );
    found.push(facts.of_workload(Reason::PausedByOthers, Severity::Warn, message));
}

/// Somebody who owns the field that holds the workload writes it at every apply.
pub(super) fn paused_by_others(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let kind = facts.seen.kind();
    let (reason, field) = match kind {
        WorkloadKind::Deployment => (Reason::PausedOwned, "paused"),
        WorkloadKind::StatefulSet => (Reason::PartitionOwned, "updateStrategy.rollingUpdate.partition"),
    };
    for manager in hold_owners(kind, &facts.around.workload) {
        let message = format!(
            "Field manager {manager} owns spec.{field}, which belongs to the gate: what it says has no effect, or stops a release half-way. Remove `{field}` from the manifest that {manager} applies."
        );
        found.push(facts.of_workload(reason, Severity::Warn, message));
    }
}

/// Where kubectl keeps what a client-side apply said last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A manifest that states a partition puts it back at every client-side apply, whoever owns the field. One of 0 lets a held
/// template go, as a person may.
pub(super) fn partition_in_manifest(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    if facts.ordinals().is_none() {
        return;
    }
    let annotations = labels(&facts.around.workload, "/metadata/annotations");
    let manifest = annotations.get(LAST_APPLIED).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let stated = manifest.as_ref().and_then(|it| it.pointer("/spec/updateStrategy/rollingUpdate/partition"));
    let Some(stated) = stated.and_then(Value::as_u64) else { return };
    let effect = match stated {
        0 => {
            "a kubectl apply of it by a person lets a held template go to all pods at once, which is recorded as Bypassed"
        }
        _ => "a kubectl apply of it by a person moves what Tidegate holds, in the middle of a release too",
    };
    let message = format!(
        "The manifest that was applied last (kubectl apply) states spec.updateStrategy.rollingUpdate.partition {stated}: {effect}. Remove `partition` from the manifest and apply it once while nothing is held."
    );
    found.push(facts.of_workload(Reason::PartitionStated, Severity::Warn, message));
}

/// The field managers, other than Tidegate, that own the field of a workload that holds it: `spec.paused` of a Deployment, the
/// partition of a StatefulSet.
///
/// The partition has a default, which belongs to whoever creates a StatefulSet by other means than a server-side apply: only
/// what somebody applies is asked for by a manifest.
pub fn hold_owners(kind: WorkloadKind, workload: &Value) -> Vec<String> {
    let applied = |entry: &&Value| text(entry, "/operation") == "Apply";
    let owns = |entry: &&Value| match kind {
        WorkloadKind::Deployment => entry.pointer(PAUSED).is_some(),
        WorkloadKind::StatefulSet => entry.pointer(PARTITION).is_some() && applied(entry),
    };
    let entries = list(workload, "/metadata/managedFields").iter();
    let mut names: Vec<_> = entries
        .filter(owns)
        .map(|entry| text(entry, "/manager").to_owned())
        .filter(|manager| manager != MANAGER)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// A reason counts once; who reads the annotation later takes it for a gate that is open.
pub(super) fn glass_stands(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(glass) = &facts.workload.break_glass else { return };
    let message = format!(
        "Its annotation {BREAK_GLASS} ({}) still stands. {}",
        at_most(REASON_MAX, glass.reason()),
        wording::glass_spent(facts.seen.kind(), facts.namespace(), &facts.seen.release.spec.workload_ref.name)
    );
    found.push(facts.of_workload(Reason::BreakGlassStands, Severity::Warn, message));
}

/// So much of a reason is told, in characters.
const REASON_MAX: usize = 100;

/// One autoscaler is fine; two fight, and one that is made by another controller takes no setting of ours.
pub(super) fn autoscalers(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let (kind, name) = (facts.seen.kind(), &facts.seen.release.spec.workload_ref.name);
    let ours: Vec<_> = facts
        .around
        .autoscalers
        .iter()
        .filter(|one| {
            text(one, "/spec/scaleTargetRef/kind") == kind.as_str() && text(one, "/spec/scaleTargetRef/name") == name
        })
        .collect();
    if let [_, second, ..] = ours.as_slice() {
        let names: Vec<_> = ours.iter().map(|one| text(one, "/metadata/name")).collect();
        let with_it = match facts.way {
            Way::Routes | Way::Beside => "the canary's",
            Way::Within => "the new version's share",
        };
        let message = format!(
            "HorizontalPodAutoscalers {} scale one {kind}: they undo each other's size, and with it {with_it}. Keep one.",
            names.join(" and ")
        );
        found.push(facts.finding(Reason::TwoAutoscalers, Severity::Warn, ("HorizontalPodAutoscaler", second), message));
    }
    for one in ours {
        let owner = list(one, "/metadata/ownerReferences").iter().find(|owner| text(owner, "/kind") == "ScaledObject");
        if let Some(owner) = owner {
            let message = format!(
                "KEDA makes it from ScaledObject {}: for the time of a release Tidegate applies selectPolicy Disabled in spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown there, because KEDA would put back what is set in the autoscaler. A ScaledObject that scales to zero (minReplicaCount 0) does so all the same: raise it for the time of a release.",
                text(owner, "/name")
            );
            found.push(facts.finding(
                Reason::AutoscalerOwned,
                Severity::Warn,
                ("HorizontalPodAutoscaler", one),
                message,
            ));
        }
    }
}
