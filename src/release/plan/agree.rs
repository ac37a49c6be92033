//! What people must agree to, and what must be shown, after a release has begun: before a stage, and before it is complete.

use super::active::Active;
use super::step::Step;
use crate::api::release_record::{ApprovalRecord, AssessmentRecord, ReleaseRecordStatus};
use crate::api::{Time, Weight};
use crate::policy::requirement::Due;
use crate::policy::schedule::schedule_for;
use crate::policy::sign_off::{SignOff, SignOffPoint};
use crate::release::assess::{self, Assessed, Signed, approval, assess, how_to_sign, signed};

/// The hold of a verified version whose papers are not complete. Its end is not a way back: what serves well stays.
pub(in crate::release) const PAPERS_MISSING: &str = "VerificationIncomplete";

/// What was decided when the release began, looked at again; none where nothing was, or the budget is not known now.
fn assessed<'a>(active: &'a Active<'_>) -> Option<Assessed<'a>> {
    active.status.assessment.as_ref()?;
    assess(active.seen, &active.record.spec, &active.status, active.now)
}

/// The approvals that let the next stage begin, or a hold that says who is missing. A budget that cannot be read just now
/// asks nobody anew: what it demands is demanded again before the next stage.
pub(super) fn before_stage(active: &Active<'_>) -> Result<Vec<ApprovalRecord>, Box<Step>> {
    let Some(assessed) = assessed(active) else { return Ok(Vec::new()) };
    on_call(active, &assessed)?;
    let index = active.status.stage as usize;
    let last = index + 1 == active.status.stages.len();
    // A lean release stops at half of the traffic: what is asked before 100 % is asked before its last stage.
    let weight = active.status.stages.get(index).filter(|_| !last).map_or(Weight::FULL, |stage| stage.spec.weight);
    let Some(before) = index.checked_sub(1).and_then(|index| active.status.stages.get(index)) else {
        return Ok(Vec::new());
    };
    let mut approvals = Vec::new();
    let each = |one: &SignOff| one.when == SignOffPoint::EachStage;
    let wanted: Vec<SignOff> = asked(active)
        .into_iter()
        .filter(|one| one.needed_before(index, weight) && one.when != SignOffPoint::BeforeStart)
        .collect();
    let (new, once): (Vec<SignOff>, Vec<SignOff>) = wanted.into_iter().partition(each);
    let began = active.status.stages.first().and_then(|stage| stage.started_at);
    for (wanted, since) in [(new, before.started_at), (once, began)] {
        approvals.extend(given(active, &assessed, &wanted, since, weight)?);
    }
    Ok(approvals)
}

/// Who is asked in the course of this release: as its process was when it began.
fn asked(active: &Active<'_>) -> Vec<SignOff> {
    let Some(budget) = active.status.budget else { return Vec::new() };
    schedule_for(&active.seen.release.spec.strategy, active.record.spec.change.kind, budget.status).sign_offs
}

fn given(
    active: &Active<'_>,
    assessed: &Assessed<'_>,
    wanted: &[SignOff],
    since: Option<Time>,
    weight: Weight,
) -> Result<Vec<ApprovalRecord>, Box<Step>> {
    let mut heard = Vec::new();
    let patience = active.seen.release.spec.strategy.hold_for;
    let (name, stays) = (active.name(), "the weight stays");
    match signed(assessed, wanted, since, &mut heard) {
        Signed::All(claims) => Ok(claims.into_iter().map(|claim| approval(claim, &weight.to_string())).collect()),
        Signed::Missing(roles) => {
            let since = since.map_or_else(String::new, |since| format!(" (given after {})", since.clock()));
            let message = format!(
                "{name}: {stays} until those agree to {weight} whom the process asks{since}: {}.",
                how_to_sign(assessed, &roles)
            );
            Err(Box::new(active.hold_for("ApprovalMissing", message, patience).asking(&roles)))
        }
        Signed::Rejected(claim) => {
            let message = format!(
                "{name}: {stays}: {} rejects it as {}. It comes back when the hold runs out, unless the rejection is withdrawn.",
                claim.by(),
                claim.role.as_deref().unwrap_or_default()
            );
            Err(Box::new(active.hold_for("Rejected", message, patience)))
        }
    }
}

/// Somebody on call watches a risky release: their word lapses unless it is renewed.
fn on_call(active: &Active<'_>, assessed: &Assessed<'_>) -> Result<(), Box<Step>> {
    let missing = match assessed.enforced() {
        true => assessed.missing(&[Due::Throughout]),
        false => Vec::new(),
    };
    let Some(first) = missing.first() else { return Ok(()) };
    let message = format!("{}: no further traffic until somebody on call watches it. {first}", active.name());
    Err(Box::new(active.hold_for("OnCallMissing", message, active.seen.release.spec.strategy.hold_for)))
}

/// A verified version waits for what must be shown before it counts as complete, for so long as a hold lasts; then it is
/// complete without it, and that is on record. None where nothing is missing, or the wait is over.
pub(super) fn before_completion(active: &Active<'_>) -> Option<Step> {
    let assessed = assessed(active)?;
    if !assessed.enforced() {
        return None;
    }
    let missing = assessed.missing(&[Due::Verify, Due::Complete]);
    let waited = active.status.hold.as_ref().filter(|hold| hold.reason == PAPERS_MISSING);
    if missing.is_empty() || waited.is_some_and(|hold| active.now >= hold.deadline) {
        return None;
    }
    let names: Vec<&str> = missing.iter().map(|one| one.name).collect();
    let first = missing.first().map(ToString::to_string).unwrap_or_default();
    let message = format!("{} is verified and not complete: {} missing. {first}", active.name(), names.join(", "));
    Some(active.hold_for(PAPERS_MISSING, message, active.seen.release.spec.strategy.hold_for))
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
    let mut next = active.next();
    next.approvals.extend(approvals);
    // A record stays small: who agreed to the last stages matters most.
    let surplus = next.approvals.len().saturating_sub(64);
    next.approvals.drain(..surplus);
    if let Some(stage) = next.stages.get_mut(active.status.stage as usize) {
        stage.started_at = Some(active.now);
    }
    next
}
