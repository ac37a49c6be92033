//! Phase Release: traffic in stages; each weight rests on the recorded verdict of the one before.

use super::active::Active;
use super::step::{LOOK_AGAIN, Step};
use super::verify::{on_verdict, verdict_now, with_stables_latency};
use super::{agree, burn, came_back, ledger, roll_back, stable, stranded};
use crate::analysis::Verdict;
use crate::api::release_record::{Arm, Phase, StageRecord, Trigger};
use crate::api::{Span, Time, Weight};
use crate::release::split::Carrier;
use crate::release::wording;

pub(super) fn step(active: &Active<'_>) -> Step {
    if let Some(step) = roll_back::template_moved(active) {
        return step;
    }
    if let Some(step) = hurts(active) {
        return step;
    }
    if let Some(step) = stable::keep(active, active.seen.release.spec.analysis.evidence_within) {
        return step;
    }
    if let Some(problem) = active.steering_problem() {
        return active.hold(problem.reason, problem.message.clone(), active.seen.release.spec.analysis.evidence_within);
    }
    let Some(stage) = active.status.stages.get(active.status.stage as usize) else {
        // Cannot be: the record was opened with stages. Nothing is raised; the release ends as a hold would.
        return active.hold("RecordBroken", "The record names a stage that it does not have.".to_owned(), Span::ZERO);
    };
    match stage.started_at {
        None => raise(active, stage),
        Some(started) => bake(active, stage, started),
    }
}

/// The pods first, then the weight, then the clock. What is charged is charged with the first weight, when nothing holds it any more.
fn raise(active: &Active<'_>, stage: &StageRecord) -> Step {
    let (weight, since) = (stage.spec.weight, active.raise_since());
    if let Some(step) = below(active, weight) {
        return step;
    }
    let approvals = match agree::before_stage(active, active.weight(candidate(active)) > Weight::ZERO) {
        Ok(approvals) => approvals,
        Err(hold) => return *hold,
    };
    if let Some(step) = scale(active, weight, since) {
        return step;
    }
    let writes = active.steer(active.split(weight));
    if !writes.is_empty() {
        let step = Step::going("Raising", format!("{} goes to {weight} of the traffic.", active.name()));
        return ledger::before_users(active, step.all(writes).wake(LOOK_AGAIN));
    }
    if let Err(why) = active.effective() {
        return active.wait_for_router(since, "Raising", &why);
    }
    let step = Step::going("Baking", baking(active, stage, active.now));
    ledger::before_users(active, step.update(active, agree::begin_stage(active, approvals)))
}

/// Who has the version that is judged.
fn candidate(active: &Active<'_>) -> Carrier {
    match active.record.spec.arm {
        Arm::Canary => Carrier::Canary,
        Arm::Workload => Carrier::Workload,
    }
}

/// While a version that is judged in the workload waits for its next weight, a route that was made anew or put back would send
/// everybody to it: it gets the weight that passed last, and none before the first. None where the routes say that or the next.
fn below(active: &Active<'_>, next: Weight) -> Option<Step> {
    let (had, next) = (active.split(active.weight_before()), active.split(next));
    let strange = active.routes().any(|(_, route)| !route.is(had) && !route.is(next));
    if active.record.spec.arm != Arm::Workload || !strange {
        return None;
    }
    let sentence = "The rules of a route or their weights were changed: the weights that passed last are put back.";
    let step = || came_back::put_back(active, sentence.to_owned()).all(active.steer(had)).wake(LOOK_AGAIN);
    Some(stranded::nobody_to_restore(active, had).unwrap_or_else(step))
}

fn baking(active: &Active<'_>, stage: &StageRecord, started: Time) -> String {
    format!(
        "{} has {} of the traffic and is watched until {}.",
        active.name(),
        stage.spec.weight,
        started.plus(stage.spec.bake).clock()
    )
}

/// Brings the pods of the version that is judged to the size that its weight needs.
fn scale(active: &Active<'_>, weight: Weight, since: Time) -> Option<Step> {
    let (carrier, size) = match active.record.spec.arm {
        Arm::Canary => (Carrier::Canary, canary_size(active, weight)),
        Arm::Workload => (Carrier::Workload, active.workload().map_or(0, |workload| workload.replicas)),
    };
    if carrier == Carrier::Canary {
        match active.bring_up(carrier, size) {
            Err(problem) => {
                return Some(active.hold(
                    problem.reason,
                    problem.message,
                    active.seen.release.spec.analysis.evidence_within,
                ));
            }
            Ok(writes) if !writes.is_empty() => {
                return Some(active.wait_for(writes, since, "Scaling", "the canary is being scaled"));
            }
            Ok(_) => {}
        }
    }
    active.ready(carrier, size).err().map(|what| active.wait(since, "Scaling", &what))
}

