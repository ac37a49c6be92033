//! A held Deployment without the ReplicaSet of stable: nothing can start stable again, and what is held must not run in its
//! place.
//!
//! While a Deployment is held, stable's ReplicaSet is an old one of it. With `revisionHistoryLimit` 0 the Deployment controller
//! deletes it as soon as it is scaled to nothing; a hand may delete it in any other. The only copy of stable's template in the
//! cluster goes with it. Where older ReplicaSets are kept, a paused Deployment starts the newest of them instead: another version,
//! which answers users, and is left to, because nobody else would; but nothing is compared with it or made of it.

use super::active::{Active, judged_revision};
use super::came_back::served_by_previous;
use super::idle::last_good;
use super::stable::{is_another, stable_set};
use super::step::{LOOK_AGAIN, Say, Step};
use crate::api::Span;
use crate::api::release_record::{Arm, Phase};
use crate::release::action::Action;
use crate::release::snapshot::{KindSeen, Record, ReplicaSetSeen, Snapshot, Workload};
use crate::release::split::Carrier;
use crate::release::{template, wording};

/// The reason of a hold for want of a stable version.
pub(in crate::release) const STABLE_LOST: &str = "StableLost";

/// Whether stable is known by its name alone: the workload is held with another template, and nothing of stable is left that runs
/// or could start.
pub(in crate::release) fn is_lost(seen: &Snapshot, workload: &Workload) -> bool {
    missing(seen, workload).is_some_and(|stable| is_held(workload) && stable != judged_revision(seen, workload))
}

/// Whether the template of a stable version that is known by its name alone is the workload's again.
pub(in crate::release) fn is_back(seen: &Snapshot, workload: &Workload) -> bool {
    missing(seen, workload).is_some_and(|stable| stable == judged_revision(seen, workload))
}

const fn is_held(workload: &Workload) -> bool {
    workload.paused && workload.paused_because.is_some()
}

/// The revision of which no ReplicaSet is left, though it is stable; none where one of those that are left may be it.
fn missing(seen: &Snapshot, workload: &Workload) -> Option<String> {
    let is_deployment = workload.kind == KindSeen::Deployment;
    let record = seen.record.as_ref().filter(|record| is_deployment && record.spec.workload_uid == workload.uid)?;
    let stable = stable_of(seen, record)?;
    let none = stable_set(seen, workload).is_none() && (nothing_starts(workload) || all_others(seen, workload, record));
    none.then_some(stable)
}

/// Whether what runs, or where nothing does, all that could start, is another version than stable.
fn all_others(seen: &Snapshot, workload: &Workload, record: &Record) -> bool {
    let runs = workload.sets.iter().any(ReplicaSetSeen::is_active);
    let mut able = workload.sets.iter().filter(|set| set.is_active() == runs);
    able.all(|set| {
        // What is held is not stable; where it runs all the same, somebody has let it.
        let is_held = template::same(&set.template, &workload.template);
        if is_held { !runs } else { is_another(seen, workload, record, set) }
    })
}

/// Whether nothing of a workload runs, and nothing but its template is left that could.
pub(super) fn nothing_starts(workload: &Workload) -> bool {
    let idle = !workload.sets.iter().any(ReplicaSetSeen::is_active);
    idle && (workload.sets.is_empty() || workload.keeps_no_history())
}

/// The revision that would start again if its ReplicaSet were there; none where that is not the workload's to do.
fn stable_of(seen: &Snapshot, record: &Record) -> Option<String> {
    let Some(status) = &record.status else { return record.spec.stable.clone() };
    let resumed = || status.promotion.as_ref().is_some_and(|promotion| promotion.resumed_at.is_some());
    let goes_home = || status.rollback.as_ref().is_some_and(|log| log.traffic_to == seen.service_of(Carrier::Workload));
    match (status.outcome, status.phase) {
        (Some(_), _) if served_by_previous(seen) => None,
        (Some(_), _) => last_good(seen),
        (None, _) if record.spec.arm == Arm::Workload => None,
        (None, Phase::Plan | Phase::Stage | Phase::Release) => record.spec.stable.clone(),
        (None, Phase::Promote) if !resumed() => record.spec.stable.clone(),
        (None, Phase::Rollback) if goes_home() => record.spec.stable.clone(),
        (None, Phase::Idle | Phase::Promote | Phase::Verify | Phase::Complete | Phase::Rollback) => None,
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

/// Stable's template is back from Git and no ReplicaSet has it: only letting the workload go starts its pods.
pub(super) fn let_go(active: &Active<'_>) -> Option<Action> {
    let workload = active.workload().filter(|workload| workload.paused && workload.kind == KindSeen::Deployment)?;
    let alone = nothing_starts(workload) || is_back(active.seen, workload);
    alone.then(|| Action::Resume { resource_version: workload.resource_version.clone() })
}

/// The same where no attempt goes on.
pub(super) fn back(seen: &Snapshot, workload: &Workload) -> Option<Step> {
    let sentence = "Stable's template is back, of which no ReplicaSet was left: the workload is let go.";
    let resume = || Action::Resume { resource_version: workload.resource_version.clone() };
    (is_held(workload) && is_back(seen, workload))
        .then(|| Step::going("Resuming", sentence.to_owned()).then(resume()).wake(LOOK_AGAIN))
}

fn message(seen: &Snapshot, workload: &Workload) -> String {
    let (namespace, name) = (&seen.release.namespace, &seen.release.spec.workload_ref.name);
    let why = match workload.keeps_no_history() {
        true => {
            "it was scaled to nothing while it was held, and with revisionHistoryLimit 0 Kubernetes deletes what has no pods"
        }
        false => "somebody deleted it",
    };
    let runs: Vec<_> = workload.sets.iter().filter(|set| set.is_active()).map(|set| set.name.as_str()).collect();
    let now = match (runs.as_slice(), workload.replicas) {
        ([], 0) if nothing_starts(workload) => "Nothing starts when it is scaled up.".to_owned(),
        ([], 0) => "What starts when it is scaled up is another version.".to_owned(),
        ([], _) => "Nothing runs, and users get no answer from it.".to_owned(),
        (runs, _) => format!(
            "Kubernetes started {} in its place, another version: it keeps answering users, but nothing is compared with it or promoted over it.",
            runs.join(" and ")
        ),
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
