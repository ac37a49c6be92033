//! Phase Promote: the workload itself takes the new version over while the canary serves, then gets the traffic back.

use super::active::{Active, Template, previous_size};
use super::step::{LOOK_AGAIN, Step};
use super::verify::on_verdict;
use super::{agree, halt, lost, roll_back, stable, stranded, way_home};
use crate::api::Weight;
use crate::api::release_record::{Outcome, Phase, Promotion, ReleaseRecordStatus, Trigger};
use crate::policy::schedule::LEAN_MAX;
use crate::release::action::Action;
use crate::release::snapshot::Workload;
use crate::release::split::{Carrier, Split};
use crate::release::{objects, template};

/// The hold of a promotion in whose workload another template was let run.
pub(super) const OVERTAKEN: &str = "Overtaken";

/// What the workload gets back first.
pub(super) const HALF: Weight = Weight::whole(50);

pub(super) fn step(active: &Active<'_>) -> Step {
    let Some(workload) = active.workload() else { return Step::going("Promoting", "The workload is gone.".to_owned()) };
    if let Some(step) = super::release::hurts(active) {
        return step;
    }
    let promotion = active.status.promotion.clone().unwrap_or_default();
    if !workload.paused {
        match active.template(workload) {
            Template::Ours => {}
            Template::Stable => return template_back(active),
            Template::Newer => return overtaken(active, workload),
        }
    }
    let resumed = promotion.resumed_at.or_else(|| already_rolling(active, workload).then_some(active.now));
    match (resumed, promotion.half_at, promotion.passed_at, promotion.home_at) {
        (None, ..) => warm_previous(active, workload),
        (Some(_), ..) if promotion.resumed_at.is_none() => Step::going("Promoting", "The workload rolls.".to_owned())
            .update(active, with(active, Promotion { resumed_at: resumed, ..promotion })),
        (Some(since), None, ..) => match (roll(active, workload, since), promotion.rolled_at) {
            (Some(step), None) => step,
            (None, None) => Step::going("Promoting", "The workload runs the new version.".to_owned())
                .update(active, with(active, Promotion { rolled_at: Some(active.now), ..promotion })),
            (_, Some(rolled)) => hand_back_half(active, rolled, &promotion),
        },
        (_, Some(half), None, _) => judge_half(active, half, &promotion),
        (_, _, Some(_), None) => take_home(active, &promotion),
        (_, _, _, Some(_)) => drop_canary(active),
    }
}

/// The controller died between letting the workload go and writing so.
fn already_rolling(active: &Active<'_>, workload: &Workload) -> bool {
    let let_go = !workload.paused && active.template(workload) == Template::Ours;
    let_go || active.new_set().is_some_and(|set| set.replicas > 0)
}

fn with(active: &Active<'_>, promotion: Promotion) -> ReleaseRecordStatus {
    ReleaseRecordStatus { promotion: Some(promotion), ..active.next() }
}

/// The old template is brought up beside the workload before the workload lets go of it: the way back stays one write.
fn warm_previous(active: &Active<'_>, workload: &Workload) -> Step {
    if let Some(step) = roll_back::template_moved(active) {
        return step;
    }
    // A lean release keeps its way back in the workload as long as people are waited for.
    if let Some(hold) = halt::before_more(active).or_else(|| agree::before_rest(active)) {
        return hold;
    }
    // Nothing else has the template of the way back.
    let patience = active.seen.release.spec.strategy.ready_within;
    if let Some(hold) =
        lost::hold(active, workload, patience).filter(|_| active.deployment(Carrier::Previous).is_none())
    {
        return hold;
    }
    let lean = active.is_lean();
    let carried =
        if lean && active.weight(Carrier::Workload) > Weight::ZERO { Split::canary(LEAN_MAX) } else { carried(active) };
    if let Some(step) = carry(active, carried) {
        return step;
    }
    let (size, since) = (previous_size(active), active.status.phase_since);
    match active.bring_up(Carrier::Previous, size) {
        Err(problem) => {
            return active.hold(problem.reason, problem.message, active.seen.release.spec.strategy.ready_within);
        }
        Ok(writes) if !writes.is_empty() => {
            return active.wait_for(writes, since, "WarmingPrevious", "the previous version is being created");
        }
        Ok(_) => {}
    }
    if let Err(what) = active.ready(Carrier::Previous, size) {
        return active.wait(since, "WarmingPrevious", &what);
    }
    // A lean release takes its users off the workload only now, because somebody else can answer them now.
    if let Some(step) = carry(active, self::carried(active)) {
        return step;
    }
    if let Err(why) = active.effective() {
        return active.wait_for_router(since, "WarmingPrevious", &why);
    }
    // A route that is gone may come back in mid-roll, with all users on the workload.
    if let Some(problem) = active.steering_problem() {
        let patience = active.seen.release.spec.strategy.ready_within;
        return active.hold(problem.reason, problem.message.clone(), patience);
    }
    // From here on the roll goes on by itself: it begins while somebody watches.
    if let Some(hold) = agree::unwatched(active) {
        return hold;
    }
    let going = || {
        let sentence =
            format!("{} is let go in the workload; the canary carries the traffic meanwhile.", active.name());
        Step::going("Promoting", sentence).wake(LOOK_AGAIN)
    };
    if active.template(workload) == Template::Ours {
        return going().then(Action::Resume { resource_version: workload.resource_version.clone() });
    }
    // A newer template waits in the workload: what was judged is given to it as a ReplicaSet, while it stays paused.
    let given = match (active.new_set(), active.deployment(Carrier::Canary)) {
        (Some(set), _) => Ok(stable::scale(set, workload.replicas)),
        (None, Some(canary)) => {
            let object = objects::judged_set(active.seen, workload, canary, &active.record.spec.revision);
            object.map(|object| Action::CreateReplicaSet { object })
        }
        (None, None) => return active.wait(since, "Promoting", "the canary is gone"),
    };
    match given {
        Ok(action) => going().then(action),
        Err(problem) => active.hold(problem.reason, problem.message, active.seen.release.spec.strategy.ready_within),
    }
}

