//! Phase Plan: whether the change may ship at all, and by which schedule (`002_…`, plan phase; `001_…`, freeze policy).

use super::active::{Active, Template};
use super::step::Step;
use crate::api::release_record::{BudgetAtStart, Outcome, Phase, ReleaseRecordStatus, StageRecord};
use crate::api::{BudgetStatus, ChangeType, units::round2};
use crate::api::gated_release::ScheduleName;
use crate::policy::freeze::{self, ChangeFacts, Permission};
use crate::policy::schedule::{self, Schedule};
use crate::release::snapshot::BudgetSeen;

pub(super) fn step(active: &Active<'_>) -> Step {
    if let Some(workload) = active.workload() {
        let gone = match active.template(workload) {
            Template::Ours => None,
            Template::Stable => Some((Outcome::Reverted, "The template went back to the stable one before it took traffic.")),
            Template::Newer => Some((Outcome::Superseded, "A newer template took its place before it took traffic.")),
        };
        if let Some((outcome, summary)) = gone {
            return active.seal(outcome, summary.to_owned());
        }
    }
    let patience = active.seen.release.spec.strategy.hold_for;
    if let Some(problem) = active.problems.first() {
        return active.hold(problem.reason, problem.message.clone(), patience);
    }
    let (status, remaining_percent, decided_by) = match &active.seen.budget {
        BudgetSeen::Measured { status, remaining_percent, decided_by } => (*status, *remaining_percent, decided_by),
        BudgetSeen::Unmeasured(why) => return active.hold("BudgetUnknown", unknown_budget(active, why), patience),
        BudgetSeen::Missing => return active.hold("RiskBudgetMissing", unknown_budget(active, "it does not exist"), patience),
    };
    let change = &active.record.spec.change;
    match freeze::permission(&ChangeFacts::of(change), status) {
        Permission::Blocked(block) => {
            let message = format!(
                "{change} not started: error budget {} is {status} with {} % left ({decided_by}). {block}",
                active.record.spec.risk_budget,
                round2(remaining_percent)
            );
            active.hold("BudgetFreeze", message, patience)
        }
        Permission::Allowed { sign_offs } if sign_offs.is_empty() => start(active, status, remaining_percent),
        Permission::Allowed { sign_offs } => {
            let wanted: Vec<_> = sign_offs.iter().map(ToString::to_string).collect();
            let message = format!(
                "{change} not started: error budget {} is {status} with {} % left ({decided_by}), so it needs {}. This version cannot take approvals yet: the change starts when the budget is Healthy again; in an emergency annotate the Deployment with tidegate.io/break-glass and the reason, and change the template anew.",
                active.record.spec.risk_budget,
                round2(remaining_percent),
                wanted.join("; ")
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

fn start(active: &Active<'_>, status: BudgetStatus, remaining_percent: f64) -> Step {
    let schedule = schedule_for(active, status);
    let stages = schedule.stages.iter().map(|spec| StageRecord { spec: *spec, started_at: None, passed_at: None, verdict: String::new() });
    let next = ReleaseRecordStatus {
        stages: stages.collect(),
        stage: 0,
        verify: schedule.verify,
        budget: Some(BudgetAtStart { status, remaining_percent }),
        ..active.enter(Phase::Stage)
    };
    let sentence = format!("{} may ship: bringing up the new version without traffic.", active.name());
    Step::going("Starting", sentence).update(active, next)
}

/// The manifest's schedule, tightened by the budget; a way back is the shortest (DESIGN, events).
fn schedule_for(active: &Active<'_>, status: BudgetStatus) -> Schedule {
    if active.record.spec.change.kind == ChangeType::Rollback {
        return schedule::preset(ScheduleName::Express);
    }
    schedule::tighten(schedule::from_strategy(&active.seen.release.spec.strategy), status)
}
