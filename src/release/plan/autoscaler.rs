//! An autoscaler sees a workload whose traffic went to the canary and would take its pods away: for the time of a release
//! it may only add. It gets its hand back one of its own windows after traffic is home, so that it decides on figures of a
//! workload that serves.

use super::came_back::served_by_previous;
use crate::api::Time;
use crate::release::action::{Action, Scaler};
use crate::release::snapshot::{AutoscalerSeen, Snapshot};

/// The writes that keep every autoscaler of the workload from taking pods away; none where they stand.
pub(super) fn hold(seen: &Snapshot) -> Vec<Action> {
    seen.autoscalers.iter().filter(|one| !is_held(one)).filter_map(|one| leaf(one, true)).collect()
}

/// What to do for autoscalers that are held although nothing is being released.
pub(super) enum Release {
    /// None is held, or none may be let go yet.
    Nothing,
    /// So long until the first may be let go.
    In(crate::api::Span),
    /// These are let go now.
    Now(Vec<Action>),
}

/// Lets go of autoscalers whose window has passed since the last attempt ended.
pub(super) fn release(seen: &Snapshot, now: Time) -> Release {
    // After a late rollback the workload has no traffic yet: its autoscaler would see an idle one.
    if served_by_previous(seen) {
        return Release::Nothing;
    }
    let ended = seen.record.as_ref().and_then(|record| record.status.as_ref()).and_then(|status| status.ended_at);
    let due = |one: &AutoscalerSeen| ended.map_or(now, |ended| ended.plus(one.window));
    let held = || seen.autoscalers.iter().filter(|one| is_held(one));
    let writes: Vec<_> = held().filter(|one| due(one) <= now).filter_map(|one| leaf(one, false)).collect();
    if !writes.is_empty() {
        return Release::Now(writes);
    }
    held().map(due).filter(|due| *due > now).min().map_or(Release::Nothing, |due| Release::In(due.since(now)))
}

/// Lets go of all at once.
pub(super) fn release_now(seen: &Snapshot) -> Vec<Action> {
    seen.autoscalers.iter().filter(|one| is_held(one)).filter_map(|one| leaf(one, false)).collect()
}

fn is_held(one: &AutoscalerSeen) -> bool {
    one.scaled_object.as_ref().map_or(one.held, |object| object.held)
}

/// Where KEDA owns the autoscaler, its ScaledObject is what is written: KEDA would take anything else back.
fn leaf(one: &AutoscalerSeen, held: bool) -> Option<Action> {
    let (scaler, name, resource_version) = match &one.scaled_object {
        None => (Scaler::HorizontalPodAutoscaler, &one.name, &one.resource_version),
        Some(object) => (Scaler::ScaledObject, &object.name, &object.resource_version),
    };
    let (name, resource_version) = (name.clone(), resource_version.clone());
    (!resource_version.is_empty()).then_some(Action::ScaleDown { scaler, name, resource_version, held })
}
