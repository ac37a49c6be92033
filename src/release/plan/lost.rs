//! A held Deployment without the ReplicaSet of stable: nothing can start stable again, and what is held must not run in its
//! place.
//!
//! While a Deployment is held, stable's ReplicaSet is an old one of it. With `revisionHistoryLimit` 0 the Deployment controller
//! deletes it as soon as it is scaled to nothing, and the only copy of stable's template in the cluster goes with it.

use super::active::{Active, judged_revision};
use super::came_back::served_by_previous;
use super::idle::last_good;
use super::stable::stable_set;
use super::step::{LOOK_AGAIN, Say, Step};
use crate::api::Span;
use crate::api::release_record::{Arm, Phase};
use crate::release::action::Action;
use crate::release::snapshot::{KindSeen, Record, Snapshot, Workload};
use crate::release::wording;

/// The reason of a hold for want of a stable version.
pub(in crate::release) const STABLE_LOST: &str = "StableLost";

/// Whether stable is known by its name alone: the workload is held with another template, nothing of it runs, and nothing of
/// stable is left that could start.
pub(in crate::release) fn is_lost(seen: &Snapshot, workload: &Workload) -> bool {
    let held = workload.paused && workload.paused_because.is_some() && workload.kind == KindSeen::Deployment;
    let Some(record) = seen.record.as_ref().filter(|record| held && record.spec.workload_uid == workload.uid) else {
        return false;
    };
    let stable = stable_of(seen, record).filter(|_| nothing_starts(workload) && stable_set(seen, workload).is_none());
    stable.is_some_and(|stable| stable != judged_revision(seen, workload))
}

/// Whether nothing of a workload runs, and nothing but its template is left that could. Where other ReplicaSets are kept, one of
/// them may start: that is seen when it does.
pub(super) fn nothing_starts(workload: &Workload) -> bool {
    let idle = !workload.sets.iter().any(|set| set.is_active());
    idle && (workload.sets.is_empty() || workload.keeps_no_history())
}

/// The revision that would start again if its ReplicaSet were there; none where that is not the workload's to do.
fn stable_of(seen: &Snapshot, record: &Record) -> Option<String> {
    let Some(status) = &record.status else { return record.spec.stable.clone() };
    match (status.outcome, status.phase) {
        (Some(_), _) if served_by_previous(seen) => None,
        (Some(_), _) => last_good(seen),
        (None, Phase::Plan | Phase::Stage | Phase::Release) if record.spec.arm == Arm::Canary => {
            record.spec.stable.clone()
        }
        (None, _) => None,
    }
}

/// No attempt goes on: what is told; none where stable is there.
pub(super) fn told(seen: &Snapshot, workload: &Workload) -> Option<Step> {
    let lost = is_lost(seen, workload);
    lost.then(|| Step::says(Say::Unsettled(STABLE_LOST, message(seen, workload))).wake(LOOK_AGAIN))
}

/// An attempt that goes on is held; none where stable is there.
pub(super) fn hold(active: &Active<'_>, workload: &Workload, patience: Span) -> Option<Step> {
    let lost = is_lost(active.seen, workload);
    lost.then(|| active.hold_for(STABLE_LOST, message(active.seen, workload), patience).wake(LOOK_AGAIN))
}

/// Stable's template is back from Git and nothing has its pods: only letting the workload go starts them.
pub(super) fn let_go(active: &Active<'_>) -> Option<Action> {
    let workload = active.workload().filter(|workload| workload.paused && workload.kind == KindSeen::Deployment)?;
    nothing_starts(workload).then(|| Action::Resume { resource_version: workload.resource_version.clone() })
}

fn message(seen: &Snapshot, workload: &Workload) -> String {
    let (namespace, name) = (&seen.release.namespace, &seen.release.spec.workload_ref.name);
    let why = match workload.keeps_no_history() {
        true => {
            "it was scaled to nothing while it was held, and with revisionHistoryLimit 0 Kubernetes deletes what has no pods"
        }
        false => "somebody deleted it",
    };
    let now = match workload.replicas {
        0 => "Nothing starts when it is scaled up.",
        _ => "Nothing runs, and users get no answer from it.",
    };
    let then = match workload.keeps_no_history() {
        true => " Then set spec.revisionHistoryLimit to 1 or more.",
        false => "",
    };
    let let_go = wording::let_go(seen.kind(), namespace, name);
    format!(
        "Deployment {name} is held with a new template, and the ReplicaSet of stable, which alone had stable's template, is gone: {why}. {now} The new template does not run ungated in its place. Revert in Git: stable's template is let go at once. Or let the new one run ungated: {let_go}.{then}"
    )
}
