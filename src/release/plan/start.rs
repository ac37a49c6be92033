//! Phase Plan: whether the change may ship at all, and by which schedule (`002_…`, plan phase; `001_…`, freeze policy).

use super::active::{Active, Template};
use super::blocked::GATE_BLOCKED;
use super::step::Step;
use super::{budget, came_back, circuit, ledger, stable};
use crate::api::gated_release::{Capacity, WorkloadKind};
use crate::api::release_record::{
    ApprovalRecord, Arm, BudgetAtStart, Outcome, Phase, ReleaseRecordStatus, StageRecord,
};
use crate::api::{BudgetStatus, ChangeType, Time};
use crate::policy::budget::Remaining;
use crate::policy::exception::Request;
use crate::policy::freeze::{self, ChangeFacts, Permission};
use crate::policy::gate::BlockCause;
use crate::policy::message;
use crate::policy::requirement::Due;
use crate::policy::schedule::{self, Schedule};
use crate::policy::sign_off::{Role, SignOff, SignOffPoint, join};
use crate::release::assess::{
    Assessed, BEFORE_START, Signed, WHY_TWO, agreed, approval, assess, how_to_sign, how_to_withdraw, of_exhausted,
    recorded, rejected, signed,
};
use crate::release::snapshot::BudgetSeen;

pub(super) fn step(active: &Active<'_>) -> Step {
    if let Some(step) = came_back::kept(active) {
        return step;
    }
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
        BudgetSeen::Unmeasured(why) => return unknown_budget(active, "BudgetUnknown", why),
        BudgetSeen::Missing => return unknown_budget(active, "RiskBudgetMissing", "it does not exist"),
    };
    let Some(assessed) = assess(active.seen, &active.record.spec, &active.status, active.now) else {
        return unknown_budget(active, "BudgetUnknown", "its risk points are not counted yet");
    };
    let budget = BudgetAtStart { status, remaining_percent, band: assessed.promised_band(&active.record.name) };
    let step = judged(active, &assessed, budget, decided_by).showing(active, &assessed);
    // Nothing in the cluster changes when a restricted window is over.
    match assessed.restricted_until() {
        Some(until) => step.wake(until.since(active.now)),
        None => step,
    }
}

/// Whether what was assessed may ship now.
fn judged(active: &Active<'_>, assessed: &Assessed<'_>, budget: BudgetAtStart, decided_by: &str) -> Step {
    let patience = active.seen.release.spec.strategy.hold_for;
    let BudgetAtStart { status, remaining_percent, .. } = budget;
    let change = &active.record.spec.change;
    let exception = assessed.exception.is_some();
    let left = Remaining::from_percent(remaining_percent);
    let sign_offs = match freeze::permission(&assessed.freeze_facts(&active.record.spec), status) {
        Permission::Blocked(blocked) if !exception => {
            if let Some(hold) = asked_for_exception(active, assessed, EXCEPTION_ONLY) {
                return hold;
            }
            let line = message::blocked_line(change.kind, status, left, &blocked);
            let message = format!(
                "{change} not started: {line} Deciding: {decided_by}, RiskBudget {}.{}",
                active.record.spec.risk_budget,
                how_to_except(active)
            );
            let (by, once) = (blocked.to_string(), message::ships_once(left, &blocked));
            let causes = [by.as_str(), status.as_str(), once.as_str(), decided_by];
            return active.hold_while("BudgetFreeze", &causes, message, patience);
        }
        // An exception takes the place of the block, and of nothing that is asked beside it.
        Permission::Blocked(blocked) => blocked.sign_offs,
        Permission::Allowed { sign_offs } => sign_offs,
    };
    if let Some(block) = assessed.decision.blocks.first() {
        if let Some(hold) = asked_for_exception(active, assessed, EXCEPTION_ONLY) {
            return hold;
        }
        let ends = assessed.restricted_until().filter(|_| block.cause == BlockCause::RestrictedWindow);
        let message = format!(
            "{change} not started: {} ({}); {block}.{}{}",
            assessed.decision,
            assessed.score,
            ends.map_or_else(String::new, |ends| sooner(active, ends)),
            how_to_except(active)
        );
        return active.hold_while(GATE_BLOCKED, &[block.to_string().as_str()], message, patience);
    }
    let schedule = schedule::schedule_for(&active.seen.release.spec.strategy, change.kind, status);
    let by_process = join(&sign_offs, &schedule.sign_offs);
    let by_owner = freeze::by_owner(assessed.owner_approval(), change.kind, status);
    let by_budget = join(by_owner, budget::sign_offs(&active.record.spec));
    let wanted = join(&join(&by_process, &by_budget), of_exhausted(assessed));
    let approvals = match demanded(active, assessed, &wanted, status) {
        Ok(approvals) => approvals,
        Err(step) => return *step,
    };
    let began = active.status.phase_since;
    if schedule.manual_start && assessed.started_by_hand(began).is_none() {
        let former = assessed.started_before(began).map(|claim| {
            format!(
                " (the start of {} is from before this attempt began, {}; a start counts for one attempt, and what is tried again is started anew)",
                claim.by(),
                began.clock()
            )
        });
        let message = format!(
            "{change} not started: the {} process forbids automation, a person starts it{}: kubectl tidegate approve {} -n {} --start.{}",
            schedule.name,
            former.unwrap_or_default(),
            active.seen.release.name,
            active.seen.release.namespace,
            watched_next(assessed)
        );
        return active.hold_for("ManualStart", message, patience);
    }
    if let Some(hold) = circuit::hold(active) {
        return hold;
    }
    if let Some(step) = points(active, assessed) {
        return step;
    }
    let approvals = [approvals, agreed(assessed)].concat();
    let next = ReleaseRecordStatus { assessment: Some(recorded(assessed)), approvals, ..active.status.clone() };
    start(active, schedule, budget, next)
}

