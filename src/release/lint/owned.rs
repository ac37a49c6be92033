//! The rules of a route are given back as they were seen, not in a plan that claims them again, and before nobody is left to.

use super::Note;
use crate::release::action::{Action, Plan};
use crate::release::plan::owned;
use crate::release::snapshot::Snapshot;

/// What a plan would do to rules that are Tidegate's by field management.
pub(super) fn given_back(plan: &Plan, seen: &Snapshot, notes: &mut Vec<Note>) {
    let mut back = Vec::new();
    for action in &plan.actions {
        let Action::DisownRules { route, resource_version } = action else { continue };
        let mut routes = seen.routes.iter();
        let known = routes.any(|seen| seen.name == *route && seen.owned.as_ref() == Some(resource_version));
        let claims = |action: &Action| matches!(action, Action::SetSplit { route: other, .. } if other == route);
        if !known || plan.actions.iter().any(claims) {
            notes.push(Note::NotFenced("giving a route's rules back"));
        }
        back.push(route.as_str());
    }
    if plan.actions.contains(&Action::RemoveFinalizer) {
        let kept = owned(seen).filter(|(route, _)| !back.contains(route));
        notes.extend(kept.map(|(route, _)| Note::KeptRules(route.to_owned())));
    }
}
