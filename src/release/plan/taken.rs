//! Another GatedRelease has what this one names. It opens no record and writes to nothing that users meet; what it made itself
//! before it lost the workload, it takes back, traffic first. Then its finalizer goes, so that its deletion touches nothing.
//!
//! What must never enter: a write to the workload, or to a route that leads to another release's objects.

use super::active::Active;
use super::step::{Say, Step};
use super::{came_back, leave, open, way_home};
use crate::api::Time;
use crate::api::gated_release::WorkloadKind;
use crate::api::release_record::Outcome;
use crate::release::action::Action;
use crate::release::problem::Problem;
use crate::release::snapshot::{Side, Snapshot};
use crate::release::twins::taken;

/// What is left to do for a release whose workload, or Service, another one has; none where it has them itself.
pub(super) fn step(seen: &Snapshot, now: Time) -> Option<Step> {
    let taken = taken(seen)?;
    let why = format!("GatedRelease {} has its {}", taken.by.name, Problem::common(seen, taken.what));
    if !seen.release.finalizer {
        return Some(Step::says(Say::Problems(vec![Problem::taken(seen, taken)])));
    }
    let active = Active::of(seen, now, &[]);
    if !has_own(seen) {
        let closed = active.map(|active| {
            let abandoned = || active.seal(Outcome::Abandoned, format!("{why}: this one writes nothing to it."));
            open::close_again(&active).unwrap_or_else(abandoned)
        });
        return Some(closed.unwrap_or_else(|| let_go(&why)));
    }
    if let Some(active) = active {
        return Some(leave::close(&active, &why));
    }
    // What serves after a late rollback stays, as it does where a gate leaves.
    let serves = came_back::has_users(seen) && !way_home::left_by_its_attempt(seen);
    let home = if serves { None } else { way_home::leave(seen, now, &why) };
    Some(home.unwrap_or_else(|| let_go(&why)))
}

fn let_go(why: &str) -> Step {
    Step::going("Leaving", format!("{why}: this one lets go.")).then(Action::RemoveFinalizer)
}

/// Whether pods of its own stand beside the workload, and nobody else's. The partition of a StatefulSet belongs to whoever has that.
pub(in crate::release) fn has_own(seen: &Snapshot) -> bool {
    let sides = || [&seen.canary, &seen.previous].into_iter().flatten();
    let own = |side: &Side| side.foreign.is_none() && side.deployment.is_some();
    seen.kind() == WorkloadKind::Deployment && sides().any(own) && !sides().any(Side::is_anothers)
}
