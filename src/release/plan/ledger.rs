//! Risk points: kept for a release when its gate opens, charged when users are about to meet it, each once
//! (`000_…` §5.4). Every write is fenced by the RiskBudget's resourceVersion, so that two releases that look at once
//! cannot spend the same points; what was written there survives a crash before it stands in the record.

use super::active::Active;
use super::step::{Say, Step};
use crate::api::Time;
use crate::api::release_record::{
    ApprovalRecord, AssessmentRecord, ChargeRecord, Phase, ReleaseRecordSpec, ReleaseRecordStatus,
};
use crate::api::risk_budget::{LedgerStatus, PendingCharge, ReservationStatus};
use crate::policy::RiskPoints;
use crate::policy::band::charge;
use crate::release::action::Action;
use crate::release::assess::{Assessed, agreed, assess, recorded};
use crate::release::snapshot::{RiskSeen, Snapshot};

/// The write that keeps points for a release; none where they are kept already.
pub(super) fn reserve(risk: &RiskSeen, budget: &str, record: &str, points: RiskPoints) -> Option<Action> {
    let kept = risk.ledger.reservations.iter().any(|one| one.record == record && one.points == points.get());
    if kept {
        return None;
    }
    let mut ledger = risk.ledger.clone();
    ledger.reservations.retain(|one| one.record != record);
    ledger.reservations.push(ReservationStatus { record: record.to_owned(), points: points.get() });
    Some(write(risk, budget, ledger))
}

/// Gives the charge of a record its number: the write, none where it has one already, and the charge for the record.
pub(super) fn number(
    risk: &RiskSeen,
    budget: &str,
    record: &str,
    (points, exception): (RiskPoints, bool),
    now: Time,
) -> (Option<Action>, ChargeRecord) {
    if let Some(known) = risk.ledger.pending.iter().find(|pending| pending.record == record) {
        return (None, known.charge.clone());
    }
    let mut ledger = risk.ledger.clone();
    ledger.sequence = ledger.sequence.saturating_add(1);
    let (points, at) = (charge(points, exception).get(), risk.charged_at(now));
    let charge = numbered(risk, ledger.sequence, (points, exception), at);
    ledger.reservations.retain(|one| one.record != record);
    ledger.pending.push(PendingCharge { record: record.to_owned(), charge: charge.clone() });
    (Some(write(risk, budget, ledger)), charge)
}

/// A charge of a number, with what is left of the window before it and with it.
pub(in crate::release) fn numbered(
    risk: &RiskSeen,
    sequence: u64,
    (points, exception): (u32, bool),
    at: Time,
) -> ChargeRecord {
    let remaining = risk.unspent();
    let remaining_after = remaining.map(|left| left - i64::from(points));
    ChargeRecord { sequence, points, at, exception, remaining, remaining_after }
}

fn write(risk: &RiskSeen, budget: &str, ledger: LedgerStatus) -> Action {
    let resource_version = risk.resource_version.clone();
    Action::WriteLedger { budget: budget.to_owned(), resource_version, ledger: Box::new(ledger) }
}

/// The charge of a release whose users have not met it yet, with the write that gives it its number; none where it is charged, or
/// nothing is to be charged: where its RiskBudget is gone the release goes on.
fn owed(active: &Active<'_>) -> Option<(Option<Action>, ChargeRecord)> {
    let untouched = active.status.stages.first().is_some_and(|first| first.started_at.is_none());
    if active.status.phase != Phase::Release || active.status.charge.is_some() || !untouched {
        return None;
    }
    let assessment = active.status.assessment.as_ref()?;
    let risk = active.seen.risk.as_ref()?;
    let points = (RiskPoints::new(assessment.points), assessment.exception.is_some());
    Some(number(risk, &active.record.spec.risk_budget, &active.record.name, points, active.now))
}