/// What the change must show and who must agree before it starts: the approvals that count, or a hold with what is missing.
fn demanded(
    active: &Active<'_>,
    assessed: &Assessed<'_>,
    wanted: &[SignOff],
    status: BudgetStatus,
) -> Result<Vec<ApprovalRecord>, Box<Step>> {
    let patience = active.seen.release.spec.strategy.hold_for;
    let before: Vec<SignOff> = wanted.iter().filter(|one| one.when == SignOffPoint::BeforeStart).copied().collect();
    let mut heard = Vec::new();
    let (approvals, missing, two) = match signed(assessed, &before, None, &mut heard) {
        Signed::All(claims) => {
            (claims.into_iter().map(|claim| approval(claim, BEFORE_START)).collect(), Vec::new(), false)
        }
        Signed::Missing { roles, two } => (Vec::new(), roles, two),
        Signed::Rejected(claim) => {
            let message = format!(
                "{} not started: {}. It waits until another template comes, or {}",
                active.record.spec.change,
                rejected(claim),
                how_to_withdraw(assessed, claim)
            );
            return Err(Box::new(active.hold_for("Rejected", message, patience)));
        }
    };
    let asked = match assessed.enforced() {
        true => assessed.missing(&[Due::Start]),
        false => Vec::new(),
    };
    if missing.is_empty() && asked.is_empty() {
        return Ok(approvals);
    }
    let reason = if asked.is_empty() { "ApprovalMissing" } else { "RequirementsMissing" };
    let names: Vec<&str> = asked.iter().map(|one| one.name).collect();
    let shows = match names.is_empty() {
        true => String::new(),
        false => format!(
            " Gate {} ({}) asks for {} more: {}. How each is supplied: kubectl describe gatedrelease {} -n {}.",
            assessed.decision.gate,
            assessed.decision,
            names.len(),
            names.join(", "),
            active.seen.release.name,
            active.seen.release.namespace
        ),
    };
    let agrees = match missing.is_empty() {
        true => String::new(),
        false => format!(
            " The error budget is {status}: {}. Missing: {}{}.{}{}",
            message::sign_off_line(wanted),
            how_to_sign(assessed, &missing),
            if two { WHY_TWO } else { "" },
            budget::reason(&active.record.spec),
            if of_exhausted(assessed).is_empty() {
                ""
            } else {
                " The risk budget is exhausted: both managers sign for it (000, section 5.4)."
            }
        ),
    };
    let next = watched_next(assessed);
    let message = format!("{} not started:{agrees}{shows}{next}{}", active.record.spec.change, ignored(assessed));
    Err(Box::new(active.hold_for(reason, message, patience).asking(&missing)))
}

/// What it waits for next, once it may start: somebody on call who watches it, before any user meets it. Empty where somebody does.
fn watched_next(assessed: &Assessed<'_>) -> String {
    let missing = assessed.missing(&[Due::Throughout]);
    let first = missing.first().filter(|_| assessed.enforced());
    first.map_or_else(String::new, |first| {
        format!(" Once it is started, no user meets it before somebody on call watches it. {first}.")
    })
}

/// That the hold runs out before what it waits for, and what to type then; empty where it lasts until then.
fn sooner(active: &Active<'_>, ends: Time) -> String {
    let deadline = active.hold_ends(active.seen.release.spec.strategy.hold_for);
    if ends < deadline {
        return String::new();
    }
    let (release, namespace) = (&active.seen.release.name, &active.seen.release.namespace);
    format!(
        " This hold ends before that, on {}, and starts nothing by itself then; after {}: kubectl tidegate retry {release} -n {namespace}.",
        deadline.clock(),
        ends.clock()
    )
}

/// Approvals that were given and do not count are told, or their authors wait for nothing.
fn ignored(assessed: &Assessed<'_>) -> String {
    match assessed.ignored() {
        [] => String::new(),
        some => format!(" Not counted: {}.", some.join("; ")),
    }
}

/// How an exception is asked for, where a rule blocks the change.
fn how_to_except(active: &Active<'_>) -> String {
    let (release, namespace) = (&active.seen.release.name, &active.seen.release.namespace);
    format!(" An exception (000 §7, charged 150 %): kubectl tidegate attest {release} -n {namespace} --type exception")
}

