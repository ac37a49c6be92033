//! Phase Stage: the new version comes up, ready and known to the router, without a single request.

use super::active::Active;
use super::step::{LOOK_AGAIN, Step};
use super::{autoscaler, roll_back, stable, stranded};
use crate::api::Weight;
use crate::api::release_record::{Arm, Phase};
use crate::release::action::Action;
use crate::release::split::{Carrier, Split};

pub(super) fn step(active: &Active<'_>) -> Step {
    if let Some(step) = roll_back::template_moved(active) {
        return step;
    }
    if let Some(step) = stable::keep(active, active.seen.release.spec.strategy.ready_within) {
        return step;
    }
    if let Some(problem) = active.problems.iter().find(|problem| problem.steering || problem.reason == "NameTaken") {
        let patience = active.seen.release.spec.strategy.ready_within;
        return active.hold(problem.reason, problem.message.clone(), patience);
    }
    match active.record.spec.arm {
        Arm::Canary => canary(active),
        Arm::Workload => workload(active),
    }
}

fn canary(active: &Active<'_>) -> Step {
    let first = active.status.stages.first().map_or(Weight::FULL, |stage| stage.spec.weight);
    let size = active.canary_size(first);
    let since = active.status.phase_since;
    match active.bring_up(Carrier::Canary, size) {
        Err(problem) => {
            return active.hold(problem.reason, problem.message, active.seen.release.spec.strategy.ready_within);
        }
        Ok(writes) if !writes.is_empty() => {
            return active.wait_for(writes, since, "BringingUp", "the canary is being created");
        }
        Ok(_) => {}
    }
    if let Err(what) = active.ready(Carrier::Canary, size) {
        return active.wait(since, "BringingUp", &what);
    }
    let writes = autoscaler::hold(active.seen);
    if !writes.is_empty() {
        return active.wait_for(writes, since, "HoldingAutoscaler", "the workload's autoscaler is being held");
    }
    let writes = active.steer(Split::canary(Weight::ZERO));
    if !writes.is_empty() {
        return Step::going("BindingRoute", format!("{} is ready: the route learns of it at weight 0.", active.name()))
            .all(writes)
            .wake(LOOK_AGAIN);
    }
    effective_then_release(active)
}

/// After a late rollback the workload has no traffic, so the new template runs there and is judged from there.
fn workload(active: &Active<'_>) -> Step {
    let Some(workload) = active.workload() else { return Step::going("Waiting", "The workload is gone.".to_owned()) };
    let since = active.status.phase_since;
    if let Some(step) = stranded::nobody_to_restore(active, Split::previous(Weight::FULL)) {
        return step;
    }
    let writes = active.steer(Split::previous(Weight::FULL));
    if !writes.is_empty() {
        return Step::going("Restoring", "The previous version keeps all traffic while the workload rolls.".to_owned())
            .all(writes)
            .wake(LOOK_AGAIN);
    }
    if workload.paused {
        return Step::going("BringingUp", format!("{} comes up in the workload, which has no traffic.", active.name()))
            .then(Action::Resume { resource_version: workload.resource_version.clone() })
            .wake(LOOK_AGAIN);
    }
    if let Err(what) = active.ready(Carrier::Workload, workload.replicas) {
        return active.wait(since, "BringingUp", &what);
    }
    if active.others_run(workload) {
        // The version that came back: it must be gone before the workload has users again.
        return active.wait(since, "BringingUp", "pods of the former template still run");
    }
    effective_then_release(active)
}

fn effective_then_release(active: &Active<'_>) -> Step {
    if let Err(why) = active.effective() {
        return active.wait_for_router(active.status.phase_since, "BindingRoute", &why);
    }
    Step::going("Releasing", format!("{} is ready and known to the router: it takes its first traffic.", active.name()))
        .update(active, active.enter(Phase::Release))
}