/// A person let the stable template run again in the middle of the promotion.
fn template_back(active: &Active<'_>) -> Step {
    let value = "the template went back to the stable one".to_owned();
    roll_back::begin(active, Trigger::Reverted, value, "the template stays".to_owned())
}

/// Another template was let run in the workload past the gate: who did so wants it to serve. It gets the traffic as soon as
/// it is ready, and this attempt ends there; the bypass is put on record by the next look.
pub(super) fn overtaken(active: &Active<'_>, workload: &Workload) -> Step {
    let how = workload.under_glass().map_or("without being held".to_owned(), |why| format!("under break-glass: {why}"));
    let theirs = workload.sets.iter().find(|set| template::same(&set.template, &workload.template));
    let ready = theirs.is_some_and(|set| set.available >= workload.replicas)
        && active.endpoints(Carrier::Workload) >= workload.replicas;
    if !ready && active.weight(Carrier::Workload) < Weight::FULL {
        let message = format!(
            "Another template runs in the workload {how}. {} carries the traffic until it is ready; then it gets all of it.",
            active.name()
        );
        return active.hold(OVERTAKEN, message, active.seen.release.spec.strategy.ready_within).wake(LOOK_AGAIN);
    }
    let going = || {
        let sentence = format!("Another template runs in the workload {how}: it takes all traffic.");
        Step::going("Leaving", sentence)
    };
    if let Some(step) = way_home::go(active.seen, active.now, going) {
        return step;
    }
    active.seal(Outcome::Superseded, format!("Another template was let run in the workload {how}."))
}

/// Who answers users while the workload rolls.
pub(super) fn carried(active: &Active<'_>) -> Split {
    if active.is_lean() { Split::LEAN } else { Split::canary(Weight::FULL) }
}

/// The workload is not let go, nor finished, while a route sends users to it.
fn carry(active: &Active<'_>, split: Split) -> Option<Step> {
    let writes = active.steer(split);
    if writes.is_empty() {
        return None;
    }
    if let Some(step) = stranded::nobody_to_restore(active, split) {
        return Some(step);
    }
    let sentence = "The workload has no users while it rolls: they are answered by the others meanwhile.";
    Some(Step::going("Restoring", sentence.to_owned()).all(writes).wake(LOOK_AGAIN))
}

/// Waits until the workload runs the new template with all its pods and nothing else.
fn roll(active: &Active<'_>, workload: &Workload, since: crate::api::Time) -> Option<Step> {
    if active.status.promotion.as_ref().is_none_or(|promotion| promotion.rolled_at.is_none())
        && let Some(step) = carry(active, carried(active))
    {
        return Some(step);
    }
    if active.new_set().is_none() {
        return Some(active.wait(since, "Promoting", "the workload has not begun to roll"));
    }
    if let Some(step) = to_one_revision(active, workload) {
        return Some(step);
    }
    let what = match active.ready(Carrier::Workload, workload.replicas) {
        Err(what) => what,
        Ok(()) if active.others_run(workload) => "pods of the former template still run".to_owned(),
        Ok(()) => return None,
    };
    Some(active.wait(since, "Promoting", &what))
}

