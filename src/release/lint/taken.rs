//! Who does not have the workload writes what is its own alone: its records, its charges, its Jobs, its finalizer.

use super::Note;
use crate::release::action::{Action, Plan};
use crate::release::plan::has_own;
use crate::release::snapshot::Snapshot;
use crate::release::twins::taken;

/// What a plan would write to what another release has. Pods of its own that stand beside the workload it may take back.
pub(super) fn writes(plan: &Plan, seen: &Snapshot, notes: &mut Vec<Note>) {
    if taken(seen).is_none() || seen.release.finalizer && has_own(seen) {
        return;
    }
    notes.extend(plan.actions.iter().filter_map(touches).map(Note::Taken));
}

const fn touches(action: &Action) -> Option<&'static str> {
    match action {
        Action::OpenRecord { .. } => Some("a new record"),
        Action::AddFinalizer => Some("the finalizer"),
        Action::SetSplit { .. } | Action::DisownRules { .. } => Some("a route"),
        Action::Apply { .. } | Action::Delete { .. } | Action::ScaleSide { .. } => Some("a canary or previous version"),
        Action::ScaleReplicaSet { .. } | Action::DeleteReplicaSet { .. } | Action::CreateReplicaSet { .. } => {
            Some("a ReplicaSet")
        }
        Action::Resume { .. } | Action::ExplainPause { .. } | Action::SetPartition { .. } => Some("the workload"),
        Action::DeletePod { .. } => Some("a pod"),
        Action::ScaleDown { .. } => Some("an autoscaler"),
        Action::StartJob { .. } => Some("a Job"),
        Action::UpdateRecord { .. }
        | Action::WriteLedger { .. }
        | Action::RemoveJob { .. }
        | Action::RemoveFinalizer => None,
    }
}
