//! What people must agree to, and what must be shown, after a release has begun: before a stage, and before it is complete. What
//! blocks it meanwhile is asked beside it (`blocked.rs`).

use super::active::Active;
use super::step::Step;
use super::{blocked, halt};
use crate::api::release_record::{ApprovalRecord, AssessmentRecord, Phase, ReleaseRecordStatus, Worsened};
use crate::api::{ChangeType, Time, Weight};
use crate::policy::Band;
use crate::policy::requirement::Due;
use crate::policy::schedule::schedule_for;
use crate::policy::sign_off::{Role, SignOff, SignOffPoint};
use crate::policy::worsened::{Levels, asked_anew};
use crate::release::assess::{
    self, Assessed, Signed, Since, WHY_TWO, approval, assess, how_to_sign, how_to_withdraw, rejected, signed,
};
use crate::release::snapshot::BudgetSeen;

/// The hold of a verified version whose papers are not complete. Its end is not a way back: what serves well stays.
pub(in crate::release) const PAPERS_MISSING: &str = "VerificationIncomplete";

/// The hold of a release that somebody on call watched, and nobody does any more.
pub(in crate::release) const ON_CALL_LAPSED: &str = "OnCallLapsed";

/// What was decided when the release began, looked at again; none where nothing was, or the budget is not known now.
fn assessed<'a>(active: &'a Active<'_>) -> Option<Assessed<'a>> {
    active.status.assessment.as_ref()?;
    assess(active.seen, &active.record.spec, &active.status, active.now)
}

/// The approvals that let the next stage begin, or a hold: what stops every further user, or who is missing. A rollback waits for
/// nobody, and what began before changes were assessed is asked for nothing.
///
/// From its first weight or pod on (`met`) the first stage begins whatever comes: a version that has users is judged, which a hold
/// before the stage would keep it from. What holds it then is asked before more users get it.
pub(super) fn before_stage(active: &Active<'_>, met: bool) -> Result<Vec<ApprovalRecord>, Box<Step>> {
    let holds = halt::before_more(active).map(Box::new);
    let approvals = holds.map_or_else(|| agreed(active, active.status.stage as usize), Err);
    if met && active.status.stage == 0 { Ok(approvals.unwrap_or_default()) } else { approvals }
}

/// What keeps the rest of the users from a version whose stages stop at half of them: who is asked before 100 % and has not agreed,
/// or agreed and is not on record yet. None where nothing does, and where the stages went to 100 %.
pub(super) fn before_rest(active: &Active<'_>) -> Option<Step> {
    if !active.is_lean() {
        return None;
    }
    let approvals = match agreed(active, active.status.stages.len()) {
        Ok(approvals) => approvals,
        Err(hold) => return Some(*hold),
    };
    let new: Vec<_> = approvals.into_iter().filter(|one| !active.status.approvals.contains(one)).collect();
    let sentence = format!("Those agreed to {} whom the process asks.", Weight::FULL);
    // The hold stays until something goes on: what it waited for is not the version's own time to be ready.
    let hold = active.status.hold.clone();
    let next = |new| ReleaseRecordStatus { hold, ..with_approvals(active, new) };
    (!new.is_empty()).then(|| Step::going("Agreed", sentence).update(active, next(new)))
}

/// The approvals before a stage of that place; after the last, before all of the traffic.
fn agreed(active: &Active<'_>, index: usize) -> Result<Vec<ApprovalRecord>, Box<Step>> {
    if active.status.assessment.is_none() || active.record.spec.change.kind == ChangeType::Rollback {
        return Ok(Vec::new());
    }
    let (assessed, seen) = known(active)?;
    if let Some(hold) = blocked::before_stage(active, &assessed, index == 0) {
        return Err(Box::new(hold));
    }
    on_call(active, &assessed)?;
    if let Some(step) = worse(active, seen) {
        return Err(Box::new(step));
    }
    let weight = active.status.stages.get(index).map_or(Weight::FULL, |stage| stage.spec.weight);
    let before = index.checked_sub(1).and_then(|index| active.status.stages.get(index)?.started_at);
    let began = active.status.stages.first().and_then(|stage| stage.started_at);
    let of_worse = worsened_since(active, before).map(|worse| (anew(active, &assessed), Some(worse.at)));
    let (each, once): (Vec<SignOff>, Vec<SignOff>) =
        asked(active, index, weight).into_iter().partition(|one| one.when == SignOffPoint::EachStage);
    let all: Vec<_> = of_worse.into_iter().chain([(each, before), (once, began)]).collect();
    given(active, &assessed, &all, weight)
}

