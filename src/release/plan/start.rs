//! Phase Plan: whether the change may ship at all, and by which schedule (`002_…`, plan phase; `001_…`, freeze policy).

use super::active::{Active, Template};
use super::stable;
use super::step::Step;
use crate::api::gated_release::{Capacity, WorkloadKind};
use crate::api::release_record::{Arm, BudgetAtStart, Outcome, Phase, ReleaseRecordStatus, StageRecord};
use crate::api::units::round2;
use crate::policy::budget::Remaining;
use crate::policy::freeze::{self, ChangeFacts, Permission};
use crate::policy::message;
use crate::policy::schedule::{self, Schedule};
use crate::policy::sign_off::join;
use crate::release::snapshot::BudgetSeen;

pub(super) fn step(active: &Active<'_>) -> Step {
    if let Some(workload) = active.workload() {
        let moved = match active.template(workload) {
            Template::Ours => None,
            Template::Stable => {
                Some((Outcome::Reverted, "The template went back to the stable one before it took traffic."))
            }
            Template::Newer => Some((Outcome::Superseded, "A newer template took its place before it took traffic.")),
        };
        if let Some((outcome, summary)) = moved {
            return active.seal(outcome, summary.to_owned());
        }
    }
    if let Some(step) = stable::keep(active, active.seen.release.spec.strategy.hold_for) {
        return step;
    }
    let patience = active.seen.release.spec.strategy.hold_for;
    if let Some(problem) = active.problems.first() {
        return active.hold(problem.reason, problem.message.clone(), patience);
    }
    let (status, remaining_percent, decided_by) = match &active.seen.budget {
        BudgetSeen::Measured { status, remaining_percent, decided_by } => (*status, *remaining_percent, decided_by),
        BudgetSeen::Unmeasured(why) => return active.hold("BudgetUnknown", unknown_budget(active, why), patience),
        BudgetSeen::Missing => {
            return active.hold("RiskBudgetMissing", unknown_budget(active, "it does not exist"), patience);
        }
    };
    let change = &active.record.spec.change;
    let left = Remaining::from_percent(remaining_percent);
    match freeze::permission(&ChangeFacts::from(change), status) {
        Permission::Blocked(blocked) => {
            let line = message::blocked_line(change.kind, status, left, &blocked);
            let message = format!(
                "{change} not started: {line} Deciding: {decided_by}, RiskBudget {}.",
                active.record.spec.risk_budget
            );
            active.hold("BudgetFreeze", message, patience)
        }
        Permission::Allowed { sign_offs } => {
            let schedule = schedule::schedule_for(&active.seen.release.spec.strategy, change.kind, status);
            let wanted = join(&sign_offs, &schedule.sign_offs);
            if wanted.is_empty() {
                return start(active, schedule, BudgetAtStart { status, remaining_percent });
            }
            let message = format!(
                "{change} not started: the error budget is {status} with {} % left ({decided_by}) and the schedule is {}: it needs {}. This version of Tidegate takes no approvals yet: the change starts when the budget is Healthy and the schedule asks nobody. In an emergency annotate the Deployment with tidegate.io/break-glass and the reason, and apply the template anew.",
                round2(remaining_percent),
                schedule.name,
                message::sign_off_line(&wanted)
            );
            active.hold("ApprovalMissing", message, patience)
        }
    }
}

fn unknown_budget(active: &Active<'_>, why: &str) -> String {
    let (namespace, budget) = (&active.seen.release.namespace, &active.record.spec.risk_budget);
    format!(
        "{} not started: the error budget of RiskBudget {budget} is not known: {why}. Look: kubectl describe riskbudget {budget} -n {namespace}",
        active.record.spec.change
    )
}

fn start(active: &Active<'_>, schedule: Schedule, budget: BudgetAtStart) -> Step {
    let seen = active.seen;
    let lean = match (seen.by_count(), seen.kind()) {
        // Beside the workload there are never more pods than in it: one half is the most.
        (true, WorkloadKind::Deployment) => true,
        (true, WorkloadKind::StatefulSet) => false,
        (false, _) => seen.release.spec.strategy.capacity == Capacity::Lean && active.record.spec.arm == Arm::Canary,
    };
    let stages = if lean { schedule::lean(&schedule.stages) } else { schedule.stages };
    let stages = stages.iter().map(|spec| StageRecord {
        spec: *spec,
        started_at: None,
        pods: None,
        passed_at: None,
        verdict: String::new(),
    });
    let next = ReleaseRecordStatus {
        stages: stages.collect(),
        stage: 0,
        verify: schedule.verify,
        budget: Some(budget),
        ..active.enter(Phase::Stage)
    };
    let how = if seen.by_count() { "by the number of its pods" } else { "bringing up the new version without traffic" };
    let sentence = format!("{} may ship: {how}.", active.name());
    Step::going("Starting", sentence).update(active, next)
}