/// A canary that serves never shrinks, whatever an autoscaler thinks of the workload beside it.
fn canary_size(active: &Active<'_>, weight: Weight) -> u32 {
    let have = active.deployment(Carrier::Canary).map_or(0, |deployment| deployment.replicas);
    let serves = active.weight(Carrier::Canary) > Weight::ZERO;
    active.canary_size(weight).max(if serves { have } else { 0 })
}

fn bake(active: &Active<'_>, stage: &StageRecord, started: Time) -> Step {
    // Where another writer got past the admission policy the weights are written again: the stage goes on at its weight.
    if let Some(step) = stranded::nobody_to_restore(active, active.split(stage.spec.weight)) {
        return step;
    }
    let writes = active.steer(active.split(stage.spec.weight));
    if !writes.is_empty() {
        return Step::going(
            "Restoring",
            format!("The rules of a route or their weights were changed: {} is put back.", stage.spec.weight),
        )
        .all(writes)
        .wake(LOOK_AGAIN);
    }
    let until = started.plus(stage.spec.bake);
    let going = || Step::going("Baking", baking(active, stage, started));
    on_verdict(active, started, until, going, |verdict| pass(active, verdict))
}

/// Ends a release that hurts users now, whatever its phase is waiting for: nobody ready behind a weight, containers that
/// crash while they serve, or a limit that is exceeded.
pub(super) fn hurts(active: &Active<'_>) -> Option<Step> {
    no_pod_serves(active).or_else(|| breach(active))
}

/// Users would be answered by the router alone.
fn no_pod_serves(active: &Active<'_>) -> Option<Step> {
    let serves = |carrier| active.weight(carrier) > Weight::ZERO;
    let beside = active.crashes().filter(|_| serves(Carrier::Canary));
    let within = || active.crashes_in_workload().filter(|_| serves(Carrier::Workload) && active.workload_is_new());
    if let Some(crash) = beside.or_else(within) {
        let wanted = "no container crashes while it serves".to_owned();
        return Some(roll_back::begin(active, Trigger::Crashed, crash.to_owned(), wanted));
    }
    let new = [(Carrier::Canary, true), (Carrier::Workload, active.workload_is_new())];
    let dead =
        new.into_iter().find(|(carrier, is_new)| *is_new && serves(*carrier) && active.endpoints(*carrier) == 0)?.0;
    let value = format!("0 {dead} endpoints are ready");
    Some(roll_back::begin(active, Trigger::NotReady, value, "at least 1 while it serves".to_owned()))
}

fn breach(active: &Active<'_>) -> Option<Step> {
    match verdict_now(active)? {
        Verdict::Fail(breach) => Some(roll_back::begin(active, breach.trigger, breach.value, breach.threshold)),
        Verdict::Pass(_) | Verdict::NotYet(_) => None,
    }
}

fn pass(active: &Active<'_>, verdict: &Verdict) -> Step {
    let last = active.status.stage as usize + 1 == active.status.stages.len();
    let mut next = if last { active.enter(after_last(active)) } else { active.next() };
    // Each stage is checked anew.
    next.checks.clear();
    // A record stays small however many stages it has.
    let room = (1_600 / active.status.stages.len().max(1)).clamp(64, 512);
    if let (Some(stage), Verdict::Pass(why)) = (next.stages.get_mut(active.status.stage as usize), verdict) {
        stage.passed_at = Some(active.now);
        stage.verdict = wording::at_most(room, &format!("{why}{}", burn::unseen(active)));
    }
    if !last {
        next.stage += 1;
    }
    // At full weight stable answers only what was under way: that is no baseline.
    let full =
        active.status.stages.get(active.status.stage as usize).is_some_and(|stage| stage.spec.weight == Weight::FULL);
    let next = if full { next } else { with_stables_latency(active, next) };
    let sentence = format!("Stage {} of {} passed.", active.status.stage + 1, active.status.stages.len());
    Step::going("StagePassed", sentence).update(active, next)
}

const fn after_last(active: &Active<'_>) -> Phase {
    match active.record.spec.arm {
        Arm::Canary => Phase::Promote,
        // The workload is what was judged: there is nothing to hand over.
        Arm::Workload => Phase::Verify,
    }
}
