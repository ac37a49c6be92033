//! A version that hurts after the workload has taken it over. Nothing can withdraw it: the Service sends requests to
//! whatever is ready, and the former pods are gone. That is said plainly, a revert in Git ships at once, and where none comes
//! the attempt is closed as what it is.

use super::super::active::{Active, NO_WAY_BACK, REVERT_NOT_READY, Template};
use super::super::roll_back::{afterwards, came_home};
use super::super::step::{LOOK_AGAIN, Step};
use super::{drop_canary, is_former, patience};
use crate::api::release_record::{Outcome, Phase, ReleaseRecordStatus, RollbackLog};
use crate::release::action::Action;
use crate::release::snapshot::{Snapshot, Workload};
use crate::release::split::Carrier;
use crate::release::wording;

/// Whether a rollback began when the workload had taken the version over.
pub(in crate::release) fn is_late(seen: &Snapshot, status: &ReleaseRecordStatus, log: &RollbackLog) -> bool {
    use crate::api::gated_release::WorkloadKind;
    let resumed = status.promotion.as_ref().is_some_and(|promotion| promotion.resumed_at.is_some());
    let phase = log.phase == Phase::Verify || log.phase == Phase::Promote && resumed;
    seen.by_count() && seen.kind() == WorkloadKind::Deployment && phase
}

pub(super) fn sentence(active: &Active<'_>, log: &RollbackLog) -> String {
    let (namespace, name) = (&active.seen.release.namespace, &active.seen.release.spec.workload_ref.name);
    format!(
        "{} should go back ({}), and cannot: it runs in the workload itself, and no route could send users elsewhere. Revert in Git, or run kubectl rollout undo deployment/{name} -n {namespace}: either ships at once, without stages.",
        active.name(),
        wording::why(log)
    )
}

pub(super) fn step(active: &Active<'_>, log: &RollbackLog) -> Step {
    if let Some(step) = drop_canary(active) {
        return step;
    }
    let Some(workload) = active.workload() else { return stays(active, "the workload is gone") };
    if is_former(active, workload) {
        return revert(active, workload, log);
    }
    if active.template(workload) == Template::Newer {
        return stays(active, "a newer template takes its place");
    }
    active.hold_until(NO_WAY_BACK, &sentence(active, log), patience(active), |_| {
        stays(active, "nobody reverted it in time")
    })
}

/// The former template is back in the workload: it is let go at once, and is home when nothing else runs.
fn revert(active: &Active<'_>, workload: &Workload, log: &RollbackLog) -> Step {
    let going = || {
        Step::going("RollingBack", format!("{} goes back: the workload rolls to the former template.", active.name()))
            .wake(LOOK_AGAIN)
    };
    if workload.paused {
        return going().then(Action::Resume { resource_version: workload.resource_version.clone() });
    }
    let own = |set: &&crate::release::snapshot::ReplicaSetSeen| {
        crate::release::template::same(&set.template, &workload.template)
    };
    let available = workload.sets.iter().find(own).map_or(0, |set| set.available);
    let others = workload.sets.iter().any(|set| !own(&set) && set.existing > 0);
    if available < workload.replicas || others {
        return not_ready(active, workload, available);
    }
    match log.home_at {
        None => going().update(active, came_home(active, log)),
        Some(home_at) => afterwards(active, log, Carrier::Workload, home_at),
    }
}

/// The former template rolls, which takes as long as its pods take. Nobody can make it faster than its own controller does, and
/// nothing is left to decide: an attempt that is not home in time ends with that word.
fn not_ready(active: &Active<'_>, workload: &Workload, available: u32) -> Step {
    let (namespace, name) = (&active.seen.release.namespace, &active.seen.release.spec.workload_ref.name);
    let look = format!("kubectl rollout status deployment/{name} -n {namespace}");
    let message = format!(
        "{} goes back: the workload rolls to the former template, and is not all there with it. Look: {look}",
        active.name()
    );
    active.hold_until(REVERT_NOT_READY, &message, active.seen.release.spec.strategy.ready_within, |hold| {
        let summary = format!(
            "The former template was let go, and {available} of {} pods were ready with it at {}. Its roll goes on by itself: {look}",
            workload.replicas,
            hold.deadline.clock()
        );
        active.seal(Outcome::Reverted, summary)
    })
    .wake(LOOK_AGAIN)
}

/// Closes the attempt as what it is.
pub(super) fn stays(active: &Active<'_>, why: &str) -> Step {
    if let Some(step) = drop_canary(active) {
        return step;
    }
    let reason = active.status.rollback.as_ref().map(wording::why).unwrap_or_default();
    active.seal(Outcome::NotWithdrawn, format!("Not withdrawn ({reason}): {why}. It is what the workload runs."))
}