/// The step that gives a release its first users, with the charge before its writes. One plan has both, so that only a death
/// between them leaves something charged that nobody met: whatever holds the release was asked before.
pub(super) fn before_users(active: &Active<'_>, step: Step) -> Step {
    let goes_back = step.record.as_ref().is_some_and(|next| next.rollback.is_some() || next.outcome.is_some());
    let Some((write, charge)) = owed(active).filter(|_| !goes_back) else { return step };
    let say = match step.say {
        Say::Going(reason, sentence) => Say::Going(reason, format!("{sentence} It is charged {} RP.", charge.points)),
        other @ (Say::Problems(_) | Say::InForce | Say::Unsettled(..) | Say::Detached | Say::Closed | Say::Held) => {
            other
        }
    };
    let next = step.record.unwrap_or_else(|| active.next());
    let next = ReleaseRecordStatus { charge: Some(charge), ..next };
    let others = step.actions.into_iter().filter(|action| !matches!(action, Action::UpdateRecord { .. }));
    let writes: Vec<Action> = others.collect();
    Step { actions: write.into_iter().collect(), say, record: None, ..step }.update(active, next).all(writes)
}

/// A charge that has its number and does not stand in its record, because the controller died between the two; as this release would be
/// charged, which what somebody let go past its gate is not.
pub(super) fn on_its_way<'a>(active: &'a Active<'_>) -> Option<&'a ChargeRecord> {
    let excepted = active.status.assessment.as_ref()?.exception.is_some();
    let risk = active.seen.risk.as_ref().filter(|_| active.status.charge.is_none())?;
    let ours = risk.ledger.pending.iter().find(|pending| pending.record == active.record.name)?;
    Some(&ours.charge).filter(|charge| charge.exception == excepted)
}

/// Puts such a charge on record, whatever holds the release by now: a number that was given is never taken back.
pub(super) fn taken_up(active: &Active<'_>) -> Option<Step> {
    let charge = on_its_way(active).filter(|_| active.status.phase == Phase::Release)?.clone();
    let sentence =
        format!("{} was charged {} RP when it was about to meet its first users.", active.name(), charge.points);
    let next = ReleaseRecordStatus { charge: Some(charge), ..active.status.clone() };
    Some(Step::going("Charging", sentence).update(active, next))
}

/// What is put on record of a template that runs ungated.
pub(super) struct Bypass {
    /// The write that gives its charge a number; none where it has one.
    pub(super) write: Option<Action>,
    pub(super) charge: ChargeRecord,
    pub(super) assessment: AssessmentRecord,
    /// Who had agreed to it by then.
    pub(super) approvals: Vec<ApprovalRecord>,
}

/// The charge of a template that runs ungated: half as much again, as an exception (`000_…` §7); with what it rests on. None while
/// its budget is not known.
pub(super) fn of_bypass(
    seen: &Snapshot,
    record: &str,
    spec: &ReleaseRecordSpec,
    status: &ReleaseRecordStatus,
    now: Time,
) -> Option<Bypass> {
    let assessed = assess(seen, spec, status, now)?;
    // Who agreed to a release that had begun is on record already.
    let approvals = if status.assessment.is_some() { status.approvals.clone() } else { agreed(&assessed) };
    Some(Bypass { approvals, ..bypass(&assessed, seen.risk.as_ref()?, &spec.risk_budget, record, now) })
}

/// The charge of what was assessed as a bypass.
pub(super) fn bypass(assessed: &Assessed<'_>, risk: &RiskSeen, budget: &str, record: &str, now: Time) -> Bypass {
    let assessment = recorded(assessed);
    let points = (RiskPoints::new(assessment.points), true);
    let (write, charge) = number(risk, budget, record, points, now);
    Bypass { write, charge, assessment, approvals: Vec::new() }
}

/// The charge of a version that users had met as it was meant, and that somebody let go past its gate then: half as much again
/// under the same number (`000_…` §7).
pub(in crate::release) fn with_penalty(known: &ChargeRecord) -> ChargeRecord {
    match known.exception {
        true => known.clone(),
        false => {
            let points = charge(RiskPoints::new(known.points), true).get();
            let more = i64::from(points) - i64::from(known.points);
            let remaining_after = known.remaining_after.map(|left| left - more);
            ChargeRecord { points, exception: true, remaining_after, ..known.clone() }
        }
    }
}
