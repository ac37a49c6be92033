//! Phases Stage and Release: pods of the new version in stages; each number rests on the recorded verdict of the one before.

use super::super::active::{Active, Template};
use super::super::step::Step;
use super::super::verify::{on_verdict, verdict_now, with_stables_latency};
use super::super::{agree, autoscaler, burn, ledger, stable};
use super::{Exposure, begin, exposure};
use crate::analysis::Verdict;
use crate::api::Time;
use crate::api::release_record::{Phase, StageRecord, Trigger};
use crate::release::action::Action;
use crate::release::wording;

/// Nothing can come up without users, because the Service sends requests to every ready pod: there is nothing to stage but
/// the hands of autoscalers.
pub(super) fn prepare(active: &Active<'_>) -> Step {
    if let Some(step) = common(active) {
        return step;
    }
    let writes = autoscaler::hold(active.seen);
    if !writes.is_empty() {
        let since = active.status.phase_since;
        return active.wait_for(writes, since, "HoldingAutoscaler", "the workload's autoscaler is being held");
    }
    Step::going("Releasing", format!("{} gets its first pods, and with them users.", active.name()))
        .update(active, active.enter(Phase::Release))
}

/// What ends or holds a release before the workload is let go.
fn common(active: &Active<'_>) -> Option<Step> {
    if let Some(step) = template_moved(active) {
        return Some(step);
    }
    if let Some(step) = hurts(active) {
        return Some(step);
    }
    let patience = active.seen.release.spec.analysis.evidence_within;
    if let Some(step) = stable::keep(active, patience) {
        return Some(step);
    }
    let problem = active.steering_problem()?;
    Some(active.hold(problem.reason, problem.message.clone(), patience))
}

pub(super) fn step(active: &Active<'_>) -> Step {
    if let Some(step) = common(active) {
        return step;
    }
    let Some(kind) = exposure(active) else { return Step::going("Waiting", "The workload is gone.".to_owned()) };
    let Some(stage) = active.status.stages.get(active.status.stage as usize) else {
        // Cannot be: the record was opened with stages. Nothing is raised; the release ends as a hold would.
        let nothing = crate::api::Span::ZERO;
        return active.hold("RecordBroken", "The record names a stage that it does not have.".to_owned(), nothing);
    };
    if let Some(step) = nobody(active, kind.as_ref()) {
        return step;
    }
    match stage.started_at {
        None => raise(active, kind.as_ref(), stage),
        Some(started) => bake(active, kind.as_ref(), stage, started),
    }
}

/// The workload is scaled to nothing: a pod of the new version would have all users that come.
fn nobody(active: &Active<'_>, kind: &dyn Exposure) -> Option<Step> {
    active.workload().filter(|workload| workload.replicas == 0)?;
    let message = format!(
        "{} waits: the workload is scaled to nothing, and there is nobody to compare it with. It goes on when the workload has pods again.",
        active.name()
    );
    let writes = kind.expose(active, 0).unwrap_or_default();
    Some(active.hold("NoPods", message, active.seen.release.spec.analysis.evidence_within).all(writes))
}

/// A newer template, or the stable one again. A newer one always takes the place of what is in its stages: neither kind can
/// finish a version whose template is gone.
pub(super) fn template_moved(active: &Active<'_>) -> Option<Step> {
    let stays = "the template stays".to_owned();
    match active.template(active.workload()?) {
        Template::Ours => None,
        Template::Stable => {
            Some(begin(active, Trigger::Reverted, "the template went back to the stable one".to_owned(), stays))
        }
        Template::Newer => {
            Some(begin(active, Trigger::Superseded, "a newer template took its place".to_owned(), stays))
        }
    }
}

