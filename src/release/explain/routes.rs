//! Which routes lead to a version beside the workload: those that must stay in `spec.traffic.httpRoutes`.
//!
//! A route that is not listed is not looked at any more: taken off the list now, it would lead there still when that version is
//! gone. What must never enter: a weight, because a route needs a backend that stands at weight 0 too; a side that another
//! GatedRelease made, which this one's list has no say in.

use crate::release::snapshot::{RouteProblem, RouteSeen, Side, Snapshot};
use crate::release::split::Carrier;
use crate::release::twins::taken;

/// Their names, in the order of the list.
pub(super) fn held(seen: &Snapshot) -> Vec<String> {
    if seen.by_count() || taken(seen).is_some() {
        return Vec::new();
    }
    let ours = |carrier: &Carrier| !seen.side(*carrier).is_some_and(Side::is_anothers);
    let sides: Vec<_> = [Carrier::Canary, Carrier::Previous].into_iter().filter(ours).collect();
    let held = seen.routes.iter().filter(|route| leads_to(seen, route, &sides));
    held.map(|route| route.name.clone()).collect()
}

fn leads_to(seen: &Snapshot, route: &RouteSeen, sides: &[Carrier]) -> bool {
    let stands = |carrier: &Carrier| seen.side(*carrier).is_some_and(|side| side.deployment.is_some());
    match &route.state {
        Ok(route) => route.rules.iter().any(|rule| match rule {
            Some(split) => sides.iter().any(|carrier| split.of(*carrier).is_some()),
            // Weights that make no whole split do not say whom they name.
            None => sides.iter().any(stands),
        }),
        // Neither is said of a route that names a side.
        Err(RouteProblem::Missing | RouteProblem::NoBackend { .. } | RouteProblem::Unsplittable(_)) => false,
    }
}
