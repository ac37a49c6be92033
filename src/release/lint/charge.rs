//! What a record says of its charge: the ledger gave it, and it stays.

use super::Note;
use crate::api::release_record::{ChargeRecord, Outcome, ReleaseRecordStatus};
use crate::release::action::{Action, Plan};
use crate::release::plan::with_penalty;
use crate::release::snapshot::Snapshot;

/// Checks the charge that a record would say. `before` is its status as it stands.
pub(super) fn stands(
    plan: &Plan,
    seen: &Snapshot,
    record: &str,
    before: Option<&ReleaseRecordStatus>,
    next: &ReleaseRecordStatus,
) -> Option<Note> {
    match (before.and_then(|before| before.charge.as_ref()), &next.charge) {
        (None, None) => None,
        (None, Some(new)) => (!is_numbered(plan, seen, record, new)).then_some(Note::ChargeNotInLedger),
        (Some(known), Some(same)) if known == same => None,
        // Whoever lets a version go past its gate pays for that once, in the write that seals the record.
        (Some(known), Some(more)) if next.outcome == Some(Outcome::Bypassed) && *more == with_penalty(known) => None,
        (Some(_), Some(_) | None) => Some(Note::ChargeChanged),
    }
}

/// Whether the attempt is not charged, neither on record nor by a write of the plan that comes before this action: a write that fails
/// ends its plan.
pub(super) fn is_owed(plan: &Plan, action: &Action, seen: &Snapshot) -> bool {
    let status = seen.record.as_ref().and_then(|record| record.status.as_ref());
    let owes = status.is_some_and(|status| status.assessment.is_some() && status.charge.is_none());
    let mut before = plan.actions.iter().take_while(|one| !std::ptr::eq(*one, action));
    let pays = before.any(|one| matches!(one, Action::UpdateRecord { status, .. } if status.charge.is_some()));
    owes && !pays && seen.risk.is_some()
}

/// Whether the ledger has given this charge to this record, or a write before the record's does.
fn is_numbered(plan: &Plan, seen: &Snapshot, record: &str, new: &ChargeRecord) -> bool {
    let known = seen.risk.iter().map(|risk| &risk.ledger);
    let first = |action: &&Action| !matches!(action, Action::OpenRecord { .. } | Action::UpdateRecord { .. });
    let written = plan
        .actions
        .iter()
        .take_while(first)
        .filter_map(|action| if let Action::WriteLedger { ledger, .. } = action { Some(&**ledger) } else { None });
    known.chain(written).flat_map(|ledger| &ledger.pending).any(|one| one.record == record && one.charge == *new)
}