/// What a rule leaves to a change that it blocks.
const EXCEPTION_ONLY: &str = "may ship as an exception only";

/// Where something keeps the change back and somebody asked for an exception: how far that is, after `what` is left to the change;
/// none where nobody did.
fn asked_for_exception(active: &Active<'_>, assessed: &Assessed<'_>, what: &str) -> Option<Step> {
    let (release, namespace) = (&active.seen.release.name, &active.seen.release.namespace);
    let mut asks: Vec<Role> = Vec::new();
    let how_far = match assessed.request() {
        Request::None | Request::Approved { .. } => return None,
        Request::Incomplete { by, problems } => {
            format!("what {} asks for is incomplete: {}", by.by(), problems.join("; "))
        }
        Request::Waiting { by, rejected: Some(claim), .. } => {
            let role = claim.role.as_deref().unwrap_or_default();
            format!("what {} asks for is rejected by {} as {role}", by.by(), claim.by())
        }
        Request::Waiting { by, missing, rejected: None, since } => {
            let since = since.map_or_else(String::new, |since| {
                let what = match since <= active.status.phase_since {
                    true => "this attempt began; an exception is agreed to for one attempt",
                    false => "its words last changed",
                };
                format!(" (given after {}, when {what})", since.clock())
            });
            let roles: Vec<&str> = missing.iter().map(|role| role.as_str()).collect();
            let first = roles.first().copied().unwrap_or_default();
            asks.clone_from(&missing);
            format!(
                "what {} asks for waits for {}{since} (000 §7; 001, Exception Process; 002, Guardrails): kubectl tidegate approve {release} -n {namespace} --role {first}",
                by.by(),
                roles.join(", ")
            )
        }
    };
    let message = format!("{} {what}; {how_far}.{}", active.record.spec.change, ignored(assessed));
    Some(active.hold_for("ExceptionPending", message, active.seen.release.spec.strategy.hold_for).asking(&asks))
}

/// Keeps the risk points of the change, or waits for them. Fixes, rollbacks and exceptions may overdraw: no document lets
/// them wait for points.
fn points(active: &Active<'_>, assessed: &Assessed<'_>) -> Option<Step> {
    let risk = active.seen.risk.as_ref()?;
    let (record, budget) = (&active.record.name, &active.record.spec.risk_budget);
    let costs = assessed.cost();
    let facts = ChangeFacts::from(&active.record.spec.change);
    let may_overdraw = assessed.exception.is_some() || facts.is_fix() || facts.kind == ChangeType::Rollback;
    let free = risk.free(record).unwrap_or(0);
    let ends = risk.budget.as_ref().map(|budget| budget.until);
    if !may_overdraw && free < i64::from(costs.get()) {
        let until = ends.map_or_else(String::new, |ends| format!(" on {}", ends.clock()));
        let waits = format!(
            "not started: it costs {costs}, and RiskBudget {budget} has {free} RP that are neither spent nor promised: it waits for the next window{until}, or ships as an exception"
        );
        if let Some(hold) = asked_for_exception(active, assessed, &waits) {
            return Some(hold);
        }
        let message = format!(
            "{} not started: it costs {costs} ({}), and RiskBudget {budget} has {free} RP that are neither spent nor promised to another release. It waits for the next window{until}, or until a release that has a promise ends before users met it.{} Make the change smaller, or ask for an exception: kubectl tidegate attest {} -n {} --type exception --help",
            active.record.spec.change,
            assessed.score,
            ends.map_or_else(String::new, |ends| sooner(active, ends)),
            active.seen.release.name,
            active.seen.release.namespace
        );
        let (costs, until) = (format!("it costs {costs} "), format!("next window{until}"));
        let patience = active.seen.release.spec.strategy.hold_for;
        return Some(active.hold_while("RiskPointsSpent", &[costs.as_str(), until.as_str()], message, patience));
    }
    let write = ledger::reserve(risk, budget, record, costs)?;
    Some(Step::going("Reserving", format!("{} may ship: {costs} are kept for it.", active.name())).then(write))
}

fn unknown_budget(active: &Active<'_>, reason: &str, why: &str) -> Step {
    let (namespace, budget) = (&active.seen.release.namespace, &active.record.spec.risk_budget);
    let message = format!(
        "{} not started: the error budget of RiskBudget {budget} is not known: {why}. Look: kubectl describe riskbudget {budget} -n {namespace}",
        active.record.spec.change
    );
    active.hold_while(reason, &[why], message, active.seen.release.spec.strategy.hold_for)
}

fn start(active: &Active<'_>, schedule: Schedule, budget: BudgetAtStart, decided: ReleaseRecordStatus) -> Step {
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
        assessment: decided.assessment,
        approvals: decided.approvals,
        ..active.enter(Phase::Stage)
    };
    let how = if seen.by_count() { "by the number of its pods" } else { "bringing up the new version without traffic" };
    let sentence = format!("{} may ship: {how}.", active.name());
    Step::going("Starting", sentence).update(active, next)
}
