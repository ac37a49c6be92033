//! The rules of a route are whose who applies them. Each write of weights makes them Tidegate's, and until they are given back
//! whoever applies the route without force is refused: a fix or a revert too.
//!
//! What is owned is seen, not remembered: so it is given back after a crash, and where an earlier Tidegate left it.

use super::taken::has_own;
use crate::release::action::Action;
use crate::release::snapshot::Snapshot;
use crate::release::twins::taken;

/// Routes whose rules this release has to give back, with their resourceVersions. One that may not write to routes has none.
pub(in crate::release) fn owned(seen: &Snapshot) -> impl Iterator<Item = (&str, &str)> {
    let writes = seen.release.finalizer && (taken(seen).is_none() || has_own(seen));
    let routes = seen.routes.iter().filter(move |_| writes);
    routes.filter_map(|route| Some((route.name.as_str(), route.owned.as_deref()?)))
}

/// Gives them back, unless weights are to be written: those go first, and claim them again. It goes before all else, so that
/// nothing that is refused for long, such as pods past a quota, keeps the owner of a route waiting.
pub(super) fn first(actions: &mut Vec<Action>, seen: &Snapshot) {
    if actions.iter().any(|action| matches!(action, Action::SetSplit { .. })) {
        return;
    }
    let back = owned(seen).map(|(route, resource_version)| Action::DisownRules {
        route: route.to_owned(),
        resource_version: resource_version.to_owned(),
    });
    actions.splice(..0, back.collect::<Vec<_>>());
}
