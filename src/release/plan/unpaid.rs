//! What ran past its gate while its budget was not known. It is never free (`000_…` §7): its record says how it ended and since when
//! its charge waits, and is charged and sealed as soon as the budget is known.
//!
//! Nothing waits for it. After [`LATE`], where the next record is opened, or where the gate leaves the workload, it is charged as if
//! nothing were left of what is not known. Until then an outage of Prometheus makes nobody pay for a budget that is not exhausted.

use super::ledger::{self, Bypass};
use super::step::Step;
use crate::api::release_record::{ReleaseRecordSpec, ReleaseRecordStatus};
use crate::api::{Span, Time};
use crate::policy::ledger::LATE;
use crate::release::action::Action;
use crate::release::assess::{agreed, assess_bypass, recorded};
use crate::release::snapshot::{BudgetSeen, Record, Snapshot};
use crate::release::wording;

/// How soon the budget is looked at again.
const LOOK_AGAIN: Span = Span::seconds(15);

/// The end of a record of what runs ungated: the write of its charge's number, and the record with the charge; without a charge
/// where there is no RiskBudget, and waiting for it where that is not known. `judged` is the status that it is assessed by.
pub(super) fn charged(
    seen: &Snapshot,
    (record, spec): (&str, &ReleaseRecordSpec),
    judged: &ReleaseRecordStatus,
    end: ReleaseRecordStatus,
    now: Time,
) -> (Option<Action>, ReleaseRecordStatus) {
    if let Some(Bypass { write, charge, assessment, approvals }) = ledger::of_bypass(seen, record, spec, judged, now) {
        let end = ReleaseRecordStatus { charge: Some(charge), assessment: Some(assessment), approvals, ..end };
        return (write, end);
    }
    if seen.budget == BudgetSeen::Missing {
        return (None, end);
    }
    let more = format!(
        " It is charged as soon as its budget is known ({}), at the latest on {}, as if nothing were left of it.",
        why(seen),
        now.plus(LATE).clock()
    );
    // What it touches is seen now: its templates may be gone later.
    let worst = assess_bypass(seen, spec, judged, (&[], true), now);
    let approvals = worst.as_ref().filter(|_| judged.assessment.is_none()).map(agreed);
    let end = ReleaseRecordStatus {
        charge_waits: Some(now),
        assessment: end.assessment.clone().or_else(|| worst.as_ref().map(recorded)),
        approvals: approvals.unwrap_or_else(|| end.approvals.clone()),
        summary: wording::at_most(1_000, &(end.summary.clone() + &more)),
        ..end
    };
    (None, end)
}

/// Why the budget is not known, without its full stop.
fn why(seen: &Snapshot) -> &str {
    match &seen.budget {
        BudgetSeen::Unmeasured(why) => why.trim_end_matches('.'),
        BudgetSeen::Missing => "the RiskBudget does not exist",
        BudgetSeen::Measured { .. } => "its risk points are not counted yet",
    }
}

/// A record whose charge waits.
struct Waiting<'a> {
    seen: &'a Snapshot,
    record: &'a Record,
    status: &'a ReleaseRecordStatus,
    since: Time,
    now: Time,
}

/// The step that charges what waits for it: where the budget is known, where it has waited long enough, or at once where the gate
/// leaves the workload.
pub(super) fn due(seen: &Snapshot, now: Time) -> Option<Step> {
    let waiting = Waiting::of(seen, now)?;
    // Of a RiskBudget that cannot be read nobody could say what it costs: that waits on, unless its place is needed.
    let sayable = seen.risk.is_some() || seen.budget == BudgetSeen::Missing;
    let over = seen.release.leaving().is_some() || (sayable && now >= waiting.since.plus(LATE));
    waiting.known().or_else(|| over.then(|| waiting.closed()))
}

/// Charges what waits before the next record is opened; any other step goes on beside it.
pub(super) fn before(seen: &Snapshot, next: Step, now: Time) -> Step {
    match Waiting::of(seen, now) {
        None => next,
        Some(waiting) if next.opened.is_some() => waiting.closed(),
        Some(_) => next.wake(LOOK_AGAIN),
    }
}

impl<'a> Waiting<'a> {
    fn of(seen: &'a Snapshot, now: Time) -> Option<Self> {
        let record = seen.record.as_ref()?;
        let status = record.status.as_ref()?;
        Some(Self { seen, record, status, since: status.charge_waits?, now })
    }

    /// Its charge; with `unknown_is_worst` also while its budget is not known.
    fn charge(&self, unknown_is_worst: bool) -> Option<Bypass> {
        // What was put on record when it was found rests on an unknown budget; what was when it began to ship does not.
        let found = self.status.assessment.clone();
        let categories = found.as_ref().map_or(&[][..], |found| found.categories.as_slice());
        let began = found.clone().filter(|_| self.status.budget.is_some());
        let judged = ReleaseRecordStatus { assessment: began, ..self.status.clone() };
        let spec = &self.record.spec;
        let assessed = assess_bypass(self.seen, spec, &judged, (categories, unknown_is_worst), self.now)?;
        let risk = self.seen.risk.as_ref()?;
        Some(ledger::bypass(&assessed, risk, &spec.risk_budget, &self.record.name, self.now))
    }

    fn known(&self) -> Option<Step> {
        let bypass = self.charge(false)?;
        let says = format!("The budget is known again: charged {} RP.", bypass.charge.points);
        Some(self.seal(Some(bypass), &says))
    }

    /// Charged whatever is known; without a charge only where nobody could say from what.
    fn closed(&self) -> Step {
        let why = why(self.seen);
        match self.charge(true) {
            Some(bypass) => {
                let points = bypass.charge.points;
                let says = format!("Charged {points} RP as if nothing were left of what is not known: {why}.");
                self.seal(Some(bypass), &says)
            }
            None => self.seal(None, &format!("Not charged: {why}.")),
        }
    }

    fn seal(&self, bypass: Option<Bypass>, says: &str) -> Step {
        let name = wording::called(&self.record.spec);
        let (write, charge, assessment) = match bypass {
            Some(Bypass { write, charge, assessment, .. }) => (write, Some(charge), Some(assessment)),
            None => (None, None, self.status.assessment.clone()),
        };
        let status = ReleaseRecordStatus {
            charge,
            charge_waits: None,
            assessment,
            summary: wording::at_most(1_000, &format!("{} {says}", self.status.summary)),
            ..self.status.clone()
        };
        let update = Action::UpdateRecord {
            name: self.record.name.clone(),
            resource_version: self.record.resource_version.clone(),
            status: Box::new(status.clone()),
        };
        let step = Step::going("Charging", format!("{name} ran past its gate. {says}")).all(write).then(update);
        Step { record: Some(status), ..step }
    }
}