/// The budgets as they are before a stage, or a hold where they are not known: what is not known lets nobody start, and no weight
/// rise.
fn known<'a>(active: &'a Active<'_>) -> Result<(Assessed<'a>, Seen), Box<Step>> {
    let unknown = |reason: &str, why: &str| {
        let (namespace, budget) = (&active.seen.release.namespace, &active.record.spec.risk_budget);
        let message = format!(
            "{}: the weight stays: how RiskBudget {budget} stands is not known: {why}. It goes on when it is. Look: kubectl describe riskbudget {budget} -n {namespace}",
            active.name()
        );
        Box::new(active.hold_while(reason, &[why], message, active.seen.release.spec.strategy.hold_for))
    };
    let (status, remaining_percent) = match &active.seen.budget {
        BudgetSeen::Measured { status, remaining_percent, .. } => (*status, *remaining_percent),
        BudgetSeen::Unmeasured(why) => return Err(unknown("BudgetUnknown", why)),
        BudgetSeen::Missing => return Err(unknown("RiskBudgetMissing", "it does not exist")),
    };
    let not_counted = || unknown("BudgetUnknown", "its risk points are not counted");
    let assessed = assessed(active).ok_or_else(not_counted)?;
    let levels = assessed.levels(status, active.status.charge.as_ref()).ok_or_else(not_counted)?;
    Ok((assessed, Seen { levels, remaining_percent }))
}

/// The budgets as they are now.
#[derive(Clone, Copy)]
struct Seen {
    levels: Levels,
    remaining_percent: f64,
}

/// How the budgets stood when the release began.
fn at_start(active: &Active<'_>) -> Option<Levels> {
    let (budget, assessment) = (active.status.budget?, active.status.assessment.as_ref()?);
    Some(Levels { status: budget.status, band: assessment.band.max(budget.band.unwrap_or(assessment.band)) })
}

/// The worst that the budgets were found at since the release began.
fn worst(active: &Active<'_>) -> Option<Levels> {
    let later = active.status.worsened.map(|worse| Levels { status: worse.status, band: worse.band });
    let began = at_start(active)?;
    Some(later.map_or(began, |later| began.or_worse(later)))
}

/// Puts on record that the budgets are worse than they were found before. Yellow asks nobody for anything.
fn worse(active: &Active<'_>, seen: Seen) -> Option<Step> {
    let known = worst(active)?;
    let levels = known.or_worse(seen.levels);
    let Seen { remaining_percent, .. } = seen;
    let worsened = Worsened { at: active.now, status: levels.status, remaining_percent, band: levels.band };
    let next = ReleaseRecordStatus { worsened: Some(worsened), ..active.status.clone() };
    let sentence = format!("The budgets are worse than they were: {} and {}.", levels.status, levels.band);
    let asks = levels.status > known.status || levels.band > known.band.max(Band::Yellow);
    asks.then(|| Step::going("BudgetWorsened", sentence).update(active, next))
}

/// The budgets where they worsened after the stage before began, so that nobody was asked about it yet.
fn worsened_since(active: &Active<'_>, before: Option<Time>) -> Option<Worsened> {
    active.status.worsened.filter(|worse| before.is_none_or(|before| before < worse.at))
}

/// Whom the budgets ask now that they did not ask at the start.
fn anew(active: &Active<'_>, assessed: &Assessed<'_>) -> Vec<SignOff> {
    let levels = at_start(active).zip(worst(active));
    levels.map_or_else(Vec::new, |(began, worst)| asked_anew(&assessed.underway(&active.record.spec), began, worst))
}

/// Who is asked before this stage: by the process of the worst status that the release met.
fn asked(active: &Active<'_>, index: usize, weight: Weight) -> Vec<SignOff> {
    let Some(Levels { status, .. }) = worst(active) else { return Vec::new() };
    let process = schedule_for(&active.seen.release.spec.strategy, active.record.spec.change.kind, status).sign_offs;
    let asked = |one: &SignOff| index > 0 && one.needed_before(index, weight) && one.when != SignOffPoint::BeforeStart;
    process.into_iter().filter(asked).collect()
}

/// The approvals that were given, each since when it counts, or a hold that names everybody who is missing.
fn given(
    active: &Active<'_>,
    assessed: &Assessed<'_>,
    wanted: &[(Vec<SignOff>, Option<Time>)],
    weight: Weight,
) -> Result<Vec<ApprovalRecord>, Box<Step>> {
    let patience = active.seen.release.spec.strategy.hold_for;
    let stage = weight.to_string();
    let (mut approvals, mut roles, mut ways) = (Vec::new(), Vec::new(), Vec::new());
    for (wanted, since) in wanted {
        let counts = since.map(|at| Since { at, counted: &active.status.approvals, before: &stage });
        let mut heard = Vec::new();
        match signed(assessed, wanted, counts, &mut heard) {
            Signed::All(claims) => {
                let new = claims.into_iter().map(|claim| approval(claim, &stage));
                let new: Vec<_> = new.filter(|one| !approvals.contains(one)).collect();
                approvals.extend(new);
            }
            Signed::Missing { roles: missing, two } => {
                // Who is asked for two reasons is told once: by the one that asks for the later word.
                let new: Vec<Role> = missing.into_iter().filter(|role| !roles.contains(role)).collect();
                let after = since.map_or_else(String::new, |since| format!(" (given after {})", since.clock()));
                if !new.is_empty() {
                    let why = if two { WHY_TWO } else { "" };
                    ways.push(format!("{}{after}{why}", how_to_sign(assessed, &new)));
                }
                roles.extend(new);
            }
            Signed::Rejected(claim) => {
                let message = format!(
                    "{}: the weight stays: {}. It comes back when the hold runs out, unless {}",
                    active.name(),
                    rejected(claim),
                    how_to_withdraw(assessed, claim)
                );
                return Err(Box::new(active.hold_for("Rejected", message, patience)));
            }
        }
    }
    if roles.is_empty() {
        return Ok(approvals);
    }
    let message = format!(
        "{}: the weight stays until those agree to {weight} whom the process asks: {}.{}",
        active.name(),
        ways.join("; "),
        fell(active)
    );
    Err(Box::new(active.hold_for("ApprovalMissing", message, patience).asking(&roles)))
}