/// A newer template arrived in the middle of the roll and was paused by admission: this one is finished first.
pub(super) fn to_one_revision(active: &Active<'_>, workload: &Workload) -> Option<Step> {
    // Without a pod of this one there is nothing to finish: the roll goes back at its deadline.
    let new = active.new_set().filter(|set| set.replicas > 0)?;
    if !workload.paused || active.template(workload) == Template::Ours {
        return None;
    }
    let others = workload.sets.iter().filter(|set| set.name != new.name && set.replicas > 0);
    let writes: Vec<_> = others.map(|set| stable::scale(set, 0)).collect();
    let sentence =
        "A newer template arrived in the middle of the promotion: the workload is finished to one revision first.";
    (!writes.is_empty()).then(|| Step::going("Promoting", sentence.to_owned()).all(writes).wake(LOOK_AGAIN))
}

fn hand_back_half(active: &Active<'_>, since: crate::api::Time, promotion: &Promotion) -> Step {
    // In a lean release these are users whom nobody let meet the new version before.
    if let Some(hold) = halt::before_more(active).or_else(|| agree::before_rest(active)) {
        return hold;
    }
    let writes = active.steer(Split::hand_back(HALF));
    if !writes.is_empty() {
        return Step::going(
            "HandingBack",
            "Half of the traffic goes back to the workload, which runs the new version now.".to_owned(),
        )
        .all(writes)
        .wake(LOOK_AGAIN);
    }
    if let Err(why) = active.effective() {
        return active.wait_for_router(since, "HandingBack", &why);
    }
    let next = with(active, Promotion { half_at: Some(active.now), ..promotion.clone() });
    Step::going("HandingBack", half(active, active.now)).update(active, next)
}

fn half(active: &Active<'_>, since: crate::api::Time) -> String {
    let until = since.plus(active.seen.release.spec.strategy.hand_back);
    format!("Half of the traffic is back on the workload and is watched until {}.", until.clock())
}

fn judge_half(active: &Active<'_>, since: crate::api::Time, promotion: &Promotion) -> Step {
    let until = since.plus(active.seen.release.spec.strategy.hand_back);
    if let Some(step) = stranded::nobody_to_restore(active, Split::hand_back(HALF)) {
        return step;
    }
    let writes = active.steer(Split::hand_back(HALF));
    if !writes.is_empty() {
        return Step::going(
            "Restoring",
            "The rules of a route or their weights were changed: the weights are put back.".to_owned(),
        )
        .all(writes)
        .wake(LOOK_AGAIN);
    }
    let going = || Step::going("HandingBack", half(active, since));
    on_verdict(active, since, until, going, |_| {
        let next = with(active, Promotion { passed_at: Some(active.now), ..promotion.clone() });
        Step::going("HandingBack", "The workload did well with half of the traffic.".to_owned()).update(active, next)
    })
}

fn take_home(active: &Active<'_>, promotion: &Promotion) -> Step {
    let writes = active.steer(Split::hand_back(Weight::FULL));
    if !writes.is_empty() {
        return Step::going("HandingBack", "All traffic goes back to the workload.".to_owned())
            .all(writes)
            .wake(LOOK_AGAIN);
    }
    if let Err(why) = active.effective() {
        return active.wait_for_router(promotion.passed_at.unwrap_or(active.now), "HandingBack", &why);
    }
    let next = with(active, Promotion { home_at: Some(active.now), ..promotion.clone() });
    Step::going("HandingBack", "All traffic is back on the workload.".to_owned()).update(active, next)
}

/// The canary drains, leaves the route, then goes.
fn drop_canary(active: &Active<'_>) -> Step {
    let home = active.status.promotion.as_ref().and_then(|promotion| promotion.home_at).unwrap_or(active.now);
    let drained = home.plus(active.seen.release.spec.strategy.drain);
    if active.now < drained {
        return Step::going("Draining", "The canary finishes the requests that it has.".to_owned())
            .wake(drained.since(active.now));
    }
    let writes = active.steer(Split::previous(Weight::ZERO));
    if !writes.is_empty() {
        return Step::going("Draining", "The canary leaves the route.".to_owned()).all(writes).wake(LOOK_AGAIN);
    }
    if let Err(why) = active.effective() {
        return active.wait_for_router(drained, "Draining", &why);
    }
    if active.is_left(Carrier::Canary) {
        return Step::going("Draining", "The canary goes.".to_owned())
            .then(Action::Delete { carrier: Carrier::Canary })
            .wake(LOOK_AGAIN);
    }
    Step::going(
        "Verifying",
        format!(
            "{} is promoted: it is verified for {} with the previous version kept warm.",
            active.name(),
            active.status.verify
        ),
    )
    .update(active, active.enter(Phase::Verify))
}
