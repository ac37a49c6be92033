//! A GatedRelease that was deleted and created anew with another RiskBudget: `spec.riskBudgetRef` cannot be changed, because
//! another budget may allow more, and this must be no way around that (`000_…` §4: both roles answer for a budget).
//!
//! The records stay when a GatedRelease goes, so that the newest says what was spent before.

use crate::api::{ChangeType, ReleaseRecordSpec, ReleaseRecordStatus};
use crate::policy::sign_off::{OTHER_BUDGET, SignOff};
use crate::release::snapshot::Snapshot;

/// The budget that was spent before the present one, as long as nobody has agreed to the change.
pub(super) fn before(seen: &Snapshot) -> Option<String> {
    let last = seen.record.as_ref()?;
    let asked = last.spec.budget_before.as_ref().filter(|_| !last.status.as_ref().is_some_and(agreed));
    let before = asked.unwrap_or(&last.spec.risk_budget);
    (*before != seen.release.spec.risk_budget_ref.name).then(|| before.clone())
}

/// Whether both have agreed to the start of an attempt.
fn agreed(status: &ReleaseRecordStatus) -> bool {
    let asked = || status.approvals.iter().filter(|approval| approval.meets.is_empty());
    OTHER_BUDGET.iter().all(|one| asked().any(|approval| approval.role == one.role.as_str()))
}

/// Who agrees to it before the start. A rollback waits for nobody.
pub(super) fn sign_offs(spec: &ReleaseRecordSpec) -> &'static [SignOff] {
    let waits = spec.budget_before.is_some() && spec.change.kind != ChangeType::Rollback;
    if waits { OTHER_BUDGET } else { &[] }
}

/// Why they are asked, in a sentence for a message; empty where they are not.
pub(super) fn reason(spec: &ReleaseRecordSpec) -> String {
    match &spec.budget_before {
        Some(before) if !sign_offs(spec).is_empty() => format!(
            " It spent RiskBudget {before} before, and {} may allow more: both managers agree to that once (000, section 4).",
            spec.risk_budget
        ),
        Some(_) | None => String::new(),
    }
}