/// Why more people are asked than at the start; empty where no more are.
fn fell(active: &Active<'_>) -> String {
    let (Some(began), Some(worse)) = (at_start(active), active.status.worsened) else { return String::new() };
    format!(
        " The budgets worsened since it began: error budget from {} to {}, risk budget from {} to {} ({}). That they get better takes nothing back.",
        began.status,
        worse.status,
        began.band,
        worse.band,
        worse.at.clock()
    )
}

/// Somebody on call watches a risky release: their word lapses unless it is renewed.
fn on_call(active: &Active<'_>, assessed: &Assessed<'_>) -> Result<(), Box<Step>> {
    let missing = match assessed.enforced() {
        true => assessed.missing(&[Due::Throughout]),
        false => Vec::new(),
    };
    let Some(first) = missing.first() else { return Ok(()) };
    let (reason, again) = if assessed.on_call_lapsed() { (ON_CALL_LAPSED, " again") } else { ("OnCallMissing", "") };
    let message = format!("{}: no further traffic until somebody on call watches it{again}. {first}", active.name());
    let analysis = &active.seen.release.spec.analysis;
    let hold = active.hold_for(reason, message, active.seen.release.spec.strategy.hold_for);
    Err(Box::new(hold.wake(analysis.interval)))
}

/// Nobody on call watches any more what must be watched as long as it is released and verified (`003_…`, Module 5; `002_…`,
/// Guardrails): it waits for somebody. What brings a change back is looked at before, and waits for nobody.
pub(super) fn unwatched(active: &Active<'_>) -> Option<Step> {
    let assessed = assessed(active)?;
    match active.status.phase {
        Phase::Verify => unwatched_verification(active, &assessed),
        Phase::Release | Phase::Promote => on_call(active, &assessed).err().map(|hold| *hold),
        Phase::Idle | Phase::Plan | Phase::Stage | Phase::Complete | Phase::Rollback => None,
    }
}

/// A promoted version waits for its watch so long as it would for papers, counted from the end of its verification, and is complete
/// without it then: what serves well is not taken back because a shift ended.
fn unwatched_verification(active: &Active<'_>, assessed: &Assessed<'_>) -> Option<Step> {
    let missing = assessed.missing(&[Due::Verify]);
    let first = missing.first().filter(|_| assessed.enforced() && assessed.on_call_lapsed())?;
    let message = format!(
        "{} serves all users, and its verification is not complete until somebody on call watches it again. {first}",
        active.name()
    );
    let hold = active.hold_to_complete(ON_CALL_LAPSED, &message)?;
    Some(hold.wake(active.seen.release.spec.analysis.interval))
}

/// A verified version waits for what must be shown before it counts as complete, for so long as a hold lasts; then it is
/// complete without it, and that is on record. None where nothing is missing, or the wait is over.
pub(super) fn before_completion(active: &Active<'_>) -> Option<Step> {
    let assessed = assessed(active)?;
    if !assessed.enforced() {
        return None;
    }
    let missing = assessed.missing(&[Due::Verify, Due::Complete]);
    if missing.is_empty() {
        return None;
    }
    let names: Vec<&str> = missing.iter().map(|one| one.name).collect();
    let first = missing.first().map(ToString::to_string).unwrap_or_default();
    let message = format!("{} is verified and not complete: {} missing. {first}", active.name(), names.join(", "));
    active.hold_to_complete(PAPERS_MISSING, &message)
}

/// The recorded assessment with what was shown in the course of the release.
pub(super) fn completed(active: &Active<'_>) -> Option<AssessmentRecord> {
    let stands = active.status.assessment.clone()?;
    Some(match assessed(active) {
        Some(assessed) => assess::completed(&assessed, stands),
        None => stands,
    })
}

/// The status in which a stage begins, with the approvals that let it.
pub(super) fn begin_stage(active: &Active<'_>, approvals: Vec<ApprovalRecord>) -> ReleaseRecordStatus {
    let mut next = with_approvals(active, approvals);
    if let Some(stage) = next.stages.get_mut(active.status.stage as usize) {
        stage.started_at = Some(active.now);
    }
    next
}

/// The record's status to go on from, with these approvals.
fn with_approvals(active: &Active<'_>, approvals: Vec<ApprovalRecord>) -> ReleaseRecordStatus {
    let mut next = active.next();
    next.approvals.extend(approvals);
    // A record stays small: who agreed to the last stages matters most.
    let surplus = next.approvals.len().saturating_sub(64);
    next.approvals.drain(..surplus);
    next
}