/// A crash of a pod that has users, or a limit that is exceeded. A pod that is not ready gets no requests and hurts nobody.
pub(super) fn hurts(active: &Active<'_>) -> Option<Step> {
    if active.status.stages.first().is_some_and(|stage| stage.started_at.is_some())
        && let Some(crash) = active.crashes()
    {
        let wanted = "no container crashes while it serves".to_owned();
        return Some(begin(active, Trigger::Crashed, crash.to_owned(), wanted));
    }
    match verdict_now(active)? {
        Verdict::Fail(breach) => Some(begin(active, breach.trigger, breach.value, breach.threshold)),
        Verdict::Pass(_) | Verdict::NotYet(_) => None,
    }
}

fn raise(active: &Active<'_>, kind: &dyn Exposure, stage: &StageRecord) -> Step {
    let (pods, since) = (kind.pods_for(stage.spec.weight), active.raise_since());
    let approvals = match agree::before_stage(active, kind.exposes() > 0) {
        Ok(approvals) => approvals,
        Err(hold) => return *hold,
    };
    match kind.expose(active, pods) {
        Err(problem) => {
            let patience = active.seen.release.spec.strategy.ready_within;
            return active.hold(problem.reason, problem.message, patience);
        }
        Ok(writes) if !writes.is_empty() => {
            // What an older attempt left goes first: no pod of this version comes of that.
            let exposes = writes.iter().any(|write| !matches!(write, Action::Delete { .. }));
            let step = active.wait_for(writes, since, "Raising", "pods of the new version are being made");
            return if exposes { ledger::before_users(active, step) } else { step };
        }
        Ok(_) => {}
    }
    if let Err(what) = kind.exposed(active, pods) {
        return active.wait(since, "Raising", &what);
    }
    let mut next = agree::begin_stage(active, approvals);
    if let Some(stage) = next.stages.get_mut(active.status.stage as usize) {
        stage.pods = Some(kind.share_of(pods));
    }
    let step = Step::going("Baking", baking(active, kind, stage, active.now));
    ledger::before_users(active, step.update(active, next))
}

/// The share that users really get, and the one that was asked for.
fn shares(kind: &dyn Exposure, stage: &StageRecord) -> String {
    format!("{}, for a stage of {}", kind.share_of(kind.pods_for(stage.spec.weight)), stage.spec.weight)
}

fn baking(active: &Active<'_>, kind: &dyn Exposure, stage: &StageRecord, started: Time) -> String {
    let until = started.plus(stage.spec.bake).clock();
    format!("{} has {}, and is watched until {until}.", active.name(), shares(kind, stage))
}

fn bake(active: &Active<'_>, kind: &dyn Exposure, stage: &StageRecord, started: Time) -> Step {
    let until = started.plus(stage.spec.bake);
    let going = || Step::going("Baking", baking(active, kind, stage, started));
    let pods = kind.pods_for(stage.spec.weight);
    let passed = |verdict: &Verdict| match kind.exposed(active, pods) {
        Ok(()) => pass(active, kind, stage, verdict),
        // What passes is what the record names.
        Err(what) => active.wait(until, "Baking", &what),
    };
    on_verdict(active, started, until, going, passed)
}

fn pass(active: &Active<'_>, kind: &dyn Exposure, stage: &StageRecord, verdict: &Verdict) -> Step {
    let last = active.status.stage as usize + 1 == active.status.stages.len();
    let after_last = if kind.keeps_way_back() { Phase::Verify } else { Phase::Promote };
    let mut next = if last { active.enter(after_last) } else { active.next() };
    // A record stays small however many stages it has.
    let room = (1_600 / active.status.stages.len().max(1)).clamp(64, 512);
    if let (Some(passed), Verdict::Pass(why)) = (next.stages.get_mut(active.status.stage as usize), verdict) {
        passed.passed_at = Some(active.now);
        passed.verdict = wording::at_most(room, &format!("{}: {why}{}", shares(kind, stage), burn::unseen(active)));
    }
    if !last {
        next.stage += 1;
    }
    let next = with_stables_latency(active, next);
    let sentence = format!("Stage {} of {} passed.", active.status.stage + 1, active.status.stages.len());
    Step::going("StagePassed", sentence).update(active, next)
}
